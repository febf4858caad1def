"""Dates and relative times as Chinese writes them; the text is in 简体 already."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Final, Optional

from bot.understanding.entities import calendar
from bot.understanding.entities.dates import YEAR, Form, read, words
from bot.understanding.entities.entity import Entity, compiled
from bot.understanding.entities.numerals import chinese_number, count

NUMBER: Final = "[0-9]{1,3}|[〇零一二两三四五六七八九十百]{1,4}"
UNITS: Final = {
    "分钟": "min", "小时": "h", "钟头": "h", "天": "d", "日": "d", "工作日": "d", "周": "wk", "星期": "wk",
    "礼拜": "wk", "月": "mo", "年": "y",
}  # fmt: skip
UNIT: Final = (
    "分钟|小时|钟头|天|工作日|周(?![一二三四五六日末年边期报])|星期(?![一二三四五六日天末])|礼拜(?![一二三四五六日天])"
    "|月|年"
)
_SMALL: Final = "[0-9]{1,2}|[一二三四五六七八九十]{1,3}"
_DAY_OF_MONTH: Final = rf"(?P<day>{_SMALL})[日号]"
_YEARS_BACK: Final = {"今": 0, "去": 1, "前": 2, "明": -1}
_DAYS_FROM_NOW: Final = {"大前": -3, "前": -2, "昨": -1, "今": 0, "明": 1}
_WEEKS: Final = {"上上": -2, "上": -1, "这": 0, "本": 0, "下": 1}
_CLOCK: Final = compiled(
    r" ?(?:的|大概|大约|左右|，|,){0,2} ?(?P<part>凌晨|清晨|早上|早晨|上午|中午|下午|傍晚|晚上|夜里|半夜|晚)?"
    r"(?:大概|大约)? ?"
    rf"(?P<hour>{_SMALL})(?:点(?:钟|整)?(?:(?P<words>半|一刻|[0-5]?[0-9](?=分)))?分?|[:时](?P<minute>[0-5][0-9])分?)"
    r"(?![0-9])"
)


def find(text: str, now: datetime) -> Iterator[Entity]:
    if text.isascii():
        return
    for entity in read(text, now, _FORMS):
        yield _with_clock(text, entity)


def _with_clock(text: str, entity: Entity) -> Entity:
    """ "11月3日下午3点半", "昨晚8点"."""
    match = _CLOCK.match(text, entity.end)
    if match is None:
        return entity
    part = match["part"] or text[entity.end - 1 : entity.end]
    said = match["words"] or match["minute"] or "0"
    minute = {"半": 30, "一刻": 15}[said] if not said.isdigit() else int(said)
    hour = int(count(match["hour"]) or 0)
    value = calendar.at_clock(entity.value, hour, minute, afternoon=part in ("下午", "傍晚", "晚上", "夜里", "晚"))
    return entity if value == entity.value else Entity("date", value, entity.start, match.end())


def _number(word: str) -> int:
    return int(word) if word.isdigit() else chinese_number(word)


def _year_of(word: str, now: datetime) -> int:
    if word in _YEARS_BACK:
        return now.year - _YEARS_BACK[word]
    year = _number(word)
    return year + 2000 if year < 100 else year


def _month(match: re.Match[str], now: datetime) -> Optional[str]:
    """With or without a year before it and a day after it."""
    parts = match.groupdict()
    year, of_month, number = parts.get("year"), parts.get("day"), _number(match["month"])
    if of_month is None:
        return calendar.month(_year_of(year, now), number) if year else calendar.month_near(now.date(), number)
    if year:
        return calendar.day(_year_of(year, now), number, _number(of_month))
    return calendar.day_near(now.date(), number, _number(of_month))


def _month_from_now(match: re.Match[str], now: datetime) -> Optional[str]:
    """上个月, 这个月15号."""
    month = calendar.month_from(now.date(), _WEEKS[match["which"]])
    if match["day"] is None:
        return month
    year, number = map(int, month.split("-"))
    return calendar.day(year, number, _number(match["day"]))


def _day(match: re.Match[str], now: datetime) -> Optional[str]:
    """A day without its month: the last such day that was, or today."""
    number, today = _number(match["day"]), now.date()
    year, month = map(int, calendar.month_from(today, -(number > today.day)).split("-"))
    return calendar.day(year, month, number)


def _day_from_now(match: re.Match[str], now: datetime) -> Optional[str]:
    return (now.date() + timedelta(days=_DAYS_FROM_NOW[match["which"]])).isoformat()


def _week(match: re.Match[str], now: datetime) -> Optional[str]:
    """周二, 上周二, 上周, 上周末."""
    which, name = match["which"], match["name"]
    weeks = None if which is None else _WEEKS[which]
    if name in (None, "末"):
        return None if weeks is None else calendar.week_from(now.date(), weeks)
    return calendar.weekday(now.date(), 6 if name in "日天" else "一二三四五六".index(name), weeks)


def _ago(match: re.Match[str], now: datetime) -> Optional[str]:
    """三天前; of 一个多月前 and 几天前 the words stand."""
    number, unit = count(match["count"]), UNITS[match["unit"]]
    if number is None or match["more"] or match["again"]:
        return words(match)
    if number == 0.5 and unit == "mo":
        number, unit = 15.0, "d"
    return calendar.ago(now, number + (0.5 if match["half"] else 0), unit)


def _year(match: re.Match[str], now: datetime) -> Optional[str]:
    return f"{_year_of(match['year'], now):04d}"


_YEAR: Final = rf"(?P<year>{YEAR}|[12][0-9]|[〇零一二三四五六七八九]{{4}}|[今去前明])年"
_FORMS: Final[tuple[Form, ...]] = (
    (
        compiled(rf"(?<![0-9])(?P<value>{_YEAR}(?:的)? ?(?P<month>{_SMALL})月(?:份)?(?: ?{_DAY_OF_MONTH})?)"),
        _month,
    ),
    (
        compiled(rf"(?<![0-9.个一二三四五六七八九十两几])(?P<value>(?P<month>{_SMALL})月(?:份|{_DAY_OF_MONTH})?)"),
        _month,
    ),
    (compiled(rf"(?P<value>(?P<which>上上|上|这|本|下)个?月(?:份)?(?:{_DAY_OF_MONTH})?)"), _month_from_now),
    (
        compiled(
            r"(?<![0-9A-Z第编单门号账型大小一二三四五六七八九十.-])(?P<value>(?P<day>[0-3]?[0-9]|[一二三四五六七八九十]{1,3})号)"
            r"(?![线码店楼机仓位房院链人客段])"
        ),
        _day,
    ),
    (
        compiled(
            r"(?<![天年周之以])(?P<value>(?P<which>大前|前|昨|今|明)(?:天(?:夜里|晚上|早上|下午|上午|中午|凌晨)?|日|晚|夜|早|儿))"
        ),
        _day_from_now,
    ),
    (
        compiled(
            r"(?<![每一两二三四五六七八九十几0-9个])(?P<value>(?P<which>上上|上|这|本|下)?个?(?:周|星期|礼拜)"
            r"(?P<name>[一二三四五六日天末])?)(?![期年边围转报])"
        ),
        _week,
    ),
    (
        compiled(
            rf"(?<![0-9.第每])(?P<value>(?P<count>{NUMBER}|半|好?几|数|十几|[0-9一二三四五六七八九]0?十?[多几])(?P<more>多)?"
            rf"个?(?P<half>半)?(?P<again>多)?(?P<unit>{UNIT})(?:之前|以前|前)(?![端台期面景言]|后(?!台)))"
        ),
        _ago,
    ),
    (compiled(rf"(?<![0-9])(?P<value>(?P<year>{YEAR}|[〇零一二三四五六七八九]{{4}}|[今去前])年)(?![0-9])"), _year),
)
