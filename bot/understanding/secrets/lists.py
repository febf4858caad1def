"""The word lists of BIP-39, what a recovery phrase is called, and how its checksum tells it from chance."""

from __future__ import annotations

import json
import re
from bisect import bisect_left
from collections.abc import Mapping, Sequence
from functools import lru_cache
from hashlib import sha256
from pathlib import Path
from typing import Final

from mnemonic import Mnemonic

LENGTHS: Final = (24, 21, 18, 15, 12)
"""Words of a whole phrase."""
_LEXICON: Final = Path(__file__).parent / "lists.json"
_LABEL: Final = re.compile(
    r"seed|mnemonic|(?:recovery|backup|secret|wallet)[ _-]?(?:phrase|words?)|(?:12|24|twelve|twenty[ -]four)[ -]words?"
    r"|助记词|助記詞|恢复词|恢復詞|种子|種子|备份词|備份詞|词组|詞組|(?:12|24|十二|二十四)个(?:单词|词|字)",
    re.IGNORECASE,
)
_LABEL_REACH: Final = 40
"""Characters before a phrase in which it may be called one."""


def words_of(name: str) -> frozenset[str]:
    """A list of the lexicon; there it is kept as lines of words."""
    lines = json.loads(_LEXICON.read_text(encoding="utf-8"))[name]
    return frozenset(word for line in lines for word in line.split())


@lru_cache(maxsize=1)
def english() -> Mapping[str, int]:
    """The place of each English word."""
    return {word: place for place, word in enumerate(Mnemonic("english").wordlist)}


@lru_cache(maxsize=1)
def characters() -> tuple[Mapping[str, int], Mapping[str, int]]:
    """The place of each character in the 简体 and in the 繁體 list."""
    simplified, traditional = (Mnemonic(f"chinese_{script}").wordlist for script in ("simplified", "traditional"))
    return (
        {character: place for place, character in enumerate(simplified)},
        {character: place for place, character in enumerate(traditional)},
    )


def labels(text: str) -> list[int]:
    """Where words end that mean a recovery phrase."""
    return [match.end() for match in _LABEL.finditer(text)]


def is_called(called: Sequence[int], start: int) -> bool:
    """Whether one of these labels stands shortly before `start`."""
    nearest = bisect_left(called, start - _LABEL_REACH)
    return nearest < len(called) and called[nearest] <= start


def checksum_holds(places: Sequence[int]) -> bool:
    """BIP-39: behind the entropy stand the first bits of its SHA-256, one for every three words."""
    bits = 0
    for place in places:
        bits = bits << 11 | place
    check = len(places) // 3
    entropy = (bits >> check).to_bytes(check * 4, "big")
    return sha256(entropy).digest()[0] >> (8 - check) == bits & ((1 << check) - 1)
