"""Which class does a text belong to, and how sure are we?

Sentence vectors, centred per language, and character n-grams feed one multinomial logistic regression whose
temperature is fitted on held-out folds. The state is arrays and JSON, never a pickle.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from bot.understanding.encoder import Vectors, encoder_named
from bot.understanding.labels import BACKGROUND, weight_of
from bot.understanding.language import language_of
from bot.understanding.ngrams import NGrams
from bot.understanding.sentences import split

FORMAT: Final = 1
WHOLE_AT_MOST: Final = 240
"""Characters up to which a text of several sentences is also read as one."""

_ARRAYS: Final = "classifier.npz"
_FACTS: Final = "classifier.json"


class BrokenModel(ValueError):
    """The saved classifier cannot be read; train again."""


@dataclass(frozen=True)
class Classification:
    """What a text is about.

    `confidence` is sqrt(probability) x cosine to the nearest training sentence, 0 to 1: low both for a text
    between two classes and for one unlike anything trained on. `ranking` holds (label, confidence), best
    first, without the background class. A text of nothing but filler is "background" with confidence 0.
    """

    label: str
    confidence: float
    ranking: tuple[tuple[str, float], ...]


@dataclass(frozen=True)
class State:
    """Everything a classifier has learned.

    `means` is the mean vector per language ("" for texts without one), `vectors` the centred training
    vectors, `dense` and `sparse` the coefficients for vectors and n-grams (one column per label), `bias` one
    per label, `temperature` divides the logits.
    """

    labels: tuple[str, ...]
    means: Mapping[str, Vectors]
    vectors: Vectors
    ngrams: NGrams
    dense: Vectors
    sparse: Vectors
    bias: Vectors
    temperature: float


class Classifier:
    """A trained classifier. Safe to share between threads; loads its encoder with the first text."""

    def __init__(self, state: State, encoder: str) -> None:
        self.state = state
        self.encoder_name = encoder

    @property
    def labels(self) -> tuple[str, ...]:
        return self.state.labels

    def classify(self, text: str) -> Classification:
        """The class of a text of any length; never raises on any text."""
        candidates = _candidates(text)
        if not candidates:
            return Classification(BACKGROUND, 0.0, ())
        probabilities, cosines = self._read(candidates)
        scores = np.sqrt(probabilities) * cosines[:, None]
        return self._ranked(scores[self._telling(probabilities, cosines)])

    def _read(self, texts: Sequence[str]) -> tuple[Vectors, Vectors]:
        """Per text: the probability of each label, and the cosine to the nearest training sentence."""
        state = self.state
        vectors = centred(encoder_named(self.encoder_name).encode(texts), texts, state.means)
        logits = vectors @ state.dense + state.bias
        for number, text in enumerate(texts):
            positions, weights = state.ngrams.row(text)
            logits[number] += weights @ state.sparse[positions]
        nearest = np.clip((vectors @ state.vectors.T).max(axis=1), 0.0, 1.0)
        return softmax(logits / state.temperature), nearest

    def _telling(self, probabilities: Vectors, cosines: Vectors) -> int:
        """Which of the texts says best what the matter is: probability x cosine, weighed by kind of label."""
        weights = np.array([weight_of(label) for label in self.labels], dtype=np.float32)
        return int(np.argmax((probabilities * weights).max(axis=1) * cosines))

    def _ranked(self, scores: Vectors) -> Classification:
        order = [int(position) for position in np.argsort(-scores, kind="stable")]
        ranking = tuple((self.labels[n], float(scores[n])) for n in order if self.labels[n] != BACKGROUND)
        if not ranking or self.labels[order[0]] == BACKGROUND:
            return Classification(BACKGROUND, 0.0, ranking)
        return Classification(*ranking[0], ranking)

    def save(self, folder: Path) -> None:
        """Writes the state into `folder`, which is made if missing."""
        folder.mkdir(parents=True, exist_ok=True)
        state = self.state
        facts = {
            "format": FORMAT,
            "encoder": self.encoder_name,
            "labels": state.labels,
            "languages": sorted(state.means),
            "temperature": state.temperature,
            "vocabulary": state.ngrams.vocabulary,
        }
        (folder / _FACTS).write_text(json.dumps(facts, ensure_ascii=False), encoding="utf-8")
        np.savez(
            folder / _ARRAYS,
            means=np.stack([state.means[language] for language in sorted(state.means)]),
            vectors=state.vectors,
            idf=state.ngrams.idf,
            dense=state.dense,
            sparse=state.sparse,
            bias=state.bias,
        )


def load(folder: Path) -> Classifier:
    """Reads what `Classifier.save` wrote. Raises BrokenModel, naming the file, when that cannot be read."""
    try:
        facts = json.loads((folder / _FACTS).read_text(encoding="utf-8"))
        with np.load(folder / _ARRAYS, allow_pickle=False) as stored:
            arrays = {name: stored[name].astype(np.float32) for name in stored.files}
        if facts["format"] != FORMAT:
            raise ValueError(f"its format is {facts['format']}, this version reads {FORMAT}")
        return Classifier(_state(facts, arrays), str(facts["encoder"]))
    except (OSError, KeyError, ValueError, TypeError, EOFError) as error:
        raise BrokenModel(f"the classifier in {folder} cannot be read: {error}; train it again") from error


def _state(facts: Mapping[str, Any], arrays: Mapping[str, Vectors]) -> State:
    return State(
        labels=tuple(facts["labels"]),
        means=dict(zip(facts["languages"], arrays["means"], strict=True)),
        vectors=arrays["vectors"],
        ngrams=NGrams(facts["vocabulary"], arrays["idf"]),
        dense=arrays["dense"],
        sparse=arrays["sparse"],
        bias=arrays["bias"],
        temperature=float(facts["temperature"]),
    )


def train(examples: Sequence[tuple[str, str]], encoder: str = "use") -> Classifier:
    """Trains on (text, label) pairs; needs scikit-learn. Raises ValueError for fewer than two labels."""
    from bot.understanding.training import fit

    return Classifier(fit(examples, encoder_named(encoder)), encoder)


def centred(raw: Vectors, texts: Sequence[str], means: Mapping[str, Vectors]) -> Vectors:
    """Unit vectors of the texts once the mean of each one's language is taken away from the `raw` ones.

    Without this, what all Chinese sentences share outweighs what two sentences about deposits share.
    """
    nothing = np.zeros(raw.shape[1], dtype=np.float32)
    return unit(raw - np.stack([means.get(language_of(text) or "", nothing) for text in texts]))


def unit(vectors: Vectors) -> Vectors:
    """Each row scaled to length one; a row of zeros stays."""
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    return np.asarray(vectors / np.maximum(lengths, 1e-9), dtype=np.float32)


def softmax(logits: NDArray[Any]) -> Vectors:
    exponentials = np.exp(logits - logits.max(axis=1, keepdims=True))
    return np.asarray(exponentials / exponentials.sum(axis=1, keepdims=True), dtype=np.float32)


def _candidates(text: str) -> list[str]:
    """What is classified: the sentences, and the whole where it is short enough to be one thought."""
    sentences = split(text)
    if len(sentences) > 1 and len(text) <= WHOLE_AT_MOST:
        sentences.append(" ".join(sentences))
    return sentences
