"""How long, in days, does a text say that something has been going on?"""

from __future__ import annotations

import re
from typing import Final

from bot.understanding.folding import fold

_ENGLISH: Final = re.compile(
    r"(?<!within )(?<!every )(?<!next )(?<!per )(?<!first )\b"
    r"(?P<count>[0-9]{1,3}|an?|one|two|three|four|five|six|seven|eight|nine|ten|twelve|fifteen|twenty|thirty"
    r"|several|(?:a )?few|(?:a )?couple(?: of)?|many)\+?(?: more than| over)?(?: \w{4,8})?[ -]?"
    r"(?P<unit>hours?|hrs?|days?|weeks?|wks?|months?)\b"
)
_CHINESE: Final = re.compile(
    r"(?<!每)(?<!近)(?P<count>[0-9]{1,3}|[一二两三四五六七八九十]{1,3}|好几|几|半|数)多?个?多?(?:工作)?"
    r"(?P<unit>小时|天|周|星期|礼拜|(?<=[个多])月)(?!内|之内|以内|前注册)"
)
_SAID: Final = {
    "the day before yesterday": 2, "last week": 7, "last month": 30, "for weeks": 14, "for months": 60,
    "for days": 3, "for ages": 7, "weeks ago": 14, "前天": 2, "大前天": 3, "上周": 7, "上星期": 7, "上礼拜": 7,
    "上个星期": 7, "上个礼拜": 7, "上个月": 30, "上月": 30,
}  # fmt: skip
_HINTS: Final = ("hour", "hr", "day", "week", "wk", "month", "ages")
"""What is said in English has one of these."""
_ENGLISH_COUNTS: Final = {
    "a": 1, "an": 1, "one": 1, "two": 2, "three": 3, "four": 4, "five": 5, "six": 6, "seven": 7, "eight": 8,
    "nine": 9, "ten": 10, "twelve": 12, "fifteen": 15, "twenty": 20, "thirty": 30, "several": 3, "few": 3,
    "a few": 3, "couple": 2, "a couple": 2, "couple of": 2, "a couple of": 2, "many": 5,
}  # fmt: skip
_DIGITS: Final = {character: value for value, character in enumerate("零一二三四五六七八九")} | {"两": 2}
_DAYS: Final = {
    "h": 1 / 24, "小": 1 / 24, "d": 1.0, "天": 1.0, "w": 7.0, "周": 7.0, "星": 7.0, "礼": 7.0, "m": 30.0, "月": 30.0,
}  # fmt: skip


def days_in(text: str) -> float:
    """The longest stretch of time named in the text, in days; 0 when none is. "24/7" and "within 3 days" are none."""
    folded = fold(text)
    if folded.isascii() and not any(word in folded for word in _HINTS):
        return 0.0
    spans = [_days(match) for pattern in (_ENGLISH, _CHINESE) for match in pattern.finditer(folded)]
    spans += [float(days) for phrase, days in _SAID.items() if phrase in folded]
    return max(spans, default=0.0)


def _days(match: re.Match[str]) -> float:
    return _count(match.group("count")) * _DAYS[match.group("unit")[0]]


def _count(word: str) -> float:
    if word.isdigit():
        return float(word)
    if word in _ENGLISH_COUNTS:
        return float(_ENGLISH_COUNTS[word])
    return {"半": 0.5, "几": 3.0, "好几": 4.0, "数": 3.0}.get(word) or _chinese_count(word)


def _chinese_count(word: str) -> float:
    """ "十五" is 15, "二十" is 20, "三" is 3."""
    tens, ten, ones = word.rpartition("十")
    if not ten:
        return float(_DIGITS.get(word[-1], 1))
    return 10.0 * _DIGITS.get(tens, 1) + _DIGITS.get(ones, 0)
