"""What a date means that leaves something out, and how it is written down: ISO 8601, as far as it goes."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Final, Optional

_SOON: Final = timedelta(days=7)
"""People complain about what has been; further ahead is meant last year's."""
_SHORT_UNITS: Final = {
    "min": timedelta(minutes=1),
    "h": timedelta(hours=1),
    "d": timedelta(days=1),
    "wk": timedelta(days=7),
}


def day(year: int, month: int, of_month: int) -> Optional[str]:
    try:
        return date(year, month, of_month).isoformat()
    except ValueError:
        return None


def month(year: int, number: int) -> Optional[str]:
    return f"{year:04d}-{number:02d}" if 1 <= number <= 12 else None


def day_near(today: date, number: int, of_month: int) -> Optional[str]:
    """The day without a year: the last one, unless the next is close."""
    for year in (today.year, today.year - 1, today.year - 4):  # a 29th of February may be years ago
        found = day(year, number, of_month)
        if found is not None and date.fromisoformat(found) <= today + _SOON:
            return found
    return None


def month_near(today: date, number: int) -> Optional[str]:
    """The month without a year: this one, or the last that was."""
    return month(today.year - (number > today.month), number)


def month_from(today: date, months: int) -> str:
    """The month so many months from this one."""
    years, number = divmod(today.year * 12 + today.month - 1 + months, 12)
    return f"{years:04d}-{number + 1:02d}"


def week_from(today: date, weeks: int) -> str:
    year, week, _ = (today + timedelta(weeks=weeks)).isocalendar()
    return f"{year:04d}-W{week:02d}"


def weekday(today: date, number: int, weeks: Optional[int]) -> str:
    """Monday is 0. Of the week so many weeks from this one, or (None) the last such day that was, today included."""
    if weeks is None:
        return (today - timedelta(days=(today.weekday() - number) % 7)).isoformat()
    return (today + timedelta(weeks=weeks, days=number - today.weekday())).isoformat()


def ago(now: datetime, number: float, unit: str) -> str:
    """The day, or for hours and minutes the minute, so long ago."""
    if unit in _SHORT_UNITS:
        then = now - number * _SHORT_UNITS[unit]
        return then.isoformat(timespec="minutes") if unit in ("min", "h") else then.date().isoformat()
    whole = int(number * (12 if unit == "y" else 1))
    extra = timedelta(days=0 if unit == "y" else round(30 * (number - whole)))
    year, at = map(int, month_from(now.date(), -whole).split("-"))
    last = next(found for of_month in range(now.day, 0, -1) if (found := day(year, at, of_month)) is not None)
    return (date.fromisoformat(last) - extra).isoformat()


def at_clock(iso: str, hour: int, minute: int, *, afternoon: bool) -> str:
    """The day with its time as the user's clock shows it; the day alone when there is no such time."""
    hour = hour + 12 if afternoon and hour < 12 else hour
    return f"{iso}T{hour:02d}:{minute:02d}" if hour < 24 and minute < 60 and len(iso) == len("2026-11-03") else iso
