"""How close is a text to what each article is about?

Letters and meaning together: runs of characters find names and abbreviations, sentence vectors the same question in
other words, also in the other language. Both languages' questions are compared, for people mix them.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import Final

import numpy as np
from numpy.typing import NDArray

from bot.understanding.encoder import Vectors
from bot.understanding.language import Language
from bot.understanding.ngrams import NGrams, Rows

Encode = Callable[[Sequence[str]], Vectors]
"""Texts in, one unit vector per text out."""
Lines = Sequence[tuple[Language, str]]
"""Title and questions of one article, in both languages."""

LETTERS: Final = 0.24
NEAREST: Final = 0.36
MIDDLE: Final = 0.40
"""What the closest line by its letters, the closest by its meaning and the middle of all lines count
(docs/decisions/0017)."""
_READ_AT_MOST: Final = 1_000
_ENCODED_AT_MOST: Final = 400
"""A matter is told in the first lines of a mail, and encoding takes time by the letter."""
_REMEMBERED: Final = 64


class Closeness:
    """`of(text, language)`: one number per article, at most 1."""

    def __init__(self, articles: Sequence[Lines], encode: Encode, vectors_of: Encode | None = None) -> None:
        """`vectors_of` encodes the lines, where they need not be encoded anew at every start."""
        flat = [line for lines in articles for line in lines]
        texts = [text for _, text in flat]
        self._encode = encode
        self._first = np.cumsum([0, *map(len, articles[:-1])])
        self._ngrams = NGrams.fit(texts, at_least=1)
        self._rows = Rows([self._ngrams.row(text) for text in texts], len(self._ngrams.vocabulary))
        vectors = (vectors_of or encode)(texts)
        languages = np.array([language for language, _ in flat])
        self._middle_of = {each: vectors[languages == each].mean(axis=0) for each in sorted(set(languages.tolist()))}
        self._lines = _unit(vectors - np.stack([self._middle_of[each] for each in languages.tolist()]))
        self._middles = _unit(np.add.reduceat(self._lines, self._first))
        self.of = lru_cache(maxsize=_REMEMBERED)(self._of)

    def _of(self, text: str, language: Language) -> tuple[float, ...]:
        letters = np.maximum.reduceat(self._rows.cosines(self._ngrams.row(text[:_READ_AT_MOST])), self._first)
        vector = self._encode([text[:_ENCODED_AT_MOST]])[0] - self._middle_of[language]
        vector = _unit(vector[np.newaxis])[0]
        nearest = np.maximum.reduceat(self._lines @ vector, self._first)
        close = LETTERS * letters + NEAREST * nearest + MIDDLE * (self._middles @ vector)
        return tuple(close.tolist())


def _unit(vectors: Vectors) -> NDArray[np.float32]:
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    return (vectors / np.maximum(lengths, 1e-9)).astype(np.float32)
