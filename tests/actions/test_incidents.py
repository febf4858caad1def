"""What is wrong on the platform is told where it fits, and asked for seldom."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from typing import cast

import pytest

from actions.backoffice.contract import BackOffice, BackOfficeDown, BackOfficeRefused, Incident
from actions.incidents import KEPT, RunningIncidents, fits
from tests.conftest import MovedClock

NOW = datetime(2026, 11, 22, 9, 0, tzinfo=UTC)


def incident(assets: tuple[str, ...] = (), networks: tuple[str, ...] = (), until: datetime | None = None) -> Incident:
    return Incident(
        id="i",
        title_en="TRC20 is paused",
        title_zh="TRC20 暂停",
        since=NOW - timedelta(hours=2),
        until=until,
        assets=assets,
        networks=networks,
    )


class Exchange:
    """Answers the one question asked here; `fault` is raised instead, when set."""

    def __init__(self, *incidents: Incident, fault: Exception | None = None) -> None:
        self.given = incidents
        self.fault = fault
        self.asked = 0

    async def incidents(self, at: datetime) -> tuple[Incident, ...]:
        self.asked += 1
        if self.fault:
            raise self.fault
        return self.given


def running(exchange: Exchange, clock: MovedClock) -> RunningIncidents:
    return RunningIncidents(cast(BackOffice, exchange), clock)


def title(found: RunningIncidents, language: str = "en") -> str | None:
    return asyncio.run(found.title_for({"network": ("TRC20",)}, language))


@pytest.mark.parametrize(
    ("assets", "networks", "entities", "wanted"),
    [
        ((), (), {}, True),
        (("USDT",), ("TRC20",), {"network": ("TRC20",)}, True),
        (("USDT",), ("TRC20",), {"network": ("ERC20",), "asset": ("USDT",)}, False),
        (("USDT",), ("TRC20",), {"asset": ("USDT",)}, False),
        (("USDT",), (), {"asset": ("USDT",)}, True),
        (("USDT",), (), {"amount": ("5 USDT",)}, True),
        (("USDT",), (), {"asset": ("BTC",)}, False),
        ((), ("TRC20",), {}, False),
    ],
)
def test_an_incident_is_told_to_whom_it_concerns(
    assets: tuple[str, ...], networks: tuple[str, ...], entities: dict[str, tuple[str, ...]], wanted: bool
) -> None:
    assert fits(incident(assets, networks), entities) == wanted


@pytest.mark.parametrize(("language", "wanted"), [("en", "TRC20 is paused"), ("zh", "TRC20 暂停")])
def test_it_is_told_in_the_users_language(clock: MovedClock, language: str, wanted: str) -> None:
    assert title(running(Exchange(incident(networks=("TRC20",))), clock), language) == wanted


def test_what_is_over_is_not_told(clock: MovedClock) -> None:
    assert title(running(Exchange(incident(until=NOW - timedelta(hours=1))), clock)) is None
    assert title(running(Exchange(incident(until=NOW + timedelta(hours=1))), clock)) is not None


def test_the_exchange_is_asked_once_in_a_while(clock: MovedClock) -> None:
    exchange = Exchange()
    found = running(exchange, clock)
    assert title(found) is None
    exchange.given = (incident(),)
    assert title(found) is None
    clock.moment += KEPT
    assert title(found) == "TRC20 is paused"
    assert exchange.asked == 2


@pytest.mark.parametrize("fault", [BackOfficeDown("down"), BackOfficeRefused("no")])
def test_an_exchange_that_does_not_answer_is_left_alone(clock: MovedClock, fault: Exception) -> None:
    exchange = Exchange(incident(), fault=fault)
    found = running(exchange, clock)
    assert [title(found), title(found)] == [None, None]
    assert exchange.asked == 1


async def test_who_comes_while_the_exchange_is_asked_waits_for_the_same_answer(clock: MovedClock) -> None:
    exchange = Exchange(incident())
    found = running(exchange, clock)
    titles = await asyncio.gather(*(found.title_for({}, language) for language in ("en", "zh", "en")))
    assert titles == ["TRC20 is paused", "TRC20 暂停", "TRC20 is paused"]
    assert exchange.asked == 1
