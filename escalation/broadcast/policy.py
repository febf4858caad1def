"""Who gets a broadcast when: quiet hours, rate, length. Pure; every time is given."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

KINDS = ("risk", "event", "reminder")
PUBLISHED = ("risk", "event")
"""What stands on the public page of notices; a reminder repeats what stands there already."""
LANGUAGES = ("en", "zh")
MAX_TITLE_CHARACTERS = 120
MAX_TEXT_CHARACTERS = 3_000
"""Together with title and footer one message of every channel."""
RATE_WINDOW = timedelta(minutes=1)


@dataclass(frozen=True, kw_only=True)
class Rules:
    """`time_zone` is the exchange's (IANA). Quiet hours are full hours of the subscriber's day; equal ones: none."""

    time_zone: str
    quiet_from: int = 22
    quiet_to: int = 8
    per_minute: int = 60
    """To one channel."""


def known_zone(name: str) -> bool:
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return False
    return True


def quiet_until(now: datetime, zone: str | None, rules: Rules) -> datetime | None:
    """The end of the quiet hours that `now` lies in; None when it lies in none. A zone nobody knows any more counts as
    none given."""
    named = zone if zone and known_zone(zone) else rules.time_zone
    local = now.astimezone(ZoneInfo(named))
    if not _is_quiet(local.hour, rules):
        return None
    day = local.date() + timedelta(days=local.hour >= rules.quiet_to)
    return datetime.combine(day, time(rules.quiet_to), local.tzinfo).astimezone(UTC)


def _is_quiet(hour: int, rules: Rules) -> bool:
    if rules.quiet_from <= rules.quiet_to:
        return rules.quiet_from <= hour < rules.quiet_to
    return hour >= rules.quiet_from or hour < rules.quiet_to


def allowance(queued_in_window: int, rules: Rules) -> int:
    """How many more may be queued for a channel now."""
    return max(0, rules.per_minute - queued_in_window)


def faults(kind: str, titles: dict[str, str], texts: dict[str, str]) -> list[str]:
    """What is wrong with a draft, as the last part of a wording key; both languages are required."""
    found = [] if kind in KINDS else ["kind"]
    for language in LANGUAGES:
        found += _faults_of(titles.get(language, ""), MAX_TITLE_CHARACTERS, f"title_{language}")
        found += _faults_of(texts.get(language, ""), MAX_TEXT_CHARACTERS, f"text_{language}")
    return found


def _faults_of(text: str, most: int, name: str) -> list[str]:
    if not text.strip():
        return [f"{name}_missing"]
    return [f"{name}_long"] if len(text) > most else []
