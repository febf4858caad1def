"""How is a classifier trained? Needs SciPy; the same examples give the same classifier."""

from __future__ import annotations

import hashlib
import sys
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from importlib import import_module
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from bot.understanding.classifier import Classifier, State, columns_of, lead_of, together
from bot.understanding.encoder import Vectors
from bot.understanding.escalation import Escalation, heard
from bot.understanding.labels import COMPLAINTS
from bot.understanding.language import language_of
from bot.understanding.ngrams import NGrams
from bot.understanding.reader import Reader, Space, softmax
from bot.understanding.regression import regress
from bot.understanding.remembered import vectors_of
from bot.understanding.signals import signals_of
from bot.understanding.tuned import Tuned

STRENGTH: Final = 4.0
"""Inverse regularisation of the logistic regression."""

GRAM_WEIGHT: Final = 1.0
"""Length of the n-gram part of a feature row; each vector has length one."""

KEPT_BACK: Final = 10
"""One example in so many is kept back where what was learned has to be tried on texts not seen."""

RARE: Final = 4_000
"""An n-gram is kept from two texts on, or from one in so many: rarer ones cost training time and teach nothing."""

LOST_AT_MOST: Final = 0.001
"""Share of held-out texts that may be understood worse for the sake of asking one encoder only."""

NEIGHBOURS: Final = 200
"""About as many training texts of a label are kept to compare with; more cost time and find hardly nearer ones."""

FALSE_ALARMS: Final = 0.17
"""Share of the kept back complaints without need of a case that may get one. Of all messages it is less than 15 %, for
what is no complaint gets none; missing a theft costs more than reading a message too many."""

_TEMPERATURES: Final = np.geomspace(0.2, 3.0, 40)
_LEADS: Final = np.linspace(0.0, 1.0, 41)


@dataclass(frozen=True)
class _Lesson:
    """The examples as numbers: vectors of each space, n-grams as a SciPy matrix, the label's number.

    `back` says which are kept back.
    """

    vectors: tuple[Vectors, ...]
    grams: Any
    targets: NDArray[Any]
    labels: int
    back: NDArray[Any]


