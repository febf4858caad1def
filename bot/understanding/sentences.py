"""Where does a text fall apart into sentences?"""

from __future__ import annotations

import re
from typing import Final

AT_MOST: Final = 12
"""Sentences kept: each costs time, and a matter that twelve do not name is not named by more."""

LONGEST: Final = 280
"""Characters of a kept sentence; what is longer is cut at a comma or a space."""

_FIRST: Final = 9
_READ_AT_MOST: Final = 40_000
# A full stop ends a sentence only before a space, the end or a Chinese character: 3.5 and a.b@c.d stay whole.
# A run of stops is tried from its first one only, which keeps 40,000 of them linear.
_END: Final = re.compile(r"[!?;。！？；…\r\n]+|(?<!\.)\.+(?=[\s\u3400-\u9fff]|$)")
_SAYS_SOMETHING: Final = re.compile(r"[^\W_]")
_LONE_SURROGATE: Final = re.compile("[\ud800-\udfff]")
_CUT: Final = re.compile(r"[,，、:：\s]")


def split(text: str) -> list[str]:
    """The sentences of a text, at most `AT_MOST`: the first nine and the last three where there are more."""
    pieces: list[str] = []
    whole = _LONE_SURROGATE.sub("\ufffd", text[:_READ_AT_MOST])  # no encoder takes half a character
    for piece in _END.split(whole):
        pieces.extend(_shorten(piece.strip()))
    said = [piece for piece in pieces if _SAYS_SOMETHING.search(piece)]
    if len(said) <= AT_MOST:
        return said
    return said[:_FIRST] + said[_FIRST - AT_MOST :]


def _shorten(sentence: str) -> list[str]:
    """The sentence in parts of at most `LONGEST` characters."""
    parts: list[str] = []
    start = 0
    while len(sentence) - start > LONGEST:
        window = sentence[start : start + LONGEST]
        cuts = [match.end() for match in _CUT.finditer(window, LONGEST // 2)]
        end = start + (cuts[-1] if cuts else LONGEST)
        parts.append(sentence[start:end].strip())
        start = end
    parts.append(sentence[start:])
    return [part for part in parts if part]
