"""How much does each run of one to four characters say about a text? (tf-idf without scikit-learn)"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from bot.understanding.folding import fold

LENGTHS: Final = (1, 2, 3, 4)

Row = tuple[NDArray[np.int64], NDArray[np.float32]]
"""One text: positions in the vocabulary, ascending, and the weight of each; the weights have length one."""


class NGrams:
    """A vocabulary of character n-grams with the inverse document frequency of each."""

    def __init__(self, vocabulary: Sequence[str], idf: NDArray[np.float32]) -> None:
        self.vocabulary = tuple(vocabulary)
        self.idf = idf
        self._position: Mapping[str, int] = {gram: position for position, gram in enumerate(self.vocabulary)}

    @classmethod
    def fit(cls, texts: Sequence[str], *, at_least: int = 2) -> NGrams:
        """Learns from `texts`, keeping the n-grams that occur in `at_least` of them."""
        seen = Counter(gram for text in texts for gram in set(_grams(text)))
        kept = sorted(gram for gram, count in seen.items() if count >= at_least)
        counts = np.array([seen[gram] for gram in kept], dtype=np.float32)
        idf = np.log((1 + len(texts)) / (1 + counts)) + 1
        return cls(kept, idf.astype(np.float32))

    def row(self, text: str) -> Row:
        """The weights of one text: (1 + ln count) x idf, of length one; empty when nothing is known."""
        counts = Counter(_grams(text))
        known = sorted((self._position[gram], count) for gram, count in counts.items() if gram in self._position)
        if not known:
            return np.zeros(0, dtype=np.int64), np.zeros(0, dtype=np.float32)
        positions = np.array([position for position, _ in known], dtype=np.int64)
        counted = np.array([count for _, count in known], dtype=np.float32)
        weights = (1 + np.log(counted)) * self.idf[positions]
        return positions, (weights / np.linalg.norm(weights)).astype(np.float32)


class Rows:
    """Many rows, kept by n-gram, so that one text is compared with all of them in one go."""

    def __init__(self, rows: Sequence[Row], vocabulary: int) -> None:
        self._count = len(rows)
        positions = np.concatenate([positions for positions, _ in rows])
        numbers = np.repeat(np.arange(len(rows)), [len(positions) for positions, _ in rows])
        order = np.argsort(positions, kind="stable")
        self._numbers = numbers[order]
        self._weights = np.concatenate([weights for _, weights in rows])[order]
        self._starts = np.searchsorted(positions[order], np.arange(vocabulary + 1))

    def cosines(self, row: Row) -> NDArray[np.float64]:
        """How alike `row` and each of the rows are, 0 to 1."""
        positions, weights = row
        counts = self._starts[positions + 1] - self._starts[positions]
        # For each n-gram of the text the places where the rows with it stand: its start, start + 1, ...
        before = np.cumsum(counts) - counts
        places = np.arange(counts.sum()) + np.repeat(self._starts[positions] - before, counts)
        shares = np.repeat(weights, counts) * self._weights[places]
        return np.bincount(self._numbers[places], weights=shares, minlength=self._count)


def _grams(text: str) -> list[str]:
    padded = f" {fold(text)} "
    return [padded[start : start + length] for length in LENGTHS for start in range(len(padded) - length + 1)]
