"""One thing that a text names, and the patterns that all readers share."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final, Optional

BEFORE: Final = r"(?<![A-Za-z0-9_])"
AFTER: Final = r"(?![A-Za-z0-9_])"
"""The ends of a word in ASCII only: Chinese characters beside it do not make it longer, as `\\b` would have it."""


@dataclass(frozen=True)
class Entity:
    """`start` and `end` are offsets into the text as given.

    Kinds: case_number, uid, order_id, memo, tx_hash, address, amount, fee, date, duration, asset, network, email,
    phone. `value` is normalised: upper case for case numbers, assets and networks; "NUMBER UNIT" for amounts, fees
    ("12 USDT", "0.1 %") and durations ("3 d"; min, h, d, wk, mo, y); ISO 8601 for dates, as far as they go
    ("2026-11-03T15:00", "2026-11", "2026-W47"), or the words themselves where they tell no certain date. `chain` is
    the blockchain of an address or a transaction, when its form proves it.
    """

    kind: str
    value: str
    start: int
    end: int
    chain: Optional[str] = None


def compiled(pattern: str) -> re.Pattern[str]:
    """Every repetition in a pattern must have an upper bound: then searching takes time linear in the text."""
    return re.compile(pattern, re.IGNORECASE | re.ASCII)


def alternatives(words: list[str]) -> str:
    """The longest first, so that "us dollars" is not read as "us"."""
    return "|".join(sorted(map(re.escape, words), key=len, reverse=True))
