"""Dates and relative times as English writes them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Final, Optional

from bot.understanding.entities import calendar
from bot.understanding.entities.dates import IN_FIGURES, YEAR, Form, read, words
from bot.understanding.entities.entity import AFTER, BEFORE, Entity, compiled
from bot.understanding.entities.numerals import ENGLISH, count
from bot.understanding.hints import has_digit, mentions

COUNT: Final = (
    rf"[0-9]{{1,4}}(?:\.[0-9])?|{'|'.join(sorted(ENGLISH, key=len, reverse=True))}|half an?|(?:a )?few|several"
)
UNIT: Final = r"min(?:ute)?s?|hours?|hrs?|days?|weeks?|wks?|months?|mths?|years?|yrs?"
_MONTH_NAMES: Final = ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"]
_MONTH: Final = (
    "jan(?:uary)?|feb(?:ruary)?|mar(?:ch)?|apr(?:il)?|may|june?|july?|aug(?:ust)?|sept?(?:ember)?|oct(?:ober)?"
    "|nov(?:ember)?|dec(?:ember)?"
)
_WEEKDAY_NAMES: Final = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
_WEEKDAY: Final = "(?:mon|tues|wednes|thurs|fri|satur|sun)day"
_DAY: Final = "(?P<day>[0-3]?[0-9])(?:st|nd|rd|th)?"
_DAYS_FROM_NOW: Final = {
    "the day before yesterday": -2, "day before yesterday": -2, "yesterday": -1, "last night": -1, "tomorrow": 1,
    "today": 0, "tonight": 0, "this morning": 0, "this afternoon": 0, "this evening": 0,
}  # fmt: skip
_HINTS: Final = (
    *_MONTH_NAMES,
    *("day", "night", "morning", "noon", "evening", "tomorrow", "ago", "back", "earlier", "week", "month", "year"),
)
"""Every time has a digit or one of these."""
_PREPOSITION: Final = compiled(r"(?:on|since|from|until|till|by|before|after|in|of|the) $")
_CERTAIN: Final = compiled(rf"[0-9](?:st|nd|rd|th)|{YEAR}")
_NO_MONEY: Final = (
    r"(?!,?[0-9]|\.[0-9]| ?(?:[$€£¥%]|(?-i:[A-Z]{3,5})\b|usd|eur|dollars?|u\b|bucks|coins?|people|users|元|块|美|个))"
)
_CLOCK: Final = compiled(
    r"(?:T|,? (?:at |around |about |@ ?)?)(?P<hour>[0-2]?[0-9])(?:[:.](?P<minute>[0-5][0-9])(?::[0-5][0-9])?)?"
    r" ?(?P<half>[ap]\.?m\b\.?)?(?![0-9A-Y_]|[.:/-][0-9])"
)


def find(text: str, now: datetime) -> Iterator[Entity]:
    if not (has_digit(text) or mentions(text, *_HINTS)):
        return
    for entity in read(text, now, _FORMS):
        yield _with_clock(text, entity)


def unit_of(word: str) -> str:
    """The symbol of a unit: "hrs" is "h", "months" is "mo"."""
    word = word.lower()
    symbols = {"mi": "min", "mo": "mo", "mt": "mo", "h": "h", "d": "d", "w": "wk", "y": "y"}
    return symbols[word[:2] if word[0] == "m" else word[0]]


def _with_clock(text: str, entity: Entity) -> Entity:
    match = _CLOCK.match(text, entity.end)
    if match is None or (match["minute"] is None and match["half"] is None):
        return entity
    half, hour = (match["half"] or "").lower(), int(match["hour"])
    hour = 0 if half.startswith("a") and hour == 12 else hour
    value = calendar.at_clock(entity.value, hour, int(match["minute"] or 0), afternoon=half.startswith("p"))
    return entity if value == entity.value else Entity("date", value, entity.start, match.end())


def _named(match: re.Match[str], now: datetime) -> Optional[str]:
    """A month with its day, its year, both, or neither."""
    parts = match.groupdict()
    number, year, of_month = _MONTH_NAMES.index(match["month"].lower()[:3]) + 1, parts.get("year"), parts.get("day")
    if _is_verb(match):
        return None
    if of_month is None:
        return calendar.month(int(year), number) if year else calendar.month_near(now.date(), number)
    if year:
        return calendar.day(int(year), number, int(of_month))
    return calendar.day_near(now.date(), number, int(of_month))


def _is_verb(match: re.Match[str]) -> bool:
    """ "It may 3 times" and "march 2 steps" are no dates; "on may 3", "may 3rd" and "May 3" are."""
    start = match.start("value")
    if match["month"] not in ("may", "march") or start != match.start():
        return False
    return not (_PREPOSITION.search(match.string[max(0, start - 8) : start]) or _CERTAIN.search(match.group()))


def _relative(match: re.Match[str], now: datetime) -> Optional[str]:
    return (now.date() + timedelta(days=_DAYS_FROM_NOW[words(match)])).isoformat()


def _weekday(match: re.Match[str], now: datetime) -> Optional[str]:
    """ "Last Tuesday" is before today; "Tuesday" may be today; a coming one has to be called so."""
    number, which, today = _WEEKDAY_NAMES.index(match["name"].lower()[:3]), (match["which"] or "").lower(), now.date()
    if which == "this":
        return calendar.weekday(today, number, 0)
    shift = {"last": -1, "past": -1, "previous": -1, "next": 7}.get(which, 0)
    return calendar.weekday(today + timedelta(days=shift), number, None)


def _ago(match: re.Match[str], now: datetime) -> Optional[str]:
    number = count(match["count"])
    return words(match) if number is None or match["from"] else calendar.ago(now, number, unit_of(match["unit"]))


def _span(match: re.Match[str], now: datetime) -> Optional[str]:
    back = 0 if match["which"].lower() == "this" else -1
    unit = unit_of(match["unit"])
    if unit == "wk":
        return calendar.week_from(now.date(), back)
    return calendar.month_from(now.date(), back) if unit == "mo" else f"{now.year + back:04d}"


def _year(match: re.Match[str], now: datetime) -> Optional[str]:
    return match["value"]


_FORMS: Final[tuple[Form, ...]] = (
    *IN_FIGURES,
    (
        compiled(
            rf"{BEFORE}(?<![0-9][.,])(?P<value>{_DAY}[ -]?(?:of )?(?P<month>{_MONTH})\.?"
            rf"(?:[ ,-]{{1,2}}(?P<year>{YEAR}))?){AFTER}"
        ),
        _named,
    ),
    (
        compiled(
            rf"{BEFORE}(?P<value>(?P<month>{_MONTH})\.? ?(?:the )?{_DAY}(?![0-9A-Z_%:]|[.,/][0-9])"
            rf"(?:,? (?P<year>{YEAR}){AFTER})?)(?! ?(?:{UNIT}|times|x|%){AFTER})"
        ),
        _named,
    ),
    (compiled(rf"{BEFORE}(?P<value>(?P<month>{_MONTH})\.?,? (?:of )?(?P<year>{YEAR})){AFTER}"), _named),
    (
        compiled(
            rf"{BEFORE}(?:since|in|from|until|till|by|during|early|late|mid|last|before|after)[ -]"
            rf"(?P<value>(?P<month>{_MONTH})){AFTER}"
        ),
        _named,
    ),
    (compiled(rf"{BEFORE}(?P<value>{'|'.join(_DAYS_FROM_NOW)}){AFTER}"), _relative),
    (
        compiled(
            rf"{BEFORE}(?<!every )(?<!day to )(?<!day-)"
            rf"(?P<value>(?:(?P<which>last|this|past|previous|next) )?(?P<name>{_WEEKDAY})){AFTER}"
            rf"(?! ?(?:to|-) ?{_WEEKDAY})"
        ),
        _weekday,
    ),
    (
        compiled(
            rf"{BEFORE}(?<![0-9][.,])(?P<value>(?P<from>[0-9]{{1,3}} ?(?:-|–|to|or) ?)?(?P<count>{COUNT})[ -]?"
            rf"(?:full |business |working |whole )?(?P<unit>{UNIT})(?:'s)? ?(?:ago|back|earlier)){AFTER}"
        ),
        _ago,
    ),
    (compiled(rf"{BEFORE}(?P<value>(?P<which>last|this|previous) (?P<unit>week|month|year)){AFTER}"), _span),
    (
        compiled(rf"{BEFORE}(?:since|in|during|before|after|until|back in|year) (?P<value>{YEAR}){AFTER}{_NO_MONEY}"),
        _year,
    ),
)
