"""Which things does a text name?

Every pattern runs in linear time and looks at neighbouring characters in ASCII only, so that it also finds an
identifier inside Chinese text, where no space sets it off.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final

from bot.understanding.folding import fold_in_place

AT_MOST: Final = 50
"""Entities kept of one text; more is a list or an attack, and a person reads it whole."""

_READ_AT_MOST: Final = 40_000


@dataclass(frozen=True)
class Entity:
    """One thing named in a text; `start` and `end` are offsets into the text as given.

    Kinds: case_number, uid, order_id, tx_hash, address, amount, asset, network, email, phone.
    `value` is normalised: upper case for case numbers, assets and networks, "NUMBER UNIT" for amounts.
    """

    kind: str
    value: str
    start: int
    end: int


_ASSETS: Final = (
    "BTC|ETH|USDT|USDC|BNB|SOL|XRP|DOGE|ADA|TRX|TON|DOT|LTC|BCH|ETC|EOS|ATOM|AVAX|MATIC|POL|SHIB|PEPE|LINK|UNI|"
    "XLM|FIL|NEAR|APT|ARB|SUI|DAI|FDUSD|TUSD|WIF|ALGO|XMR|HBAR|ICP|SAND|MANA|KAS"
)
_CURRENCIES: Final = "USD|EUR|GBP|CNY|RMB|HKD|TWD|JPY|SGD|AUD|CAD|INR|NGN|TRY|BRL|RUB|VND|IDR|KRW|THB|PHP|CHF"
_NETWORKS: Final = (
    "TRC-?20|ERC-?20|BEP-?20|BEP-?2|BSC|OMNI|ARBITRUM(?: ONE)?|OPTIMISM|POLYGON|AVAX-?C|SOLANA|LIGHTNING|SEGWIT|"
    "TRON|ETHEREUM|BASE CHAIN|BNB CHAIN|POLKADOT|APTOS"
)
_NAMES: Final = {
    "比特币": "BTC", "以太坊": "ETH", "以太币": "ETH", "泰达币": "USDT", "狗狗币": "DOGE", "莱特币": "LTC",
    "bitcoin": "BTC", "ether": "ETH", "tether": "USDT", "dogecoin": "DOGE", "litecoin": "LTC", "ripple": "XRP",
}  # fmt: skip
_NETWORK_NAMES: Final = {"波场": "TRON", "以太坊": "ETHEREUM"}
_UNITS: Final = {
    "人民币": "CNY", "元": "CNY", "块钱": "CNY", "块": "CNY", "美元": "USD", "美金": "USD", "刀": "USD",
    "港币": "HKD", "欧元": "EUR", "英镑": "GBP", "dollars": "USD", "dollar": "USD", "bucks": "USD",
    "euros": "EUR", "euro": "EUR", "pounds": "GBP", "yuan": "CNY", "u": "USDT", "个u": "USDT",
}  # fmt: skip
_SIGNS: Final = {"$": "USD", "€": "EUR", "£": "GBP", "¥": "CNY", "₦": "NGN", "₹": "INR"}
_NUMBER: Final = r"[0-9]{1,3}(?:,[0-9]{3}){1,6}(?:\.[0-9]{1,18})?|[0-9]{1,18}(?:\.[0-9]{1,18})?"
_BEFORE: Final = r"(?<![A-Za-z0-9_])"
_AFTER: Final = r"(?![A-Za-z0-9_])"
_MULTIPLES: Final = {"k": "000", "万": "0000", "千": "000"}


def _alternatives(words: dict[str, str]) -> str:
    return "|".join(sorted(map(re.escape, words), key=len, reverse=True))


def _compiled(pattern: str) -> re.Pattern[str]:
    return re.compile(pattern, re.IGNORECASE | re.ASCII)


def _plain(match: re.Match[str]) -> str:
    return match.group("value")


def _case_number(match: re.Match[str]) -> str:
    return f"RD-{match.group('one')}-{match.group('two')}".upper()


def _asset(match: re.Match[str]) -> str:
    return _NAMES.get(match.group().lower(), match.group().upper())


def _network(match: re.Match[str]) -> str:
    name = match.group()
    return _NETWORK_NAMES.get(name) or name.upper().replace("-", "")


def _phone(match: re.Match[str]) -> str:
    return re.sub(r"[^0-9+]", "", match.group())


def _amount(match: re.Match[str]) -> str:
    """ "$1,200.50" and "1200.50美元" are both "1200.50 USD"; "3万u" is "30000 USDT"."""
    parts = match.groupdict()
    number = (parts["after_sign"] or parts["number"]).replace(",", "")
    zeros = _MULTIPLES.get((parts["multiple"] or parts["sign_multiple"] or "").lower(), "")
    if zeros:
        whole, _, fraction = number.partition(".")
        shifted = fraction.ljust(len(zeros), "0")
        number = f"{whole}{shifted[: len(zeros)]}.{shifted[len(zeros) :]}".rstrip(".")
    if parts["sign"]:
        return f"{number} {_SIGNS[parts['sign']]}"
    unit = parts["unit"].lower()
    return f"{number} {_UNITS.get(unit) or _NAMES.get(unit) or unit.upper()}"


_UNIT: Final = rf"(?:{_ASSETS}|{_CURRENCIES})(?![A-Za-z0-9_])|{_alternatives(_UNITS | _NAMES)}"
_LATIN_NAMES: Final = "|".join(name for name in _NAMES if name.isascii())
_CHINESE_NAMES: Final = "|".join(name for name in _NAMES if not name.isascii())
_IS: Final = r"(?: is|是|为)?[ :#=]{0,3}"
_BASE58: Final = "[1-9A-HJ-NP-Za-km-z]"

_EMAIL: Final = rf"{_BEFORE}(?P<value>[A-Z0-9._%+-]{{1,64}}@[A-Z0-9-]{{1,63}}(?:\.[A-Z0-9-]{{1,63}}){{1,4}})"
# Any letter may stand in it: a number that was misheard is answered too. A dash after RD is proof enough; with
# spaces alone "rd hello world" must not pass, so a digit is asked for.
_CASE: Final = (
    rf"{_BEFORE}RD(?:[ ]?[-–—_][ ]?|(?=[ ]?[A-Z ]{{0,11}}[0-9])[ ]?)"
    rf"(?P<one>[A-Z0-9]{{5}})[ ]?[-–—_]?[ ]?(?P<two>[A-Z0-9]{{5}}){_AFTER}"
)
_HASH: Final = rf"{_BEFORE}(?P<value>0x[0-9a-f]{{64}}|[0-9a-f]{{64}}){_AFTER}"
_ADDRESS: Final = rf"{_BEFORE}(?P<value>0x[0-9a-f]{{40}}|bc1[a-z0-9]{{11,87}}){_AFTER}"
# Base58 addresses are told apart from words by their capitals, so this one respects case.
_BASE58_ADDRESS: Final = (
    rf"{_BEFORE}(?P<value>T{_BASE58}{{33}}|[13](?=[1-9a-z]{{0,34}}[A-Z]){_BASE58}{{25,34}}){_AFTER}"
)
_UID: Final = (
    rf"{_BEFORE}(?:uid|user ?id|用户 ?id|账号 ?id)[ ]?(?:number|号码|号)?{_IS}(?P<value>[0-9]{{5,12}}){_AFTER}"
)
_ORDER: Final = (
    rf"(?:{_BEFORE}order|订单|单号|流水号)[ ]?(?:id|number|no\.?|num|编号|号码|号)?{_IS}"
    rf"(?P<value>(?=[A-Z_-]{{0,12}}[0-9])[A-Z0-9_-]{{6,40}}){_AFTER}"
)
_AMOUNT: Final = (
    rf"(?P<sign>[$€£¥₦₹])[ ]?(?P<after_sign>{_NUMBER})(?P<sign_multiple>k{_AFTER}|万)?"
    rf"|(?<![A-Za-z0-9_.,])(?P<number>{_NUMBER})[ ]?(?P<multiple>k(?![A-Z])|万|千)?"
    rf"[ ]?(?:个|枚)?[ ]?(?P<unit>{_UNIT}){_AFTER}"
)
_NETWORK: Final = rf"{_BEFORE}(?:{_NETWORKS}){_AFTER}|波场|以太坊(?=网络|主网|链)"
_ASSET: Final = rf"{_BEFORE}(?:{_ASSETS}|{_LATIN_NAMES}){_AFTER}|{_CHINESE_NAMES}"
_PHONE: Final = (
    r"(?<![A-Za-z0-9_.+-])(?:\+[0-9]{1,3}[ -]?(?:[0-9]{2,5}[ -]?){2,4}[0-9]{2,4}"
    r"|1[3-9][0-9][ -]?[0-9]{4}[ -]?[0-9]{4})(?![A-Za-z0-9_])"
)
_PATTERNS: Final[tuple[tuple[str, re.Pattern[str], Callable[[re.Match[str]], str]], ...]] = (
    ("email", _compiled(_EMAIL), _plain),
    ("case_number", _compiled(_CASE), _case_number),
    ("tx_hash", _compiled(_HASH), _plain),
    ("address", _compiled(_ADDRESS), _plain),
    ("address", re.compile(_BASE58_ADDRESS, re.ASCII), _plain),
    ("uid", _compiled(_UID), _plain),
    ("order_id", _compiled(_ORDER), _plain),
    ("amount", _compiled(_AMOUNT), _amount),
    ("network", _compiled(_NETWORK), _network),
    ("asset", _compiled(_ASSET), _asset),
    ("phone", _compiled(_PHONE), _phone),
)
"""Kind, pattern and how to normalise a match; an earlier kind keeps its characters from a later one."""


def find_entities(text: str) -> tuple[Entity, ...]:
    """The entities of a text in the order they stand, at most `AT_MOST`.

    They do not overlap: the kind that comes first in `_PATTERNS` wins. Only the first 40,000 characters are read.
    """
    taken: list[Entity] = []
    covered = bytearray(min(len(text), _READ_AT_MOST))
    for entity in _all(fold_in_place(text[:_READ_AT_MOST])):
        if not any(covered[entity.start : entity.end]):
            covered[entity.start : entity.end] = b"\x01" * (entity.end - entity.start)
            taken.append(entity)
    return tuple(sorted(taken, key=lambda entity: entity.start)[:AT_MOST])


def _all(text: str) -> Iterator[Entity]:
    for kind, pattern, value_of in _PATTERNS:
        for match in pattern.finditer(text):
            whole = "value" not in pattern.groupindex
            start, end = match.span() if whole else match.span("value")
            yield Entity(kind, value_of(match), start, end)
