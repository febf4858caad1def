"""Which articles have the very words that somebody searches for, and how prominently?

For short queries, which say little about a meaning: a word, the beginning of one, a name, 提现.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

from bot.understanding.folding import fold

_PIECES: Final = re.compile("[a-z0-9\u00c0-\u024f]+|[\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff]+")
IN_TITLE: Final = 0.5
IN_QUESTIONS: Final = 0.3
IN_BODY: Final = 0.1
"""What it counts beside closeness where all words of a query stand."""
_MOST_TERMS: Final = 40


class Words:
    """The words of articles: of each its title, its questions and its body, in all languages."""

    def __init__(self, articles: Sequence[tuple[str, str, str]]) -> None:
        self._articles = [tuple(_spread(part) for part in parts) for parts in articles]

    def found(self, query: str) -> list[float]:
        """For each article how much it counts that it has all the words of `query`, 0 when it has not."""
        terms = terms_of(query)
        return [_counts(terms, parts) if terms else 0.0 for parts in self._articles]


def terms_of(query: str) -> tuple[str, ...]:
    """What a text must have: words by their beginnings, Chinese in pairs of characters, as it has no spaces."""
    terms: list[str] = []
    for piece in _PIECES.findall(fold(query[:400])):
        if piece[0] < "\u3400":
            terms.append(f" {piece}")
        else:
            terms += [piece[start : start + 2] for start in range(max(1, len(piece) - 1))]
    return tuple(dict.fromkeys(terms))[:_MOST_TERMS]


def _counts(terms: Sequence[str], parts: Sequence[str]) -> float:
    held = ""
    for part, value in zip(parts, (IN_TITLE, IN_QUESTIONS, IN_BODY), strict=True):
        held += part
        if all(term in held for term in terms):
            return value
    return 0.0


def _spread(text: str) -> str:
    """With a space before every word, where Chinese and Latin letters meet too."""
    return " " + " ".join(_PIECES.findall(fold(text))) + " "
