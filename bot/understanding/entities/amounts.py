"""Amounts of money and coins, and those of them that are called a fee."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final, Optional

from bot.understanding.entities.entity import AFTER, Entity, alternatives, compiled
from bot.understanding.entities.names import NAMES
from bot.understanding.entities.numerals import CHINESE, FIGURE, chinese_number, plain
from bot.understanding.hints import has_digit

_SIGNS: Final[dict[str, str]] = NAMES["signs"]
_UNITS: Final[dict[str, str]] = {
    word: code for group in ("assets", "currencies") for code, words in NAMES[group].items() for word in words
} | {"u": "USDT", "tron": "TRX"}
_WORDS_WHEN_SMALL: Final = frozenset(NAMES["capitals"]) - frozenset(NAMES["after_number"]) | {"TRY", "ETC", "DASH"}
_CODES: Final = [*NAMES["assets"], *NAMES["currencies"], "ETC"]
_ANY_CASE: Final = [code for code in _CODES if code not in _WORDS_WHEN_SMALL]

_LATIN: Final = alternatives([*_ANY_CASE, *(word for word in _UNITS if word[-1].isalpha() and word.isascii())])
_SIGNED: Final = alternatives([word for word in _UNITS if word.endswith("$")])
_HAN: Final = alternatives([word for word in _UNITS if not word.isascii()])
_UNIT: Final = (
    rf"(?:{_LATIN}|(?-i:{alternatives(sorted(_WORDS_WHEN_SMALL))})){AFTER}|(?:{_HAN})(?![旦素老链])|[{''.join(_SIGNS)}]"
)
_MULTIPLE: Final = (
    r"(?:k|m|mil|million|thousand|billion|bn|grand|lakh|crore)(?![A-Z])|十万|百万|千万|亿|万|千|百"
    r"|w(?=[ ]?(?:u|个|块|元|刀|美|人|rmb))"
)
_MEASURE: Final = r"[ ]?(?:多|余)?[ ]?(?:个|枚)?[ ]?"
_NUMBER_FIRST: Final = compiled(
    rf"(?<![A-Z0-9_])(?<![0-9][.,])(?P<number>{FIGURE})[ ]?(?P<multiple>{_MULTIPLE})?{_MEASURE}(?P<unit>{_UNIT})"
)
_PREFIXES: Final = [code for code in (*NAMES["currencies"], "RMB", "USDT", "USDC") if code != "TRY"]
_UNIT_FIRST: Final = compiled(
    rf"(?:(?<![A-Z])(?:{_SIGNED})|[{''.join(_SIGNS)}]|人民币|(?<![A-Z0-9])(?:{'|'.join(_PREFIXES)}))"
    rf"[ ]?(?P<number>{FIGURE})(?:[ ]?(?P<multiple>{_MULTIPLE}))?"
    r"(?![A-Z0-9_%]|[.,][0-9]|-[0-9]|[ ]?(?:days?|hours?|weeks?|months?|times|天|小时|次|个月|年|月|日|号))"
    rf"(?!{_MEASURE}(?:{_UNIT}))"
)
_IN_CHINESE: Final = compiled(
    rf"(?<![0-9.几数好上成第多近这那点{CHINESE[1:-1]}])(?P<number>(?![百千万亿]){CHINESE}{{1,10}}){_MEASURE}(?P<unit>(?:u){AFTER}|{_LATIN}{AFTER}|{_HAN})(?![旦素老链儿])"
)
_LOOSE: Final = frozenset(["块", "元", "圆", "刀"])
"""Units that are other words as well: "这一块", "二元期权", "一刀切". Small numbers in characters are no proof."""

_FEE: Final = (
    r"(?:(?:network|withdrawal|transaction|trading|transfer|gas|miner|handling|service|funding|maker|taker) )?"
    r"(?:fees?|commissions?|gas)(?![A-Z])|手续费|矿工费|网络费|服务费|资金费|佣金|手續費|gas费|费率"
)
_FEE_BEFORE: Final = compiled(
    rf"(?:{_FEE})"
    r"(?: ?(?:率|is|was|of|were|are|about|to|是|为|收了?我?|扣了?我?|要|就|高达|竟然|居然|花了?|[:=])){0,3} ?$"
)
_FEE_AFTER: Final = compiled(rf"(?: (?:in|as|for|of)(?: an?| the)?)? ?(?:的)?(?:{_FEE})")
_RATE: Final = compiled(rf"(?<![A-Z0-9_.,])(?P<number>{FIGURE}) ?(?:%|percent)")


def find(text: str) -> Iterator[Entity]:
    """Value "NUMBER UNIT"; of a rate that is a fee "NUMBER %"."""
    if text.isascii() and not has_digit(text):
        return
    for match in _UNIT_FIRST.finditer(text):
        unit = match.group()[: match.start("number") - match.start()].strip()
        yield _entity(text, match, plain(match["number"], match["multiple"]), unit)
    for match in _NUMBER_FIRST.finditer(text):
        if not _is_slang(text, match):
            yield _entity(text, match, plain(match["number"], match["multiple"]), match["unit"])
    for match in _IN_CHINESE.finditer(text):
        if not (match["unit"] in _LOOSE and len(match["number"]) == 1):
            yield _entity(text, match, str(chinese_number(match["number"])), match["unit"])
    for match in _RATE.finditer(text):
        if _is_fee(text, match):
            yield Entity("fee", f"{plain(match['number'])} %", match.start(), match.end())


def _entity(text: str, match: re.Match[str], number: str, unit: str) -> Entity:
    return Entity("fee" if _is_fee(text, match) else "amount", f"{number} {_code(unit)}", match.start(), match.end())


def _code(unit: str) -> str:
    return _SIGNS.get(unit) or _UNITS.get(unit.lower()) or unit.upper()


def _is_fee(text: str, match: re.Match[str]) -> bool:
    before = text[max(0, match.start() - 40) : match.start()]
    return _FEE_BEFORE.search(before) is not None or _FEE_AFTER.match(text, match.end()) is not None


def _is_slang(text: str, match: re.Match[str]) -> bool:
    """ "Talk 2 u" and "waiting 4 u" are no money; "转了2u" is."""
    if match["unit"] != "u" or match["number"] not in ("2", "4"):
        return False
    before: Optional[str] = text[: match.start()].rstrip()[-1:]
    return not before or before.isascii()
