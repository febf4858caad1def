"""How often one place may ask, and that a flood turns nobody away."""

from __future__ import annotations

from datetime import timedelta

import pytest

from escalation.web import rate
from escalation.web.rate import Rate
from tests.conftest import MovedClock


def test_one_too_many_is_said_and_forgiven_in_the_next_window(clock: MovedClock) -> None:
    often = Rate(clock, 2, timedelta(minutes=1))
    assert [often.spent("192.0.2.1") for _ in range(3)] == [False, False, True]
    assert not often.spent("192.0.2.2")
    clock.move(seconds=61)
    assert not often.spent("192.0.2.1")


def test_a_network_of_ipv6_is_one_place(clock: MovedClock) -> None:
    often = Rate(clock, 1, timedelta(minutes=1))
    assert not often.spent("2001:db8::1")
    assert often.spent("2001:db8::2")
    assert not often.spent("2001:db8:0:1::1")


def test_more_places_than_are_counted_may_go_on(clock: MovedClock, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rate, "MOST_PLACES", 1)
    often = Rate(clock, 1, timedelta(minutes=1))
    assert not often.spent("192.0.2.1")
    assert [often.spent("192.0.2.2") for _ in range(5)] == [False] * 5
    assert often.spent("192.0.2.1")
