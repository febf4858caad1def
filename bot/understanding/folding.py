"""One spelling for what people write in several: full width, 繁體, capitals, runs of spaces."""

from __future__ import annotations

import json
import re
from functools import lru_cache
from pathlib import Path
from typing import Final

_LEXICON: Final = Path(__file__).parent / "lexicon"
_SPACES: Final = re.compile(r"\s+")


@lru_cache(maxsize=1)
def _characters() -> dict[int, str]:
    """Full-width ASCII to ASCII and 繁體 to 简体, each one character to one."""
    pairs = json.loads((_LEXICON / "traditional.json").read_text(encoding="utf-8"))
    table = {ord(traditional): simplified for traditional, simplified in zip(pairs["from"], pairs["to"], strict=True)}
    table.update({code: chr(code - 0xFEE0) for code in range(0xFF01, 0xFF5F)})
    table[0x3000] = " "
    table.update({0x2018: "'", 0x2019: "'", 0x201C: '"', 0x201D: '"'})
    return table


def fold_in_place(text: str) -> str:
    """The text with one spelling per character and its length unchanged, so that offsets still hold."""
    return text if text.isascii() else text.translate(_characters())  # nothing in ASCII is folded


def fold(text: str) -> str:
    """The text as classifier and word lists see it: lower case, one space, 简体. Offsets do not hold."""
    return _SPACES.sub(" ", fold_in_place(text).lower()).strip()
