"""The caps as a function of times."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from bot.pacing import can_be_over, files_over, messages_over
from channels.caps_contract import Caps

CAPS = Caps(messages_per_minute=20, messages_per_hour=200, files_per_hour=30, file_bytes_per_hour=1000)
AT = datetime(2026, 11, 22, 9, 0, tzinfo=UTC)


def ago(**units: float) -> datetime:
    return AT - timedelta(**units)


@pytest.mark.parametrize(
    ("earlier", "over"),
    [
        ({}, False),
        ({20: ago(seconds=59.9)}, True),
        ({20: ago(seconds=60)}, False),
        ({20: ago(seconds=61), 200: ago(minutes=59)}, True),
        ({20: ago(seconds=61), 200: ago(minutes=60)}, False),
        ({20: ago(seconds=-2)}, True),
        ({20: ago(days=-300), 200: ago(days=-300)}, False),
    ],
    ids=["few", "minute", "a_minute_ago", "hour", "an_hour_ago", "two_clocks", "a_wrong_clock"],
)
def test_a_message_is_over_when_the_nth_before_it_is_near(earlier: dict[int, datetime], over: bool) -> None:
    assert messages_over(CAPS, AT, earlier) is over


def test_equal_caps_are_those_of_the_hour() -> None:
    assert messages_over(Caps(messages_per_minute=5, messages_per_hour=5), AT, {5: ago(minutes=30)})


@pytest.mark.parametrize(("seq", "can"), [(1, False), (20, False), (21, True)])
def test_nothing_is_counted_while_too_little_was_said(seq: int, can: bool) -> None:
    assert can_be_over(CAPS, seq) is can


@pytest.mark.parametrize(("fetched", "size", "over"), [(0, 0, False), (29, 999, False), (30, 1, True), (1, 1000, True)])
def test_files_have_a_number_and_a_size(fetched: int, size: int, over: bool) -> None:
    assert files_over(CAPS, fetched, size) is over
