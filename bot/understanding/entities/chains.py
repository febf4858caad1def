"""Is a token an address or a transaction hash, and of which chain?"""

from __future__ import annotations

import re
from typing import Final, Optional

from bot.understanding.entities import checksums

Identified = tuple[str, Optional[str]]
"""The kind, and the chain where the form proves it."""

_VERSIONS: Final = {
    0x00: "BITCOIN",
    0x05: "BITCOIN",
    0x41: "TRON",
    0x1E: "DOGECOIN",
    0x30: "LITECOIN",
    0x32: "LITECOIN",
}
_PREFIXES: Final = {
    "bc": "BITCOIN", "ltc": "LITECOIN", "addr": "CARDANO", "cosmos": "COSMOS", "inj": "INJECTIVE", "osmo": "OSMOSIS",
    "sei": "SEI", "celestia": "CELESTIA", "terra": "TERRA",
}  # fmt: skip
_HASH: Final = re.compile(r"(?:0[xX])?[0-9a-fA-F]{64}")
_EVM: Final = re.compile(r"0[xX][0-9a-fA-F]{40}")
_BASE58: Final = re.compile("[1-9A-HJ-NP-Za-km-z]+")
_MISTYPED: Final = re.compile(
    r"T[A-Za-z0-9]{33}|[13](?=[1-9a-z]{0,34}[A-Z])[1-9A-HJ-NP-Za-km-z]{25,34}|(?:bc|ltc|addr)1[a-z0-9]{20,110}"
)
"""Unmistakably meant as an address although its checksum is wrong: a person may find the slip."""


def identify(token: str) -> Optional[Identified]:
    """None for a token that is neither; `token` is a run of letters and digits."""
    if _HASH.fullmatch(token):
        return "tx_hash", "EVM" if token[1] in "xX" else None
    if _EVM.fullmatch(token):
        return "address", "EVM"
    if (chain := _of_address(token)) is not None:
        return "address", chain
    if _is_mixed(token) and len(token) in (87, 88) and len(checksums.base58(token) or b"") == 64:
        return "tx_hash", "SOLANA"
    return (
        ("address", None)
        if _MISTYPED.fullmatch(token) and re.search("[0-9].*[A-Za-z]|[A-Za-z].*[0-9]", token)
        else None
    )


def _of_address(token: str) -> Optional[str]:
    version = checksums.base58check_version(token) if len(token) <= 35 else None
    if version in _VERSIONS:
        return _VERSIONS[version]
    if token[0] == "r" and len(token) <= 35 and checksums.base58check_version(token, checksums.RIPPLE_ALPHABET) == 0:
        return "XRP"
    if (prefix := checksums.bech32_prefix(token)) in _PREFIXES:
        return _PREFIXES[prefix or ""]
    if len(token) == 42 and checksums.is_cash_address(token):
        return "BITCOIN CASH"
    if len(token) == 56 and token[0] == "G" and checksums.is_stellar_address(token):
        return "STELLAR"
    if len(token) in (46, 47, 48) and checksums.is_polkadot_address(token):
        return "POLKADOT"
    # Solana's addresses have no checksum: 32 bytes that look like nothing else.
    if len(token) in (43, 44) and _is_mixed(token) and len(checksums.base58(token) or b"") == 32:
        return "SOLANA"
    return None


def _is_mixed(token: str) -> bool:
    """Small and capital letters and digits, as chance makes them and no person writes."""
    kinds = (str.islower, str.isupper, str.isdigit)
    return _BASE58.fullmatch(token) is not None and all(any(map(kind, token)) for kind in kinds)
