"""Addresses and transaction hashes."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from bot.understanding.entities import checksums
from bot.understanding.entities.chains import identify
from bot.understanding.entities.entity import AFTER, BEFORE, Entity, compiled

_RUN: Final = compiled(rf"{BEFORE}(?:bitcoincash:)?(?P<token>[A-Z0-9]{{25,128}}){AFTER}")
_TON: Final = re.compile(r"(?<![A-Za-z0-9_-])[EUk0]Q[A-Za-z0-9_-]{46}(?![A-Za-z0-9_-])", re.ASCII)
_CALLED_ADDRESS: Final = compiled(r"(?:address|wallet|addr|地址)(?: is|是|为)?[ :=]{0,3}$")


def find(text: str) -> Iterator[Entity]:
    for match in _TON.finditer(text):
        if checksums.is_ton_address(match.group()):
            yield Entity("address", match.group(), match.start(), match.end(), "TON")
    for match in _RUN.finditer(text):
        start, end = match.span("token")
        identified = identify(match.group("token"))
        if identified is None:
            continue
        kind, chain = identified
        if kind == "tx_hash" and chain != "SOLANA" and _CALLED_ADDRESS.search(text[max(0, start - 16) : start]):
            kind, chain = "address", None  # some newer chains number their accounts with 32 bytes as well
        yield Entity(kind, match.group("token"), start, end, chain)
