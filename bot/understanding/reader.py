"""What do sentence vectors and character n-grams together say about a text?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from bot.understanding.encoder import Vectors, encoder_named
from bot.understanding.language import language_of
from bot.understanding.ngrams import Row

CANDIDATES: Final = 2
"""Labels among whose training texts the nearest one is looked for."""


@dataclass(frozen=True)
class Space:
    """One encoder's vectors, each language's around its own mean ("" is the mean of all texts).

    Without the means, what all Chinese sentences share outweighs what two sentences about deposits share.
    """

    encoder: str
    means: Mapping[str, Vectors]

    def place(self, texts: Sequence[str]) -> Vectors:
        """A unit vector per text."""
        return self.centred(encoder_named(self.encoder).encode(texts), texts)

    def centred(self, raw: Vectors, texts: Sequence[str]) -> Vectors:
        """The `raw` vectors of the texts with the mean of each one's language taken away, at length one."""
        return unit(raw - np.stack([self.means[language_of(text) or ""] for text in texts]))


@dataclass(frozen=True)
class Reader:
    """What was learned on the vectors of one or more spaces side by side, and on n-grams.

    `dense` and `sparse` are the coefficients for vectors and n-grams (one column per label), `bias` one per label;
    `temperature` divides the logits. `neighbours` are training vectors, label after label: those of label n stand from
    `starts[n]` to `starts[n + 1]`.
    """

    dense: Vectors
    sparse: Vectors
    bias: Vectors
    temperature: float
    neighbours: Vectors
    starts: NDArray[np.int64]

    def read(self, vectors: Vectors, grams: Sequence[Row]) -> Vectors:
        """The probability of each label: a row per text, a column per label.

        `vectors` and `grams` hold a row per text; vectors of several spaces stand side by side.
        """
        logits = vectors @ self.dense + self.bias
        for number, (positions, weights) in enumerate(grams):
            logits[number] += weights @ self.sparse[positions]
        return softmax(logits / self.temperature)

    def nearness(self, vector: Vectors, probabilities: Vectors) -> float:
        """The cosine to the nearest training text of the labels that come into question, 0 to 1."""
        likely = np.argsort(-probabilities)[:CANDIDATES]
        own = [self.neighbours[self.starts[n] : self.starts[n + 1]] @ vector for n in likely]
        return float(np.clip(np.concatenate(own).max(initial=0.0) / (vector @ vector), 0.0, 1.0))


def unit(vectors: Vectors) -> Vectors:
    """Each row scaled to length one; a row of zeros stays."""
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    return np.asarray(vectors / np.maximum(lengths, 1e-9), dtype=np.float32)


def softmax(logits: NDArray[Any]) -> Vectors:
    exponentials = np.exp(logits - logits.max(axis=1, keepdims=True))
    return np.asarray(exponentials / exponentials.sum(axis=1, keepdims=True), dtype=np.float32)
