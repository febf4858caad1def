"""Can a text hold what is looked for at all? Asked before searches that nearly every message is spared by it.

A hint is something that everything of its kind has. It may be there without one, but never the other way round.
"""

from __future__ import annotations

import re
from typing import Final

_DIGIT: Final = re.compile("[0-9]")


def mentions(text: str, *words: str) -> bool:
    """Whether one of these stands in the text, in whatever case. They are given in lower case."""
    # A search that ignores case takes Turkish letters for "i"; lower case alone does not make them one.
    folded = text.replace("\u0130", "i").replace("\u0131", "i").lower()
    return any(word in folded for word in words)


def has_digit(text: str) -> bool:
    """Whether one of the digits 0 to 9 stands in it."""
    return _DIGIT.search(text) is not None


def digits_in(text: str) -> int:
    """How many of the digits 0 to 9 a text has."""
    return sum(map(text.count, "0123456789"))
