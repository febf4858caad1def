"""Which class does a text belong to, and how sure are we?

A quick reader (one encoder) says what each sentence is about; filler is left out, and what remains is read as a
whole. Where the quick reader is in doubt, a thorough one with a second encoder decides.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

import numpy as np

from bot.understanding.encoder import Vectors
from bot.understanding.escalation import Escalation
from bot.understanding.labels import ACTS, BACKGROUND, COMPLAINTS
from bot.understanding.ngrams import NGrams
from bot.understanding.reader import Reader, Space
from bot.understanding.sentences import split
from bot.understanding.signals import Signals
from bot.understanding.tuned import Tuned

WHOLE_AT_MOST: Final = 700
"""Characters of what is read as one: encoding takes time by the letter, and a matter is told at the start."""

FILLER: Final = 0.5
"""Probability of being background from which a sentence is left out, if others remain."""

ALSO: Final = 0.7
"""Probability from which a sentence of its own names a further matter."""

CLEAR: Final = 0.8
"""Lead over the second label from which the quick reader needs nobody beside it."""

SOFTNESS: Final = 2.0
"""What the logits are divided by for the confidence. The fitted temperature suits texts like those learned from; of
unlike ones it is far too sure (CLINC150, validation: AUROC 98.1 with the fitted one, 98.7 with this)."""


@dataclass(frozen=True)
class Classification:
    """What a text is about.

    `confidence` is sqrt(softened probability) x cosine to the nearest training text, 0 to 1: low for a text between
    two classes and for one unlike anything trained on. `ranking` holds (label, confidence), best first, without the
    background class. `also` names further complaint classes of single sentences. A text of nothing but filler is
    "background" with confidence 0. `whole` is what was read as one, `vectors` are its vectors, and `need` is what the
    tuned reader says of it, where it was asked: for whoever judges further.
    """

    label: str
    confidence: float
    ranking: tuple[tuple[str, float], ...]
    also: tuple[str, ...] = ()
    whole: str = ""
    vectors: Vectors = field(default_factory=lambda: np.zeros((1, 0), dtype=np.float32))
    need: float | None = None


@dataclass
class _Reading:
    """What has been found out about the text as a whole so far."""

    whole: str
    probabilities: Vectors
    vectors: Vectors
    reader: Reader
    need: float | None = None


@dataclass(frozen=True)
class State:
    """Everything a classifier has learned.

    `quick` reads vectors of the first of `spaces`; `thorough` those of all of them side by side, and is None where
    there is one space only. The quick reader's word counts from a lead of `sure` over the second label. `tuned`, where
    there is one, is heard beside either, unless the quick reader's lead is `CLEAR`.
    """

    labels: tuple[str, ...]
    ngrams: NGrams
    spaces: tuple[Space, ...]
    quick: Reader
    thorough: Reader | None = None
    sure: float = 0.0
    escalation: Escalation | None = None
    tuned: Tuned | None = None


class Classifier:
    """A trained classifier. Safe to share between threads; loads its encoders with the first text."""

    def __init__(self, state: State) -> None:
        self.state = state
        self._background = state.labels.index(BACKGROUND) if BACKGROUND in state.labels else None
        self._tuned_columns = None if state.tuned is None else columns_of(state.tuned, state.labels)
        self._acts = [number for number, label in enumerate(state.labels) if label in ACTS]

    @property
    def labels(self) -> tuple[str, ...]:
        return self.state.labels

    def classify(self, text: str) -> Classification:
        """The class of a text of any length; never raises on any text."""
        sentences = split(text)
        if not sentences:
            return Classification(BACKGROUND, 0.0, ())
        if len(sentences) == 1:
            return self._decided(sentences[0], None)
        parts = self._quick(sentences)[0]
        kept = self._telling(parts)
        return self._decided(" ".join(sentences[n] for n in kept)[:WHOLE_AT_MOST], parts[kept])

    def escalates(self, found: Classification, signals: Signals, language: str | None) -> bool:
        """Is a text like those that needed a case? Without anything learned of that, what the rules say."""
        learned = self.state.escalation
        if learned is None or not found.whole:
            return signals.escalate
        vector = found.vectors[0, : self.state.quick.dense.shape[0]]
        return learned.needed(vector, self.state.ngrams.row(found.whole), signals, language or "en", self._need(found))

    def _need(self, found: Classification) -> float:
        if found.need is not None or self.state.tuned is None:
            return found.need or 0.0
        return float(self.state.tuned.read([found.whole]).need[0])

    def _quick(self, texts: Sequence[str]) -> tuple[Vectors, Vectors]:
        """Probabilities and vectors."""
        vectors = self.state.spaces[0].place(texts)
        return self.state.quick.read(vectors, [self.state.ngrams.row(text) for text in texts]), vectors

    def _telling(self, parts: Vectors) -> list[int]:
        """The sentences that are not filler; nor greetings and thanks, where a matter is told beside them."""
        said = np.ones(len(parts), dtype=bool)
        if self._background is not None:
            said &= parts[:, self._background] < FILLER
        matters = said & (parts[:, self._acts].sum(axis=1) < FILLER)
        for chosen in (matters, said):
            if chosen.any():
                return [int(number) for number in np.flatnonzero(chosen)]
        return list(range(len(parts)))

    def _decided(self, whole: str, parts: Vectors | None) -> Classification:
        """What the text as a whole says, supported by what its sentences say each."""
        (probabilities,), vectors = self._quick([whole])
        reading = _Reading(whole, probabilities, vectors, self.state.quick)
        if lead_of(probabilities) < CLEAR:
            self._weigh(reading)
        nearness = reading.reader.nearness(reading.vectors[0], reading.probabilities)
        if parts is not None:
            reading.probabilities = np.asarray((2 * reading.probabilities + parts.mean(axis=0)) / 3, dtype=np.float32)
        return self._ranked(reading, nearness, parts)

    def _weigh(self, reading: _Reading) -> None:
        """What the tuned reader says counts as well and, if both together are in doubt, what the thorough one does."""
        whole, beside = reading.whole, None
        if self.state.tuned is not None:
            chances, need = self.state.tuned.read([whole])
            beside, reading.need = chances[0, self._tuned_columns], float(need[0])
        reading.probabilities = together(reading.probabilities, beside)
        if self.state.thorough is not None and lead_of(reading.probabilities) < self.state.sure:
            reading.reader = self.state.thorough
            reading.vectors = np.hstack([reading.vectors, *(space.place([whole]) for space in self.state.spaces[1:])])
            (thorough,) = reading.reader.read(reading.vectors, [self.state.ngrams.row(whole)])
            reading.probabilities = together(thorough, beside)

    def _ranked(self, reading: _Reading, nearness: float, parts: Vectors | None) -> Classification:
        scores = np.sqrt(softened(reading.probabilities, reading.reader)) * nearness
        order = [int(position) for position in np.argsort(-scores, kind="stable")]
        ranking = tuple((self.labels[n], float(scores[n])) for n in order if self.labels[n] != BACKGROUND)
        read = (reading.whole, reading.vectors, reading.need)
        if not ranking or self.labels[order[0]] == BACKGROUND:
            return Classification(BACKGROUND, 0.0, ranking, (), *read)
        label, confidence = ranking[0]
        return Classification(label, confidence, ranking, self._also(label, parts), *read)

    def _also(self, label: str, parts: Vectors | None) -> tuple[str, ...]:
        """The complaint classes, other than `label`, that a sentence names clearly; in the order they are named."""
        if parts is None:
            return ()
        named = [self.labels[int(row.argmax())] for row in parts if row.max() >= ALSO]
        return tuple(dict.fromkeys(each for each in named if each in COMPLAINTS and each != label))


def columns_of(tuned: Tuned, labels: Sequence[str]) -> list[int]:
    """Where the tuned reader's probability of each of `labels` stands. Raises ValueError for one it does not know."""
    return [tuned.labels.index(label) for label in labels]


def together(general: Vectors, tuned: Vectors | None) -> Vectors:
    """The mean of what a general reader and the tuned one say."""
    return general if tuned is None else np.asarray((general + tuned) / 2, dtype=np.float32)


def softened(probabilities: Vectors, reader: Reader) -> Vectors:
    """The probabilities as a temperature of `SOFTNESS` would give them."""
    soft = probabilities ** (reader.temperature / SOFTNESS)
    return np.asarray(soft / soft.sum(), dtype=np.float32)


def lead_of(probabilities: Vectors) -> float:
    """By how much the most probable label leads the next one."""
    second, first = np.sort(probabilities)[-2:]
    return float(first - second)
