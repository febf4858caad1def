"""Quiet hours in every zone, and what a draft has to say."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from pydantic import ValidationError

from bot.settings import BroadcastSettings
from escalation.broadcast.policy import Rules, allowance, faults, quiet_until
from escalation.broadcast.subscribing import SUBSCRIBE, UNSUBSCRIBE, wish

NIGHTS = Rules(time_zone="Asia/Shanghai")


def at(day: int, hour: int, minute: int = 0, month: int = 11) -> datetime:
    return datetime(2026, month, day, hour, minute, tzinfo=UTC)


@pytest.mark.parametrize(
    ("now", "zone", "until"),
    [
        (at(22, 9), "UTC", None),
        (at(22, 21, 59), "UTC", None),
        (at(22, 22), "UTC", at(23, 8)),
        (at(23, 7, 59), "UTC", at(23, 8)),
        (at(23, 8), "UTC", None),
        (at(22, 14), None, at(23, 0)),  # 22:00 in Shanghai, the exchange's zone
        (at(22, 13, 59), None, None),
        (at(22, 14), "America/New_York", None),
        (at(22, 14), "No/Such_Zone", at(23, 0)),
        (at(23, 4, 30), "America/New_York", at(23, 13)),
        (at(22, 16, 40), "Asia/Kathmandu", at(23, 2, 15)),  # 45 minutes beside the full hour
        # The clocks go forward in the night of 28 to 29 March, and the day begins an hour earlier in UTC.
        (at(28, 22, month=3), "Europe/Berlin", at(29, 6, month=3)),
    ],
)
def test_nothing_comes_at_night(now: datetime, zone: str | None, until: datetime | None) -> None:
    assert quiet_until(now, zone, NIGHTS) == until


def test_quiet_hours_within_a_day_and_none() -> None:
    noon = Rules(time_zone="UTC", quiet_from=12, quiet_to=14)
    assert quiet_until(at(22, 13), None, noon) == at(22, 14)
    assert quiet_until(at(22, 14), None, noon) is None
    assert quiet_until(at(22, 3), None, Rules(time_zone="UTC", quiet_from=8, quiet_to=8)) is None


def test_the_rate_leaves_what_is_left() -> None:
    assert [allowance(sent, Rules(time_zone="UTC", per_minute=5)) for sent in (0, 4, 5, 9)] == [5, 1, 0, 0]


def test_a_draft_needs_both_languages_and_fits_into_one_message() -> None:
    assert faults("risk", {"en": "a", "zh": "b"}, {"en": "c", "zh": "d"}) == []
    assert faults("advert", {"en": "a", "zh": " "}, {"en": "c" * 3001, "zh": ""}) == [
        "kind",
        "text_en_long",
        "title_zh_missing",
        "text_zh_missing",
    ]


@pytest.mark.parametrize(
    ("text", "payload", "meant"),
    [
        ("Subscribe", None, SUBSCRIBE),
        ("订阅通知。", None, SUBSCRIBE),
        ("訂閱通知", None, SUBSCRIBE),
        ("退订", None, UNSUBSCRIBE),
        (" UNSUBSCRIBE! ", None, UNSUBSCRIBE),
        ("Get notices", "subscribe", SUBSCRIBE),
        ("How do I subscribe to Earn?", None, None),
        ("unsubscribe", "person", None),
        ("", None, None),
    ],
)
def test_only_the_very_words_are_a_wish(text: str, payload: str | None, meant: str | None) -> None:
    assert wish(text, payload) == meant


def test_a_zone_that_nobody_knows_is_refused_with_the_way_out() -> None:
    with pytest.raises(ValidationError, match="write one such as Asia/Singapore"):
        BroadcastSettings(time_zone="Beijing")
