"""Card numbers in a text: the first digits name an issuer, and the last one must be right."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from functools import lru_cache
from itertools import accumulate
from typing import Final

from bot.understanding.hints import digits_in, mentions

_RUN: Final = re.compile(
    r"(?:(?<![A-Za-z0-9_$-])|(?<=[Cc]ard)|(?<=[Vv]isa))(?<![0-9][.,])"
    r"(?:[0-9]{4}(?:\.[0-9]{4}){3}|[0-9]+(?:[ \t\u00a0·_‐‑–—-]{1,3}[0-9]+)*)(?![0-9A-Za-z_])"
)
_BLOCK: Final = re.compile("[0-9]+")
_SHORTEST: Final = 13
_ISSUERS: Final = (
    (re.compile("4"), (13, 16, 19)),  # Visa
    (re.compile("5[1-5]|222[1-9]|22[3-9]|2[3-6]|27[01]|2720"), (16,)),  # Mastercard
    (re.compile("3[47]"), (15,)),  # American Express
    (re.compile("62|81"), (16, 17, 18, 19)),  # UnionPay
    (re.compile("6011|64[4-9]|65"), (16, 19)),  # Discover
    (re.compile("35(?:2[89]|[3-8])"), (16, 19)),  # JCB
    (re.compile("30[0-5]|3[689]"), (14, 16, 19)),  # Diners Club
    (re.compile("220[0-4]|9792|50|5[6-9]|6"), (16, 18, 19)),  # Mir, Troy, Maestro, RuPay
)
"""Issuers by their first digits (ISO/IEC 7812) and how long their numbers are."""
_DOUBLED: Final = {digit: sum(divmod(2 * int(digit), 10)) for digit in "0123456789"}
_CALLED_OTHERWISE: Final = re.compile(
    r"(?:order|trade|uid|user|account id|tx|hash|transaction|case|ticket|tracking|ref|reference|phone|mobile|tel"
    r"|whatsapp|timestamp|imei|订单|訂單|单号|單號|流水|编号|編號|用户|用戶|电话|電話|手机|手機|哈希|身份证|身份證"
    r"|时间戳|工单|案件)[a-z ]{0,12}(?:id|no|number|#|号|號|号码|號碼)?(?:为|是|is|was)?[\s.:：#=为是]{0,4}$",
    re.IGNORECASE,
)
_REACH: Final = 40
_CARD: Final = re.compile("card|visa|master|amex|unionpay|卡", re.IGNORECASE)
_UNIT: Final = re.compile(r"\s?(?:USDT|USDC|SHIB|PEPE|wei|satoshi|sats|gwei)(?![a-z])|[.,][0-9]", re.IGNORECASE)
_SECURITY_CODE: Final = re.compile(
    r"(?<![A-Za-z])(?:cvv2?|cvc2?|cvn|安全码|安全碼)(?:\s?(?:code|number|码|is|was|是|为))?[\s:=#]{0,3}"
    r"(?P<value>[0-9]{3,4})(?![0-9A-Za-z%])",
    re.IGNORECASE,
)
_HINTS: Final = ("cv", "安全")
"""One of them is in every name of a security code."""


def find_cards(text: str) -> Iterator[tuple[int, int]]:
    """Where card numbers and their security codes stand in `text`. Linear."""
    if digits_in(text) >= _SHORTEST:
        for run in _RUN.finditer(text):
            if run.end() - run.start() >= _SHORTEST and not _is_something_else(text, run):
                yield from _cards(text, run)
    if mentions(text, *_HINTS):
        for match in _SECURITY_CODE.finditer(text):
            yield match.span("value")


def _cards(text: str, run: re.Match[str]) -> Iterator[tuple[int, int]]:
    """They begin and end with a block: "4111 1111 1111 1111" is found behind another number, too."""
    blocks = [match.span() for match in _BLOCK.finditer(text, run.start(), run.end())]
    digits = "".join(text[start:end] for start, end in blocks)
    ends = list(accumulate(end - start for start, end in blocks))
    stops = {place: end for place, (_, end) in zip(ends, blocks, strict=True)}
    taken = 0
    for place, (start, _) in zip([0, *ends[:-1]], blocks, strict=True):
        if place < taken:
            continue
        for length in _lengths(digits[place : place + 4]):
            if place + length in stops and is_card(digits[place : place + length]):
                taken = place + length
                yield start, stops[taken]
                break


def is_card(digits: str) -> bool:
    """An issuer's first digits, a length that it gives out, and the check digit of Luhn (ISO/IEC 7812-1)."""
    if len(digits) not in _lengths(digits[:4]):
        return False
    doubled = sum(_DOUBLED[digit] for digit in digits[-2::-2])
    return (doubled + sum(map(int, digits[-1::-2]))) % 10 == 0


@lru_cache(maxsize=10_000)
def _lengths(first: str) -> Sequence[int]:
    """How long card numbers are that begin with these four digits, longest first."""
    found = {length for issuer, lengths in _ISSUERS if issuer.match(first) for length in lengths}
    return sorted(found, reverse=True)


def _is_something_else(text: str, run: re.Match[str]) -> bool:
    """An order, a user, a telephone, when it is called so right before; an amount, by what follows."""
    if _UNIT.match(text, run.end()):
        return True
    named = _CALLED_OTHERWISE.search(text[max(0, run.start() - _REACH) : run.start()])
    return named is not None and not _CARD.search(named.group())
