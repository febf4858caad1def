"""A text in pieces that a network takes, cut where a reader would pause. Lengths are in UTF-16 code units."""

from __future__ import annotations

import re
import unicodedata

_BORDERS = (
    re.compile(r"\n\s*\n"),
    re.compile(r"\n"),
    re.compile(r"(?<=[.!?])\s+|(?<=[。！？；])\s*"),
    re.compile(r"\s+|(?<=[，、])"),
)
"""Between paragraphs, lines, sentences, words: the first kind that is found far enough on is used."""
_JOINING = frozenset("\u200d\ufe0e\ufe0f\u20e3")


def units(text: str) -> int:
    """How long the text is to most networks."""
    return len(text) + sum(character > "\uffff" for character in text)


def pieces(text: str, limit: int) -> list[str]:
    """Nothing but white space at the cuts is lost. A text without visible characters has no pieces."""
    found = []
    rest = text.strip()
    while units(rest) > limit:
        cut = _cut(rest, _characters(rest, limit))
        if piece := rest[:cut].rstrip():
            found.append(piece)
        rest = rest[cut:].lstrip()
    return [*found, rest] if rest else found


def _characters(text: str, limit: int) -> int:
    """How many characters from the start fit."""
    used = 0
    for count, character in enumerate(text):
        used += 2 if character > "\uffff" else 1
        if used > limit:
            return count
    return len(text)


def _cut(text: str, most: int) -> int:
    """Where to cut, at most `most` and, by choice, in its second half."""
    for border in _BORDERS:
        ends = [match.end() for match in border.finditer(text, 0, most) if match.end() > most // 2]
        if ends:
            return ends[-1]
    cut = most
    while cut > most // 2 and _belongs_to_the_one_before(text, cut):
        cut -= 1
    return cut


def _belongs_to_the_one_before(text: str, cut: int) -> bool:
    """Accents and the parts of an emoji stay with what they change."""
    after = text[cut : cut + 1]
    joined = after in _JOINING or text[cut - 1] == "\u200d"
    return bool(after) and (joined or unicodedata.combining(after) > 0 or "\U0001f3fb" <= after <= "\U0001f3ff")
