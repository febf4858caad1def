"""How long something takes or has taken. "24/7" and "every day" are no durations, and an age is none."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from bot.understanding.entities import times_en, times_zh
from bot.understanding.entities.entity import AFTER, BEFORE, Entity, compiled
from bot.understanding.entities.numerals import ENGLISH, count
from bot.understanding.hints import has_digit, mentions

_SURE: Final = "|".join(sorted(set(ENGLISH) - {"a", "an", "one"}, key=len, reverse=True))
_LENGTH: Final = "full |business |working |whole |long |calendar |straight |more |entire "
_GOES_ON: Final = rf"{AFTER}(?! ?(?:old|of age))"
_ENGLISH: Final = (
    compiled(
        rf"{BEFORE}(?<!every )(?<![0-9][.,/])(?<![$€£¥])(?P<value>(?:[0-9]{{1,3}} ?(?:-|–|~|to|or) ?)?"
        rf"(?P<count>[0-9]{{1,4}}(?:\.[0-9])?)\+?[ -]?(?:{_LENGTH})?"
        rf"(?P<unit>{times_en.UNIT}|h|(?-i:d(?! ?secure)))){_GOES_ON}"
    ),
    compiled(
        rf"{BEFORE}(?<!every )(?P<value>(?P<count>{_SURE}|half an?)[ -](?:{_LENGTH})?"
        rf"(?P<unit>{times_en.UNIT})){_GOES_ON}"
    ),
    # "A day" and "one day" are a duration only when something lasts it.
    compiled(
        rf"{BEFORE}(?:for|over|about|around|almost|nearly|within|than|takes|took|taken|been|waited|waiting|after)"
        rf"(?: (?:over|about|almost|nearly|more than|the (?:last|past)|at least))?"
        rf" (?P<value>(?P<count>an?|one) (?:{_LENGTH})?(?P<unit>{times_en.UNIT})){_GOES_ON}"
    ),
)
_CHINESE: Final = compiled(
    r"(?<![0-9.第每几数好/x×一二三四五六七八九])(?P<value>(?:[0-9]{1,3} ?[-–~到至] ?)?"
    rf"(?P<count>{times_zh.NUMBER}|半(?=个?[小钟月年]))多?[ ]?(?P<ge>个)?(?P<half>半)?多?[ ]?"
    rf"(?P<unit>{times_zh.UNIT})(?P<and_half>半(?!年))?)(?!前|之前|以前|级|龄|纪|线)"
)
_HINTS: Final = ("min", "hour", "hr", "day", "week", "wk", "month", "mth", "year", "yr")
"""Without figures every duration in English has one of these."""
_NO_COUNT: Final = re.compile("[百〇零].*|[一二三四五六七八九]{2,}")
"""几百年 and 三五年 are no figures."""
_ONE_LASTS: Final = compiled(r"(?:[了多没还都过内后才就以之]|也不|不到)")
_LASTING: Final = compiled(r"(?:等|快|超过|近|差不多|整整|足足|将近|已经|用了|花了|过了|要|都)$")


def find(text: str) -> Iterator[Entity]:
    """Value "NUMBER UNIT"; of "3-5 days" the longer one."""
    if text.isascii() and not (has_digit(text) or mentions(text, *_HINTS)):
        return
    for pattern in _ENGLISH:
        for match in pattern.finditer(text):
            yield _entity(match, count(match["count"]) or 0, times_en.unit_of(match["unit"]))
    for match in _CHINESE.finditer(text):
        if _is_duration(text, match):
            half = 0.5 if match["half"] or match["and_half"] else 0
            yield _entity(match, (count(match["count"]) or 0) + half, times_zh.UNITS[match["unit"]])


def _entity(match: re.Match[str], number: float, unit: str) -> Entity:
    if number == 0.5 and unit == "mo":
        number, unit = 15, "d"
    return Entity("duration", f"{number:g} {unit}", *match.span("value"))


def _is_duration(text: str, match: re.Match[str]) -> bool:
    """3月 is March and 26年 a year; 一天 lasts a day only when something takes it."""
    said, unit = match["count"], match["unit"]
    if _NO_COUNT.fullmatch(said) or (unit == "月" and match["ge"] is None):
        return False
    if unit == "年" and said.isdigit() and int(said) > 15:
        return False
    if said == "一" and match["and_half"] is None and unit in ("天", "周", "年", "星期", "礼拜"):
        lasting = _LASTING.search(text[max(0, match.start() - 3) : match.start()])
        return lasting is not None or _ONE_LASTS.match(text, match.end()) is not None
    return True
