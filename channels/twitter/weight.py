"""How long a post is for X: at most 280 of weighted characters (docs.x.com, "Counting characters")."""

from __future__ import annotations

import re
import unicodedata

MAX_WEIGHT = 280
LINK_WEIGHT = 23
"""Every address becomes a t.co link of this length."""
_LINK = re.compile(r"https?://\S+")
_LIGHT = ((0x0000, 0x10FF), (0x2000, 0x200D), (0x2010, 0x201F), (0x2032, 0x2037))
"""Characters that count once; all others count twice."""


def weight(text: str) -> int:
    """Never too low: an emoji of several characters counts as all of them here, though only as two for X."""
    rest, links = _LINK.subn("", unicodedata.normalize("NFC", text))
    return links * LINK_WEIGHT + sum(1 if _is_light(ord(character)) else 2 for character in rest)


def _is_light(code: int) -> bool:
    return any(first <= code <= last for first, last in _LIGHT)
