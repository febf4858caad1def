"""How is a classifier trained? Needs SciPy; the same examples give the same classifier."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from bot.understanding.classifier import Classifier, State, lead_of, together
from bot.understanding.encoder import Vectors
from bot.understanding.escalation import Escalation, heard
from bot.understanding.examples import (
    GRAM_WEIGHT,
    STRENGTH,
    Lesson,
    beside_of,
    held_out,
    matrix_of,
    means_of,
    which_kept_back,
)
from bot.understanding.labels import COMPLAINTS
from bot.understanding.language import language_of
from bot.understanding.ngrams import NGrams
from bot.understanding.reader import Reader, Space, softmax
from bot.understanding.regression import regress
from bot.understanding.remembered import vectors_of
from bot.understanding.signals import signals_of
from bot.understanding.tuned import Tuned

RARE: Final = 4_000
"""An n-gram is kept from two texts on, or from one in so many: rarer ones cost training time and teach nothing."""

LOST_AT_MOST: Final = 0.0005
"""Probability of the right label, in the mean of the held-out texts, that may be lost for the sake of asking one
encoder only. Counting hits instead makes the lead jump with every text."""

LOST_BESIDE_TUNED: Final = 0.01
"""The same where a tuned reader is heard: the second encoder takes ten times as long as both others together."""

NEIGHBOURS: Final = 200
"""About as many training texts of a label are kept to compare with; more cost time and find hardly nearer ones."""

FALSE_ALARMS: Final = 0.12
"""Share of the kept back complaints without need of a case that may get one. Of all messages it is less than 15 %, for
what is no complaint gets none; missing a theft costs more than reading a message too many."""

_TEMPERATURES: Final = np.geomspace(0.2, 3.0, 40)
_LEADS: Final = np.linspace(0.0, 1.0, 41)


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
    spaces = tuple(Space(name, means_of(each, texts)) for name, each in zip(encoders, raw, strict=True))
    ngrams = NGrams.fit(texts, at_least=max(2, len(texts) // RARE))
    vectors = tuple(space.centred(each, texts) for space, each in zip(spaces, raw, strict=True))
    targets = np.array([labels.index(label) for _, label in examples])
    tuned = _fitting(tuned, labels)
    back = which_kept_back(texts)
    lesson = Lesson(vectors, matrix_of(texts, ngrams), targets, labels, back, beside_of(tuned, texts, back, labels))
    quick, guess = _reader(lesson, 1)
    thorough, sure = (None, 0.0) if len(spaces) == 1 else _thorough(lesson, guess)
    escalation = None if needed is None else _escalation(lesson, examples, np.array(needed, dtype=int))
    return Classifier(State(labels, ngrams, spaces, quick, thorough, sure, escalation, tuned))


def _fitting(tuned: Tuned | None, labels: Sequence[str]) -> Tuned | None:
    """The tuned reader if it knows these labels and no others."""
    if tuned is not None and set(tuned.labels) != set(labels):
        print("  the tuned reader knows other labels and is left out", file=sys.stderr, flush=True)
        return None
    return tuned


def _thorough(lesson: Lesson, quick: Vectors) -> tuple[Reader, float]:
    """The reader of all spaces, and the lead from which the quick one, which made these guesses, is sure."""
    reader, guess = _reader(lesson, len(lesson.vectors))
    beside = None if lesson.beside is None else lesson.beside.chances
    lost = LOST_AT_MOST if beside is None else LOST_BESIDE_TUNED
    return reader, _sure(together(quick, beside), together(guess, beside), lesson.targets[lesson.back], lost)


def _reader(lesson: Lesson, spaces: int) -> tuple[Reader, Vectors]:
    """A reader of the first so many spaces, and what one that had not seen them says of the kept back examples."""
    dense = np.hstack(lesson.vectors[:spaces])
    weights = regress(dense, lesson.grams, lesson.targets, len(lesson.labels), STRENGTH)
    guess = held_out(dense, lesson)
    targets = lesson.targets[lesson.back]
    losses = [_loss(guess / temperature, targets) for temperature in _TEMPERATURES]
    temperature = float(_TEMPERATURES[int(np.argmin(losses))])
    sparse = weights.sparse * GRAM_WEIGHT
    order = _neighbours(lesson)
    starts = np.searchsorted(lesson.targets[order], np.arange(len(lesson.labels) + 1))
    neighbours = dense[order].astype(np.float16).astype(np.float32)  # as they are kept on disk
    reader = Reader(weights.dense, sparse, weights.bias, temperature, neighbours, starts)
    return reader, softmax(guess / temperature)


def _neighbours(lesson: Lesson) -> NDArray[Any]:
    """The examples that texts are compared with, label after label: of a large one some, evenly chosen."""
    own = [np.flatnonzero(lesson.targets == label) for label in range(len(lesson.labels))]
    return np.concatenate([each[:: max(1, len(each) // NEIGHBOURS)] for each in own])


def _escalation(lesson: Lesson, examples: Sequence[tuple[str, str]], needed: NDArray[Any]) -> Escalation:
    """Which messages need a case, learned beside the rules; the threshold of each language from held-out texts."""
    said = np.stack([heard(signals_of(text, None)) for text, _ in examples])
    alone = replace(lesson, vectors=(np.hstack([lesson.vectors[0], said]),), targets=needed, labels=("no", "yes"))
    weights = regress(alone.vectors[0], alone.grams, needed, 2, STRENGTH)
    guess = _lead(held_out(alone.vectors[0], alone)) + (0.0 if lesson.beside is None else lesson.beside.need)
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


def _sure(quick: Vectors, thorough: Vectors, targets: NDArray[Any], lost_at_most: float) -> float:
    """The least lead from which the quick reader may decide alone without losing more than that."""
    lead = np.array([lead_of(row) for row in quick])
    rows = np.arange(len(targets))
    gain = thorough[rows, targets] - quick[rows, targets]
    for least in _LEADS:
        if np.where(lead >= least, gain, 0.0).mean() <= lost_at_most:
            return float(least)
    return 1.01


def _loss(logits: NDArray[Any], targets: NDArray[Any]) -> float:
    chosen = softmax(logits)[np.arange(len(targets)), targets]
    return float(-np.log(np.maximum(chosen, 1e-12)).mean())