def train(
    examples: Sequence[tuple[str, str]],
    encoders: Sequence[str] = ("use",),
    needed: Sequence[bool] | None = None,
    memory: Path | None = None,
    tuned: Tuned | None = None,
) -> Classifier:
    """Trains on (text, label) pairs. The first encoder reads everything, all of them together what it is unsure of.

    `needed` says of each example whether it needs a case; without it nothing is learned of that. `memory` is a folder
    that keeps vectors from one training to the next. `tuned` is heard beside what is trained if it knows the same
    labels. Raises ValueError for fewer than two labels.
    """
    texts = [text for text, _ in examples]
    labels = tuple(sorted({label for _, label in examples}))
    if len(labels) < 2:
        raise ValueError("a classifier needs examples of at least two labels; check data/nlu")
    raw = [vectors_of(texts, name, memory) for name in encoders]
    spaces = tuple(Space(name, _means(each, texts)) for name, each in zip(encoders, raw, strict=True))
    ngrams = NGrams.fit(texts, at_least=max(2, len(texts) // RARE))
    vectors = tuple(space.centred(each, texts) for space, each in zip(spaces, raw, strict=True))
    targets = np.array([labels.index(label) for _, label in examples])
    back = np.array([kept_back(text) for text in texts])
    lesson = _Lesson(vectors, _matrix(texts, ngrams), targets, len(labels), back)
    quick, quick_guess = _reader(lesson, 1)
    if tuned is not None and set(tuned.labels) != set(labels):
        print("  the tuned reader knows other labels and is left out", file=sys.stderr, flush=True)
        tuned = None
    thorough, sure = None, 0.0
    if len(spaces) > 1:
        thorough, guess = _reader(lesson, len(spaces))
        beside = _beside(tuned, [text for text in texts if kept_back(text)], labels)
        sure = _sure(together(quick_guess, beside), together(guess, beside), targets[lesson.back])
    escalation = None if needed is None else _escalation(lesson, examples, np.array(needed, dtype=int))
    return Classifier(State(labels, ngrams, spaces, quick, thorough, sure, escalation, tuned))


def _beside(tuned: Tuned | None, texts: Sequence[str], labels: Sequence[str]) -> Vectors | None:
    return None if tuned is None else np.asarray(tuned.read(texts)[:, columns_of(tuned, labels)], dtype=np.float32)


def _means(raw: Vectors, texts: Sequence[str]) -> Mapping[str, Vectors]:
    """The mean vector of each language's texts; "" is the mean of all, for texts of no language."""
    rows: dict[str, list[int]] = defaultdict(list)
    for number, text in enumerate(texts):
        rows[language_of(text) or ""].append(number)
    whole = raw.mean(axis=0)
    means = {language: raw[rows[language]].mean(axis=0) if rows[language] else whole for language in ("en", "zh")}
    return {**means, "": whole}


def _matrix(texts: Sequence[str], ngrams: NGrams) -> Any:
    """The n-grams of the texts as one SciPy matrix, a row per text."""
    rows = [ngrams.row(text) for text in texts]
    starts = np.cumsum([0] + [len(positions) for positions, _ in rows])
    positions = np.concatenate([positions for positions, _ in rows])
    weights = np.concatenate([weights for _, weights in rows]) * GRAM_WEIGHT
    csr_matrix = import_module("scipy.sparse").csr_matrix
    return csr_matrix((weights.astype(np.float32), positions, starts), shape=(len(texts), len(ngrams.vocabulary)))


def _reader(lesson: _Lesson, spaces: int) -> tuple[Reader, Vectors]:
    """A reader of the first so many spaces, and what one that had not seen them says of the kept back examples."""
    dense = np.hstack(lesson.vectors[:spaces])
    weights = regress(dense, lesson.grams, lesson.targets, lesson.labels, STRENGTH)
    guess = _held_out(dense, lesson)
    targets = lesson.targets[lesson.back]
    losses = [_loss(guess / temperature, targets) for temperature in _TEMPERATURES]
    temperature = float(_TEMPERATURES[int(np.argmin(losses))])
    sparse = weights.sparse * GRAM_WEIGHT
    order = _neighbours(lesson)
    starts = np.searchsorted(lesson.targets[order], np.arange(lesson.labels + 1))
    neighbours = dense[order].astype(np.float16)
    reader = Reader(weights.dense, sparse, weights.bias, temperature, neighbours, starts)
    return reader, softmax(guess / temperature)


def _neighbours(lesson: _Lesson) -> NDArray[Any]:
    """The examples that texts are compared with, label after label: of a large one some, evenly chosen."""
    own = [np.flatnonzero(lesson.targets == label) for label in range(lesson.labels)]
    return np.concatenate([each[:: max(1, len(each) // NEIGHBOURS)] for each in own])


def _held_out(dense: Vectors, lesson: _Lesson) -> Vectors:
    """The logits of the kept back examples by weights that were learned without them."""
    rest, back = np.flatnonzero(~lesson.back), np.flatnonzero(lesson.back)
    weights = regress(dense[rest], lesson.grams[rest], lesson.targets[rest], lesson.labels, STRENGTH)
    return np.asarray(weights.logits(dense[back], lesson.grams[back]), dtype=np.float32)


def kept_back(text: str) -> bool:
    """Is the example one of the tenth that is kept back? Told by the text alone, so that it is always the same ones."""
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).digest()[0] % KEPT_BACK == 0


def _escalation(lesson: _Lesson, examples: Sequence[tuple[str, str]], needed: NDArray[Any]) -> Escalation:
    """Which messages need a case, learned beside the rules; the threshold of each language from held-out texts."""
    said = np.stack([heard(signals_of(text, None)) for text, _ in examples])
    alone = replace(lesson, vectors=(np.hstack([lesson.vectors[0], said]),), targets=needed, labels=2)
    weights = regress(alone.vectors[0], alone.grams, needed, 2, STRENGTH)
    guess = _lead(_held_out(alone.vectors[0], alone))
    calm = (np.array([label in COMPLAINTS for _, label in examples]) & (needed == 0))[lesson.back]
    own = np.array([language_of(text) or "" for text, _ in examples])[lesson.back]
    thresholds = {}
    for language in ("en", "zh"):
        quiet = guess[calm & (own == language)]
        thresholds[language] = float(np.quantile(quiet, 1 - FALSE_ALARMS)) if len(quiet) else 0.0
    dense, sparse = _lead(weights.dense), _lead(weights.sparse) * GRAM_WEIGHT
    return Escalation(dense, sparse, float(_lead(weights.bias)), thresholds)


def _lead(columns: Vectors) -> Vectors:
    """By how much the second of two columns exceeds the first."""
    return np.asarray(columns[..., 1] - columns[..., 0], dtype=np.float32)


def _sure(quick: Vectors, thorough: Vectors, targets: NDArray[Any]) -> float:
    """The least lead from which the quick reader may decide alone without losing more than `LOST_AT_MOST`."""
    lead = np.array([lead_of(row) for row in quick])
    right_quick, right_thorough = quick.argmax(axis=1) == targets, thorough.argmax(axis=1) == targets
    for least in _LEADS:
        if np.where(lead >= least, right_quick, right_thorough).mean() >= right_thorough.mean() - LOST_AT_MOST:
            return float(least)
    return 1.01


def _loss(logits: NDArray[Any], targets: NDArray[Any]) -> float:
    chosen = softmax(logits)[np.arange(len(targets)), targets]
    return float(-np.log(np.maximum(chosen, 1e-12)).mean())
