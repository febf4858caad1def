"""Numbers as digits, with thousands and multiples, and as words in both languages."""

from __future__ import annotations

import re
from decimal import Context, Decimal
from typing import Final, Optional

FIGURE: Final = (
    r"0,[0-9]{1,18}"  # a decimal comma
    r"|[0-9]{1,3}(?:,[0-9]{3}){1,6}(?:\.[0-9]{1,18})?(?![0-9])"
    r"|[0-9]{1,2}(?:,[0-9]{2}){1,5},[0-9]{3}(?:\.[0-9]{1,18})?(?![0-9])"  # lakh and crore
    r"|[0-9]{1,3}(?:\.[0-9]{3}){1,6},[0-9]{1,2}(?![0-9])"
    r"|[0-9]{1,9},[0-9]{1,2}(?![0-9])"
    r"|[0-9]{0,18}\.[0-9]{1,18}|[0-9]{1,18}"
)
"""Eighteen digits before and behind the point: more is no number of anything."""
CHINESE: Final = "[〇零一二两三四五六七八九十百千万亿]"
ENGLISH: Final = {
    "a": 1, "an": 1, "one": 1, "two": 2, "three": 3, "four": 4, "five": 5, "six": 6, "seven": 7, "eight": 8,
    "nine": 9, "ten": 10, "eleven": 11, "twelve": 12, "fourteen": 14, "fifteen": 15, "twenty": 20, "thirty": 30,
    "a couple of": 2, "a couple": 2, "couple of": 2, "couple": 2, "a dozen": 12,
}  # fmt: skip
_POWERS: Final = {"百": 2, "千": 3, "万": 4, "亿": 8, "十万": 5, "百万": 6, "千万": 7, "k": 3, "w": 4, "m": 6, "b": 9}
_WORDS: Final = {"thousand": 3, "million": 6, "billion": 9, "grand": 3, "mil": 6, "bn": 9, "lakh": 5, "crore": 7}
MULTIPLES: Final = {**_POWERS, **_WORDS}
_DIGITS: Final = {character: value for value, character in enumerate("零一二三四五六七八九")} | {"两": 2, "〇": 0}
_TENS: Final = {"十": 10, "百": 100, "千": 1000}
_EXACT: Final = Context(prec=80)


def plain(figure: str, multiple: Optional[str] = None) -> str:
    """ "1,200.50" is "1200.5", "1.200,50" too; with the multiple "万" 1.25 is "12500". As records write amounts."""
    if re.fullmatch(r"0,[0-9]+|[0-9.]*,[0-9]{1,2}", figure):
        figure = figure.replace(".", "").replace(",", ".")
    number = Decimal(figure.replace(",", ""))
    written = f"{number.scaleb(MULTIPLES.get((multiple or '').lower(), 0), _EXACT):f}"
    return written.rstrip("0").rstrip(".") if "." in written else written


def chinese_number(word: str) -> int:
    """ "十五" is 15, "一万二" 12000, "三百零五" 305, and digit by digit "二〇二六" is 2026."""
    if len(word) > 1 and all(character in _DIGITS for character in word):
        return int("".join(str(_DIGITS[character]) for character in word))
    total = section = digit = 0
    last = 1
    for character in word:
        if character in _DIGITS:
            digit, last = _DIGITS[character], 1 if character in "零〇" else last
        elif character in _TENS:
            last = _TENS[character]
            section, digit = section + (digit or 1) * last, 0
        else:
            last = 10_000 if character == "万" else 100_000_000
            total, section, digit = total + (section + digit or 1) * last, 0, 0
    return total + section + digit * (last // 10 if last >= 100 else 1)


def count(word: str) -> Optional[float]:
    """A small number as either language writes it; None where it is no number ("few", "几")."""
    if re.fullmatch(r"[0-9]+(?:\.[0-9]+)?", word):
        return float(word)
    if word.lower() in ENGLISH:
        return ENGLISH[word.lower()]
    if word in ("半", "half a", "half an"):
        return 0.5
    return float(chinese_number(word)) if re.fullmatch(f"{CHINESE}+", word) else None
