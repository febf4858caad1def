"""Private keys and API secrets in a text.

Some tell by themselves what they are. The rest are long tokens like any transaction hash or address: what the text
calls them decides, and of two names the one nearer before the token.
"""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Iterator
from hashlib import sha256
from typing import Final, Optional

from bot.understanding.hints import mentions

Found = Iterator[tuple[str, int, int]]
"""Kind, start, end."""

_B: Final = r"(?<![A-Za-z0-9])"
_A: Final = r"(?![A-Za-z0-9])"
_58: Final = "[1-9A-HJ-NP-Za-km-z]"
_BASE58: Final = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"

_PLAIN_PRIVATE: Final = re.compile(
    # PEM (RFC 7468); where its end is missing, all that can belong to it.
    r"-----BEGIN [A-Z ]{0,20}PRIVATE KEY-----[A-Za-z0-9+/=\s:,.-]*?"
    r"(?:-----END [A-Z ]{0,20}PRIVATE KEY-----|\Z|(?=[^\sA-Za-z0-9+/=:,.-]))"
    rf"|{_B}[xyztuv]prv{_58}{{90,120}}"  # BIP-32 and its kin
    rf"|{_B}S[A-D][A-Z2-7]{{54}}{_A}"  # Stellar
    r"|\[\s?(?:[0-9]{1,3}\s?,\s?){63}[0-9]{1,3}\s?\]"  # Solana's key file
)
_CHECKED: Final = re.compile(rf"{_B}(?:[59]{_58}{{50}}|[KLc]{_58}{{51}}|6P{_58}{{56}}){_A}")
"""The formats with a checksum: WIF, plain and compressed, and BIP-38."""
_PLAIN_API: Final = re.compile(
    rf"otpauth://[^\s\ue000]{{8,400}}"
    rf"|{_B}(?:A[KS]IA[A-Z0-9]{{16}}|[sr]k_(?:live|test)_[A-Za-z0-9]{{16,120}}|gh[pousr]_[A-Za-z0-9]{{36,80}}"
    r"|xox[abeoprs]-[A-Za-z0-9-]{20,120}|AIza[A-Za-z0-9_-]{35}|[0-9]{8,10}:AA[A-Za-z0-9_-]{33}"
    r"|eyJ[A-Za-z0-9_-]{10,2000}\.eyJ[A-Za-z0-9_-]{10,4000}\.[A-Za-z0-9_-]{0,2000})"
)

