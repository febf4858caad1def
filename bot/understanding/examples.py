"""The examples of a training as numbers, and which of them are kept back to try on them what was learned."""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib import import_module
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from bot.understanding.classifier import columns_of
from bot.understanding.encoder import Vectors
from bot.understanding.language import language_of
from bot.understanding.ngrams import NGrams
from bot.understanding.regression import regress
from bot.understanding.tuned import Heard, Tuned

STRENGTH: Final = 10.0
"""Inverse regularisation of the logistic regression."""

GRAM_WEIGHT: Final = 1.0
"""Length of the n-gram part of a feature row; each vector has length one."""

KEPT_BACK: Final = 10
"""One example in so many is kept back where what was learned has to be tried on texts not seen."""

FEW: Final = 5_000
KEPT_BACK_OF_FEW: Final = 3
"""Of fewer than so many examples one in three is kept back: a tenth would be too few to judge by."""


@dataclass(frozen=True)
class Lesson:
    """The examples as numbers: vectors of each space, n-grams as a SciPy matrix, the label's number.

    `back` says which are kept back, `beside` what the tuned reader, which has not seen these, says of them.
    """

    vectors: tuple[Vectors, ...]
    grams: Any
    targets: NDArray[Any]
    labels: Sequence[str]
    back: NDArray[Any]
    beside: Heard | None = None


def means_of(raw: Vectors, texts: Sequence[str]) -> Mapping[str, Vectors]:
    """The mean vector of each language's texts; "" is the mean of all, for texts of no language."""
    rows: dict[str, list[int]] = defaultdict(list)
    for number, text in enumerate(texts):
        rows[language_of(text) or ""].append(number)
    whole = raw.mean(axis=0)
    means = {language: raw[rows[language]].mean(axis=0) if rows[language] else whole for language in ("en", "zh")}
    return {**means, "": whole}


def matrix_of(texts: Sequence[str], ngrams: NGrams) -> Any:
    """The n-grams of the texts as one SciPy matrix, a row per text."""
    rows = [ngrams.row(text) for text in texts]
    starts = np.cumsum([0] + [len(positions) for positions, _ in rows])
    positions = np.concatenate([positions for positions, _ in rows])
    weights = np.concatenate([weights for _, weights in rows]) * GRAM_WEIGHT
    csr_matrix = import_module("scipy.sparse").csr_matrix
    return csr_matrix((weights.astype(np.float32), positions, starts), shape=(len(texts), len(ngrams.vocabulary)))


def held_out(dense: Vectors, lesson: Lesson) -> Vectors:
    """The logits of the kept back examples by weights that were learned without them."""
    rest, back = np.flatnonzero(~lesson.back), np.flatnonzero(lesson.back)
    weights = regress(dense[rest], lesson.grams[rest], lesson.targets[rest], len(lesson.labels), STRENGTH)
    return np.asarray(weights.logits(dense[back], lesson.grams[back]), dtype=np.float32)


def which_kept_back(texts: Sequence[str]) -> NDArray[Any]:
    """Of each text, whether it is kept back."""
    one_in = KEPT_BACK if len(texts) >= FEW else KEPT_BACK_OF_FEW
    return np.array([kept_back(text, one_in) for text in texts])


def kept_back(text: str, one_in: int = KEPT_BACK) -> bool:
    """Is the example among those that are kept back? Told by the text alone, so that it is always the same ones."""
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).digest()[0] % one_in == 0


def beside_of(tuned: Tuned | None, texts: Sequence[str], back: NDArray[Any], labels: Sequence[str]) -> Heard | None:
    """What the tuned reader says of the examples kept back, a column per label."""
    if tuned is None:
        return None
    chances, need = tuned.read([text for text, held in zip(texts, back, strict=True) if held])
    return Heard(chances[:, columns_of(tuned, labels)], need)
