"""The checksums that addresses carry: a slip of the finger is told from an address, and one chain from another.

Each is a page of a specification that has not changed for years. What packages there are, docs/decisions/0016 says.
"""

from __future__ import annotations

import base64
import binascii
from hashlib import blake2b, sha256
from typing import Final, Optional

BITCOIN_ALPHABET: Final = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"
RIPPLE_ALPHABET: Final = "rpshnaf39wBUDNEGHJKLM4PQRST7VWXYZ2bcdeCg65jkm8oFqi1tuvAxyz"
_BECH32: Final = "qpzry9x8gf2tvdw0s3jn54khce6mua7l"
_GENERATORS: Final = (0x3B6A57B2, 0x26508E6D, 0x1EA119FA, 0x3D4233DD, 0x2A1462B3)
_CASH_GENERATORS: Final = (0x98F2BC8E61, 0x79B76D99E2, 0xF33E5FB3C4, 0xAE2EABE2A8, 0x1E4F43E470)


def base58(text: str, alphabet: str = BITCOIN_ALPHABET) -> Optional[bytes]:
    """The bytes that a base58 text stands for; None when it is none."""
    number = 0
    for character in text:
        digit = alphabet.find(character)
        if digit < 0:
            return None
        number = number * 58 + digit
    zeros = len(text) - len(text.lstrip(alphabet[0]))
    return bytes(zeros) + number.to_bytes((number.bit_length() + 7) // 8, "big")


def base58check_version(text: str, alphabet: str = BITCOIN_ALPHABET) -> Optional[int]:
    """The version byte of 25 bytes with a right double SHA-256; None otherwise."""
    data = base58(text, alphabet)
    if data is None or len(data) != 25 or sha256(sha256(data[:-4]).digest()).digest()[:4] != data[-4:]:
        return None
    return data[0]


def bech32_prefix(text: str) -> Optional[str]:
    """The part before the last "1" of a right bech32 or bech32m text (BIP 173, BIP 350)."""
    lowered = text.lower()
    prefix, one, data = lowered.rpartition("1")
    if text not in (lowered, text.upper()) or not one or len(data) < 6 or not set(data) <= set(_BECH32):
        return None
    expanded = [ord(c) >> 5 for c in prefix] + [0] + [ord(c) & 31 for c in prefix]
    check = _polymod([*expanded, *map(_BECH32.index, data)], _GENERATORS, 25)
    return prefix if check in (1, 0x2BC830A3) else None


def is_cash_address(text: str) -> bool:
    """A Bitcoin Cash address, with or without its prefix (the CashAddr specification)."""
    payload = text.lower().removeprefix("bitcoincash:")
    if len(payload) != 42 or not set(payload) <= set(_BECH32):
        return False
    expanded = [ord(c) & 31 for c in "bitcoincash"] + [0]
    return _polymod([*expanded, *map(_BECH32.index, payload)], _CASH_GENERATORS, 35) == 1


def _polymod(values: list[int], generators: tuple[int, ...], width: int) -> int:
    check = 1
    for value in values:
        top = check >> width
        check = (check & ((1 << width) - 1)) << 5 ^ value
        for place, generator in enumerate(generators):
            check ^= generator if top >> place & 1 else 0
    return check


def is_ton_address(text: str) -> bool:
    """48 characters of base64: flags, workchain, 32 bytes and a CRC-16."""
    data = base64.b64decode(text.replace("-", "+").replace("_", "/"))
    return len(data) == 36 and binascii.crc_hqx(data[:-2], 0).to_bytes(2, "big") == data[-2:]


def is_stellar_address(text: str) -> bool:
    """56 characters of base32: a version, 32 bytes and a CRC-16, low byte first."""
    try:
        data = base64.b32decode(text)
    except binascii.Error:
        return False
    return len(data) == 35 and binascii.crc_hqx(data[:-2], 0).to_bytes(2, "little") == data[-2:]


def is_polkadot_address(text: str) -> bool:
    """SS58 of a 32-byte account: one byte of network, and two of BLAKE2b (0 is Polkadot's own network)."""
    data = base58(text)
    if data is None or len(data) != 35 or data[0] != 0:
        return False
    return blake2b(b"SS58PRE" + data[:-2]).digest()[:2] == data[-2:]
