"""Is a Chinese text written in 简体 or in 繁體? Told by the characters that only one of them has."""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from typing import Final

from opencc import OpenCC

from bot.understanding.folding import fold_in_place
from bot.wording.traditional import HANT

HANS: Final = "zh"
_IDEOGRAPHS: Final = range(0x4E00, 0xA000)
_READ_AT_MOST: Final = 20_000
_CLEARLY: Final = 2
"""How many times as many characters of its own the one script must have when both have some: people quote."""


def script_of(text: str) -> str | None:
    """ "zh" (简体) or "zh-Hant" (繁體); None when no character tells, or not clearly. Reads 20,000 characters."""
    read = text[:_READ_AT_MOST]
    if read.isascii() or not any("\u4e00" <= c < "\ua000" for c in read):
        return None
    simplified, traditional = _telling()
    few, many = sorted(
        ((sum(c in simplified for c in read), HANS), (sum(c in traditional for c in read), HANT)),
    )
    return many[1] if many[0] > _CLEARLY * few[0] else None


def for_models(text: str) -> str:
    """The text as the models understand it best: 繁體 in 简体, a character for a character; others as they are.

    The encoders have learned from far more 简体: as written, one message in ten is taken for another class.
    """
    return fold_in_place(text) if script_of(text) == HANT else text


@lru_cache(maxsize=1)
def _telling() -> tuple[frozenset[str], frozenset[str]]:
    """What only 简体 has and what only 繁體 has.

    OpenCC knows which characters change. Many of those are good in both (后, 里, 台, 乾, 著), which the standards of
    the two sides show: a character of Big5 is no sign of 简体, one of GB 2312 none of 繁體.
    """
    simplified = {c for c, other in _converted("s2t") if c != other and not _has("big5", c)}
    traditional = {c for c, other in _converted("t2s") if c != other and not _has("gb2312", c)}
    return frozenset(simplified), frozenset(traditional)


def _converted(how: str) -> Iterator[tuple[str, str]]:
    """Each ideograph by itself; the lines between keep OpenCC from seeing phrases."""
    alone = "\n".join(map(chr, _IDEOGRAPHS))
    return zip(alone.split("\n"), OpenCC(how).convert(alone).split("\n"), strict=True)


def _has(standard: str, character: str) -> bool:
    try:
        character.encode(standard)
    except UnicodeEncodeError:
        return False
    return True
