"""A text in pieces that Messenger takes, cut where a reader would pause."""

from __future__ import annotations

import re
import unicodedata

MAX_CHARACTERS = 2000
"""Of a message's text (Messenger Platform, "Send API"); counted here in UTF-16, so that it is never too long."""
_PAUSES = [re.compile(pattern) for pattern in (r"\n\s*\n", r"\n", r"(?<=[.!?])\s+|(?<=[。！？；])", r"\s+|(?<=[，、])")]
"""Between paragraphs, lines, sentences, words: the first kind found in the second half is used."""


def pieces(text: str, most: int = MAX_CHARACTERS) -> list[str]:
    """Nothing but white space at the cuts is lost. A text without visible characters has no pieces."""
    found, rest = [], text.strip()
    while rest:
        end = _fitting(rest, most)
        cut = len(rest) if end == len(rest) else _pause(rest, end)
        found.append(rest[:cut].rstrip())
        rest = rest[cut:].lstrip()
    return found


def _fitting(text: str, most: int) -> int:
    """How many characters from the start fit."""
    used = 0
    for count, character in enumerate(text):
        used += 1 + (character > "\uffff")
        if used > most:
            return count
    return len(text)


def _pause(text: str, end: int) -> int:
    for pause in _PAUSES:
        if ends := [found.end() for found in pause.finditer(text, 0, end) if found.end() > end // 2]:
            return ends[-1]
    cut = end
    while cut > end // 2 and _joined(text[cut - 1], text[cut]):
        cut -= 1
    return cut


def _joined(before: str, after: str) -> bool:
    """Accents and the parts of an emoji stay with what they change."""
    if "\u200d" in (before, after) or after in "\ufe0e\ufe0f\u20e3":
        return True
    return unicodedata.combining(after) > 0 or "\U0001f3fb" <= after <= "\U0001f3ff"
