"""How dates are read whatever the language, and dates in figures: 2026-11-03, 3/11/2026."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from datetime import datetime
from typing import Final, Optional

from bot.understanding.entities import calendar
from bot.understanding.entities.entity import Entity, compiled

Meaning = Callable[["re.Match[str]", datetime], Optional[str]]
"""(match, now) -> the date as ISO 8601 as far as it goes, the words where it is not certain, None if it is no date."""
Form = tuple["re.Pattern[str]", Meaning]
"""A pattern and what it means; the group "value" is what is said, anything around it is proof."""

YEAR: Final = "(?:19|20)[0-9]{2}"
_APART: Final = r"(?<![A-Z0-9_./-])"
_END: Final = r"(?![0-9A-SU-Z_]|[./:-][0-9])"
_VERSION: Final = compiled(r"(?:version|ver|v|版本|版|build)[ :.]{0,2}$")


def words(match: re.Match[str]) -> str:
    """What was said, where it tells no certain date."""
    return " ".join(match.group("value").lower().split())


def read(text: str, now: datetime, forms: tuple[Form, ...]) -> Iterator[Entity]:
    """What the forms find; the numbers of versions look like dates and are none."""
    for pattern, meaning in forms:
        for match in pattern.finditer(text):
            start, end = match.span("value")
            if _VERSION.search(text[max(0, start - 10) : start]):
                continue
            try:
                value = meaning(match, now)
            except (OverflowError, ValueError):  # before the year 1, or a count of no days
                value = words(match)
            if value is not None:
                yield Entity("date", value, start, end)


def _year_first(match: re.Match[str], now: datetime) -> Optional[str]:
    return calendar.day(int(match["year"]), int(match["month"]), int(match["day"]))


def _year_last(match: re.Match[str], now: datetime) -> Optional[str]:
    """The day comes first with dots, and where the other is no month; 03/04/2026 is two days, depending on where."""
    one, two, year = int(match["one"]), int(match["two"]), int(match["year"])
    year += 2000 if year < 100 else 0
    day_first, month_first = calendar.day(year, two, one), calendar.day(year, one, two)
    if match["sign"] == "." or month_first is None:
        return day_first
    return month_first if day_first in (None, month_first) else words(match)


IN_FIGURES: Final[tuple[Form, ...]] = (
    (
        compiled(
            rf"{_APART}(?P<value>(?P<year>{YEAR})(?P<sign>[-/.])(?P<month>[01]?[0-9])(?P=sign)(?P<day>[0-3]?[0-9])){_END}"
        ),
        _year_first,
    ),
    (
        compiled(
            rf"{_APART}(?P<value>(?P<one>[0-3]?[0-9])(?P<sign>[-/.])(?P<two>[0-3]?[0-9])(?P=sign)"
            rf"(?P<year>{YEAR}|(?<=/)[0-9]{{2}})){_END}"
        ),
        _year_last,
    ),
)
