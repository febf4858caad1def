"""What /metrics tells, and to whom."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any, override

import httpx
import pytest
from prometheus_client.parser import text_string_to_metric_families
from sqlalchemy import Connection, event, insert, text
from starlette.applications import Starlette

from bot import metrics
from bot.metrics_page import MetricsPage
from bot.repository import file_checks, standing
from bot.store.store import Store
from bot.store.tables import Conversation, Inbox, Outbox, Timer
from channels.contract import Accepted, Channel, Figures, InboundMessage
from channels.faults import NotStored
from tests.conftest import MovedClock
from tests.fakes.channel import FakeChannel

TOKEN = "a token of the tests"


class CountedChannel(FakeChannel):
    @override
    def figures(self) -> Figures:
        return Figures(connections=3, refused={"too_big": 2})

    @override
    def deaf(self) -> str | None:
        return "the listener is down"


def page(store: Store, clock: MovedClock, **settings: Any) -> MetricsPage:
    channels: dict[str, Channel] = {"fake": CountedChannel()}
    given: dict[str, Any] = {"token": "", "behind_proxy": False, **settings}
    return MetricsPage(store=store, channels=channels, clock=clock, **given)


@asynccontextmanager
async def asking(served: MetricsPage, peer: str) -> AsyncIterator[httpx.AsyncClient]:
    transport = httpx.ASGITransport(Starlette(routes=served.routes()), client=(peer, 40_000))
    async with httpx.AsyncClient(transport=transport, base_url="http://desk") as http:
        yield http


def values(body: bytes) -> dict[tuple[str, tuple[tuple[str, str], ...]], float]:
    families = text_string_to_metric_families(body.decode())
    return {(s.name, tuple(sorted(s.labels.items()))): s.value for family in families for s in family.samples}


def of(body: bytes, name: str, **labels: str) -> float:
    return values(body)[name, tuple(sorted(labels.items()))]


@pytest.mark.parametrize("peer", ["127.0.0.1", "127.9.9.9", "::1"])
async def test_somebody_on_this_machine_may_ask(store: Store, clock: MovedClock, peer: str) -> None:
    async with asking(page(store, clock), peer) as http:
        answer = await http.get("/metrics")
    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith("text/plain; version=")
    assert of(answer.content, "redress_database_up") == 1


PROXIED = ["X-Forwarded-For", "X-Forwarded-Proto", "X-Real-IP", "Forwarded", "Via", "CF-Connecting-IP"]


@pytest.mark.parametrize("header", PROXIED)
async def test_what_came_through_a_proxy_is_a_strangers(store: Store, clock: MovedClock, header: str) -> None:
    async with asking(page(store, clock), "127.0.0.1") as http:
        assert (await http.get("/metrics", headers={header: "127.0.0.1"})).status_code == 404


@pytest.mark.parametrize("peer", ["203.0.113.9", "10.0.0.5", "2001:db8::1", "localhost"])
async def test_nobody_from_elsewhere_may_ask(store: Store, clock: MovedClock, peer: str) -> None:
    async with asking(page(store, clock), peer) as http:
        assert (await http.get("/metrics")).status_code == 404


async def test_behind_a_public_address_nobody_is_trusted_for_being_local(store: Store, clock: MovedClock) -> None:
    """Some proxies add no header at all, and all of them have a loopback address."""
    async with asking(page(store, clock, behind_proxy=True), "127.0.0.1") as http:
        assert (await http.get("/metrics")).status_code == 404


async def test_the_token_opens_it_from_anywhere_and_nothing_else_does(store: Store, clock: MovedClock) -> None:
    async with asking(page(store, clock, token=TOKEN, behind_proxy=True), "203.0.113.9") as http:
        forwarded = {"X-Forwarded-For": "198.51.100.1"}
        good = await http.get("/metrics", headers={"Authorization": f"Bearer {TOKEN}", **forwarded})
        assert good.status_code == 200
        for wrong in (f"Bearer {TOKEN}x", "Bearer ", "Bearer", f"Basic {TOKEN}", TOKEN, "", "Bearer 令牌"):
            refused = await http.get("/metrics", headers={b"Authorization": wrong.encode()})
            assert (refused.status_code, b"redress_" in refused.content) == (401, False)
    async with asking(page(store, clock, token=TOKEN), "127.0.0.1") as http:
        assert (await http.get("/metrics")).status_code == 401


LEAVING = [("new", 2, None), ("sending", 3, None), ("new", 9, 1), ("failed", 12, None), ("sent", 20, None)]
"""State, hours since it was queued, hours since an operator gave it back. The relay is down: all have to wait."""


def fill(clock: MovedClock) -> Callable[[Connection], None]:
    """Two messages wait, one is parked; two answers have been trying to leave, one failed; two timers."""
    now = clock()
    conversation = {"channel": "fake", "key": "k", "recipient": "li@user.example", "created_at": now, "active_at": now}
    received = {"channel": "fake", "conversation_id": 1, "sender": "li@user.example", "raw_size": 1, "text": "secret"}
    queued = {"conversation_id": 1, "author": "bot", "text": "secret", "language": "en", "buttons": []}

    def add(connection: Connection) -> None:
        connection.execute(insert(Conversation).values(id=1, pending=2, **conversation))
        for number, (state, minutes, attempts) in enumerate([("new", 10, 2), ("new", 5, 0), ("parked", 60, 3)], 1):
            row = {"state": state, "received_at": now - timedelta(minutes=minutes), "attempts": attempts}
            keys = {"external_id": f"m{number}", "seq": number, "raw_sha256": "0" * 64, "envelope": {}}
            connection.execute(insert(Inbox).values(**received, **row, **keys))
        for number, (state, hours, replayed) in enumerate(LEAVING, 1):
            born = {"not_before": now + timedelta(minutes=30), "created_at": now - timedelta(hours=hours)}
            tried = {"tried_since": None if replayed is None else now - timedelta(hours=replayed)}
            keys = {"origin": f"o{number}", "message_id": f"m{number}", "seq": 10 + number}
            connection.execute(insert(Outbox).values(**queued, **born, **tried, **keys, state=state))
        for number, minutes in enumerate((-3, 5)):
            due_at = now + timedelta(minutes=minutes)
            connection.execute(insert(Timer).values(kind="k", key=str(number), due_at=due_at, data={}))

    return add


async def test_it_tells_how_the_road_stands(store: Store, clock: MovedClock) -> None:
    await store.write(fill(clock))
    body = await page(store, clock).text()
    assert [of(body, "redress_inbox_rows", state=state) for state in ("new", "parked")] == [2, 1]
    assert [of(body, "redress_outbox_rows", state=state) for state in ("new", "sending", "failed")] == [2, 1, 1]
    assert of(body, "redress_lag_seconds", of="inbox") == 600
    assert of(body, "redress_lag_seconds", of="outbox") == 3 * 3600
    assert of(body, "redress_lag_seconds", of="timers") == 180
    assert of(body, "redress_waiting_attempts", of="turn") == 2
    assert [of(body, "redress_timers"), of(body, "redress_timers_overdue")] == [2, 1]
    assert of(body, "redress_connections", channel="fake") == 3
    assert of(body, "redress_refused_total", channel="fake", reason="too_big") == 2
    assert of(body, "redress_listening", channel="fake") == 0
    assert of(body, "process_resident_memory_bytes") > 1e6
    for private in (b"li@user.example", b"secret", b'"k"'):
        assert private not in body


async def test_an_empty_road_has_no_lag(store: Store, clock: MovedClock) -> None:
    body = await page(store, clock).text()
    assert [of(body, "redress_lag_seconds", of=name) for name in ("inbox", "outbox", "timers")] == [0, 0, 0]


async def test_many_scrapes_look_at_the_database_once(store: Store, clock: MovedClock) -> None:
    served = page(store, clock)
    looked = 0

    async def look() -> standing.Standing:
        nonlocal looked
        looked += 1
        return await store.read(lambda connection: standing.look(connection, clock()))

    served._standing._find_out = look
    await served.text()
    await served.text()
    assert looked == 1


async def test_without_the_database_it_still_tells_the_rest(store: Store, clock: MovedClock) -> None:
    served = page(store, clock)

    async def gone() -> standing.Standing:
        raise NotStored("the database cannot be read now")

    served._standing._find_out = gone
    body = await served.text()
    assert of(body, "redress_database_up") == 0
    assert of(body, "redress_connections", channel="fake") == 3


async def test_a_look_reads_no_table_from_end_to_end(tmp_path: Any, clock: MovedClock) -> None:
    """SQLite: every query is answered from the partial indexes, however long the history."""
    from bot.store.migrate import migrate

    migrate(url := f"sqlite:///{tmp_path / 'x.db'}")
    opened = Store(url)
    plans: list[str] = []

    def explain(connection: Connection) -> None:
        asked: list[tuple[str, Any]] = []

        def note(_c: Any, _cursor: Any, statement: str, parameters: Any, *_more: Any) -> None:
            asked.append((statement, parameters))

        event.listen(connection, "before_cursor_execute", note)
        standing.look(connection, clock())
        event.remove(connection, "before_cursor_execute", note)
        for statement, parameters in asked:
            plans.extend(row[3] for row in connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", parameters))

    await opened.write(lambda c: c.execute(text("ANALYZE")))
    await opened.read(explain)
    opened.close()
    assert plans
    assert [plan for plan in plans if plan.startswith("SCAN") and "INDEX" not in plan and "timer" not in plan] == []


async def test_what_channels_take_is_counted(clock: MovedClock) -> None:
    outcomes: list[Any] = [False, True, NotStored("full")]

    async def accept(message: InboundMessage) -> Accepted:
        assert message.channel == "counted"
        outcome = outcomes.pop(0)
        if isinstance(outcome, Exception):
            raise outcome
        return Accepted(inbox_id=1, conversation_id=1, seq=1, duplicate=outcome)

    message = InboundMessage(
        channel="counted", external_id="1", conversation_key="k", sender="s", raw=b"", received_at=clock()
    )
    counting = metrics.counted(accept)
    before = metrics.REGISTRY.get_sample_value("redress_step_seconds_count", {"step": "accept"}) or 0
    for _ in range(2):
        await counting(message)
    with pytest.raises(NotStored):
        await counting(message)
    for name in ("received", "duplicates", "not_stored"):
        assert metrics.REGISTRY.get_sample_value(f"redress_{name}_total", {"channel": "counted"}) == 1
    assert metrics.REGISTRY.get_sample_value("redress_step_seconds_count", {"step": "accept"}) == before + 3


async def test_a_step_is_timed_also_when_it_fails() -> None:
    def count() -> float:
        return metrics.REGISTRY.get_sample_value("redress_step_seconds_count", {"step": "settle"}) or 0

    before = count()
    with metrics.step("settle"):
        await asyncio.sleep(0)
    with pytest.raises(ZeroDivisionError), metrics.step("settle"):
        raise ZeroDivisionError
    assert count() == before + 2


async def test_the_scanner_and_what_waits_for_it_are_told_where_there_is_one(store: Store, clock: MovedClock) -> None:
    await store.write(lambda c: file_checks.begin(c, ["a" * 64, "b" * 64, "c" * 64], clock()))
    await store.write(lambda c: file_checks.change(c, "a" * 64, scan="clean"))
    await store.write(lambda c: file_checks.change(c, "b" * 64, scan="failed"))
    for up in (True, False):
        body = await page(store, clock, scanner_up=lambda up=up: up).text()
        assert (of(body, "redress_scanner_up"), of(body, "redress_files_unscanned")) == (up, 1)
    assert b"redress_scanner_up" not in await page(store, clock).text()
