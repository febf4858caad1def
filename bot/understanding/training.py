"""How is the classifier fitted? The only module that needs scikit-learn."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from importlib import import_module
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from bot.understanding.classifier import State, centred, softmax
from bot.understanding.encoder import Encoder, Vectors
from bot.understanding.language import language_of
from bot.understanding.ngrams import NGrams

INVERSE_REGULARISATION: Final = 10.0
GRAM_WEIGHT: Final = 0.6
"""Length of the n-gram part of a feature row; the sentence vector has length one. Chosen on five folds."""

FOLDS: Final = 5
ROTATE_AT_MOST: Final = 4_000
"""Examples up to which the features are rotated; above, the rotation costs more than it saves."""

_TEMPERATURES: Final = np.geomspace(0.2, 3.0, 40)


def fit(examples: Sequence[tuple[str, str]], encoder: Encoder) -> State:
    """The state learned from (text, label) pairs; the same pairs give the same state."""
    texts = [text for text, _ in examples]
    labels = tuple(sorted({label for _, label in examples}))
    if len(labels) < 2:
        raise ValueError("a classifier needs examples of at least two labels; check data/nlu")
    targets = np.array([labels.index(label) for _, label in examples])
    raw = encoder.encode(texts)
    means = _means(raw, texts)
    vectors = centred(raw, texts, means)
    ngrams = NGrams.fit(texts)
    features, back = _rotated(_features(vectors, texts, ngrams))
    temperature = _temperature(features, targets, len(labels))
    weights, bias = _regression(features, targets, len(labels))
    weights = np.asarray(back @ weights, dtype=np.float32)
    width = vectors.shape[1]
    sparse = weights[width:] * GRAM_WEIGHT
    return State(labels, means, vectors, ngrams, weights[:width], sparse, bias, temperature)


def _means(raw: Vectors, texts: Sequence[str]) -> Mapping[str, Vectors]:
    """The mean vector of each language's texts; "" is the mean of all, for texts of no language."""
    rows: dict[str, list[int]] = defaultdict(list)
    for number, text in enumerate(texts):
        rows[language_of(text) or ""].append(number)
    means = {language: raw[numbers].mean(axis=0) for language, numbers in rows.items() if language}
    return {**means, "": raw.mean(axis=0)}


def _features(vectors: Vectors, texts: Sequence[str], ngrams: NGrams) -> Any:
    """Vectors and n-grams side by side as one sparse matrix, a row per text."""
    sparse = import_module("scipy.sparse")
    rows = [ngrams.row(text) for text in texts]
    starts = np.cumsum([0] + [len(positions) for positions, _ in rows])
    positions = np.concatenate([positions for positions, _ in rows])
    weights = np.concatenate([weights for _, weights in rows]) * GRAM_WEIGHT
    grams = sparse.csr_matrix((weights, positions, starts), shape=(len(texts), len(ngrams.vocabulary)))
    return sparse.hstack([sparse.csr_matrix(vectors), grams], format="csr")


def _rotated(features: Any) -> tuple[Any, Any]:
    """The features on the axes that the texts span, and the matrix that takes coefficients back.

    With fewer texts than features this is the same regression (a rotation changes no length), six times faster.
    """
    sparse = import_module("scipy.sparse")
    if features.shape[0] > min(ROTATE_AT_MOST, features.shape[1]):
        return features, sparse.identity(features.shape[1], format="csr")
    values, axes = np.linalg.eigh((features @ features.T).toarray().astype(np.float64))
    kept = values > 1e-6 * values.max()
    roots = np.sqrt(values[kept])
    return axes[:, kept] * roots, features.T @ (axes[:, kept] / roots)


def _regression(features: Any, targets: NDArray[Any], labels: int) -> tuple[Vectors, Vectors]:
    """Coefficients (a column per label) and bias. A label absent from `targets` gets an unreachable bias."""
    linear_model = import_module("sklearn.linear_model")
    model = linear_model.LogisticRegression(C=INVERSE_REGULARISATION, max_iter=500, tol=1e-2)
    model.fit(features, targets)
    rows, bias = model.coef_, model.intercept_
    if len(model.classes_) == 2:
        rows, bias = np.vstack([-rows[0], rows[0]]) / 2, np.array([-bias[0], bias[0]]) / 2
    weights = np.zeros((features.shape[1], labels), dtype=np.float32)
    full_bias = np.full(labels, -50.0, dtype=np.float32)
    weights[:, model.classes_] = rows.T
    full_bias[model.classes_] = bias
    return weights, full_bias


def _temperature(features: Any, targets: NDArray[Any], labels: int) -> float:
    """What the logits are divided by so that held-out probabilities mean what they say (log loss least)."""
    folds = folds_of(targets)
    held_out = np.zeros((len(targets), labels), dtype=np.float32)
    for fold in range(FOLDS):
        rest, part = folds != fold, folds == fold
        if not part.any() or len(set(targets[rest])) < 2:
            return 1.0
        weights, bias = _regression(features[rest], targets[rest], labels)
        held_out[part] = features[part] @ weights + bias
    losses = [_loss(held_out / temperature, targets) for temperature in _TEMPERATURES]
    return float(_TEMPERATURES[int(np.argmin(losses))])


def folds_of(targets: NDArray[Any]) -> NDArray[Any]:
    """A fold number per example, each label dealt out evenly and always the same way."""
    folds = np.zeros(len(targets), dtype=int)
    for target in np.unique(targets):
        places = np.flatnonzero(targets == target)
        folds[places] = np.arange(len(places)) % FOLDS
    return folds


def _loss(logits: NDArray[Any], targets: NDArray[Any]) -> float:
    chosen = softmax(logits)[np.arange(len(targets)), targets]
    return float(-np.log(np.maximum(chosen, 1e-12)).mean())