_TOKEN: Final = re.compile(r"(?<![A-Za-z0-9+/_.@-])[A-Za-z0-9+/_-]{16,200}={0,2}(?![A-Za-z0-9+/_@-]|\.[A-Za-z])")
_REACH: Final = 90
"""Characters before a token in which it is named; behind it a third."""
_NAME: Final = re.compile(
    r"(?P<private>(?:private|priv|wallet|spend|signing)[ _-]?keys?|私钥|私鑰|私匙|钱包密钥|錢包密鑰)"
    r"|(?P<public>public[ _-]?key|公钥|公鑰|key[ _-]?id"
    r"|(?<![a-z])(?:tx|order|id|uid|uuid|ref|reference|ticket|case|url|link|file)(?![a-z])|tx[ _-]?(?:id|hash|n)"
    r"|transaction|hash|address|block|contract|trace|session|deposit"
    r"|哈希|交易(?:号|號|id|记录|編號|编号)|订单|訂單|单号|單號|流水号|地址|区块|合约|链接|文件|充值|提现|提币)"
    r"|(?P<api>api[ _-]?(?:key|secret|pass|token)|secret|access[ _-]?(?:key|token)|bearer"
    r"|(?:2fa|google|authenticator|auth|setup|totp)[ _-]?key"
    r"|api ?私|密钥|密鑰|秘钥|秘鑰|金鑰|令牌|验证器|驗證器)",
    re.IGNORECASE,
)
_ADDRESS: Final = re.compile(
    r"0x[0-9a-fA-F]{40}|(?:bc|tb|ltc)1[a-z0-9]{11,87}|addr1[a-z0-9]{50,110}|(?:cosmos|terra|osmo)1[a-z0-9]{38,58}"
    rf"|T{_58}{{33}}|[13LMDr]{_58}{{24,34}}"
)
_UUID: Final = re.compile(r"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
_PRIVATE_TOKEN: Final = re.compile(r"(?:0x)?[0-9a-fA-F]{56,72}|[A-Za-z0-9+/_-]{40,200}={0,2}")
_PIECE: Final = re.compile(r"[A-Za-z0-9]{16,}|[A-Za-z0-9+/_-]{32,}={0,2}")
_BASE32: Final = re.compile(r"[A-Z2-7]{16,64}")
_HEX_IN_BLOCKS: Final = re.compile(
    rf"{_B}(?:0x)?[0-9a-fA-F]{{2,32}}(?:[ \t\r\n-]{{1,2}}[0-9a-fA-F]{{2,32}}){{1,31}}{_A}"
)
_BASE32_IN_BLOCKS: Final = re.compile(
    r"(?:key|secret|密[钥鑰]|秘[钥鑰])[^A-Za-z0-9]{1,6}(?:is |是)?"
    rf"(?P<value>(?:[A-Z2-7]{{4}}[ -]){{3,12}}[A-Z2-7]{{4}}){_A}",
    re.IGNORECASE,
)
_LONG: Final = re.compile(r"[A-Za-z0-9+/=_-]{16}")
_HINTS: Final = ("key", "secret", "密", "秘", "私", "begin", "otpauth", "eyj", "[")
"""Every key is a long run of its letters, or is announced by one of these."""


def find_keys(text: str) -> Found:
    """Private keys and API secrets of `text`; they may overlap. Linear."""
    if _LONG.search(text) or mentions(text, *_HINTS):
        yield from _keys(text)


def _keys(text: str) -> Found:
    for match in _PLAIN_PRIVATE.finditer(text):
        yield "private_key", *match.span()
    for match in _PLAIN_API.finditer(text):
        yield "api_secret", *match.span()
    for match in _CHECKED.finditer(text):
        if _base58_holds(match.group()):
            yield "private_key", *match.span()
    for match in _TOKEN.finditer(text):
        kind = _kind(text, match)
        if kind is not None:
            yield kind, *match.span()
    yield from _in_blocks(text)


def _kind(text: str, token: re.Match[str]) -> Optional[str]:
    """What the text calls the token, if that is a secret and the token can be one."""
    called = _called(text, token.start(), token.end())
    if called is None or called == "public" or _ADDRESS.fullmatch(token.group()):
        return None
    if called == "private" and _PRIVATE_TOKEN.fullmatch(token.group()) and _is_mixed(token.group()):
        return "private_key"
    return "api_secret" if _can_be_secret(token.group()) else None


def _called(text: str, start: int, end: int) -> Optional[str]:
    """ "private", "api" or "public", by the last name before it or else the first one behind."""
    last = deque(_NAME.finditer(text, max(0, start - _REACH), start), maxlen=1)
    named = last[0] if last else _NAME.search(text, end, end + _REACH // 3)
    return None if named is None else named.lastgroup


def _can_be_secret(token: str) -> bool:
    """Long and mixed, not made of words: "create_order_v2_test" is a name."""
    if _UUID.fullmatch(token) or (_BASE32.fullmatch(token) and not token.isalpha()):
        return True
    return any(_is_mixed(piece.group()) for piece in _PIECE.finditer(token))


def _is_mixed(token: str) -> bool:
    digits = sum(character.isdigit() for character in token)
    return digits >= 2 and any(character.isalpha() for character in token)


def _in_blocks(text: str) -> Found:
    """As some wallets and Google's authenticator show their keys."""
    for match in _BASE32_IN_BLOCKS.finditer(text):
        if _is_mixed(match.group("value")):
            yield "api_secret", *match.span("value")
    for match in _HEX_IN_BLOCKS.finditer(text):
        digits = re.sub("0x|[^0-9A-Fa-f]", "", match.group())
        if len(digits) in (64, 128) and _called(text, *match.span()) == "private":
            yield "private_key", *match.span()


def _base58_holds(key: str) -> bool:
    """Base58Check: the last four bytes are the first of a double SHA-256 of the others."""
    number = 0
    for character in key:
        number = number * 58 + _BASE58.index(character)
    data = number.to_bytes(len(key), "big").lstrip(b"\0")
    return sha256(sha256(data[:-4]).digest()).digest()[:4] == data[-4:]
