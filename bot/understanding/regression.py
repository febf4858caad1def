"""Multinomial logistic regression over vectors and n-grams side by side. Needs SciPy, and so is for training only."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from bot.understanding.encoder import Vectors

STEPS: Final = 60
"""Steps of L-BFGS (Liu and Nocedal 1989) at most; held-out texts are understood no better after."""

_ENOUGH: Final = 2e-4
"""The steepest slope at which the search ends, per example."""


@dataclass(frozen=True)
class Weights:
    """Coefficients, a column per label: `dense` for vectors, `sparse` for n-grams, and a bias."""

    dense: Vectors
    sparse: Vectors
    bias: Vectors

    def logits(self, dense: NDArray[Any], sparse: Any) -> NDArray[Any]:
        return np.asarray(dense @ self.dense + sparse @ self.sparse + self.bias)


def regress(dense: Vectors, sparse: Any, targets: NDArray[Any], labels: int, strength: float) -> Weights:
    """The weights with the least mean log loss plus |weights|² / (2 x strength x examples).

    `dense` and `sparse` (a SciPy matrix) hold a row per example, `targets` its label's number.
    """
    minimize = import_module("scipy.optimize").minimize
    shape = (dense.shape[1] + sparse.shape[1] + 1, labels)
    slope = _slope(dense, sparse, np.eye(labels, dtype=np.float32)[targets], strength)
    options = {"maxiter": STEPS, "gtol": _ENOUGH, "maxcor": 8}
    found = minimize(slope, np.zeros(shape[0] * labels), jac=True, method="L-BFGS-B", options=options)
    weights = found.x.reshape(shape).astype(np.float32)
    width = dense.shape[1]
    return Weights(weights[:width], weights[width:-1], weights[-1])


def _slope(
    dense: Vectors, sparse: Any, wanted: Vectors, strength: float
) -> Callable[[NDArray[Any]], tuple[float, NDArray[Any]]]:
    """The loss and its gradient at given weights."""
    examples, labels = wanted.shape
    width = dense.shape[1]
    turned = sparse.T.tocsr()

    def slope(flat: NDArray[Any]) -> tuple[float, NDArray[Any]]:
        weights = flat.reshape(-1, labels).astype(np.float32)
        logits = dense @ weights[:width] + sparse @ weights[width:-1] + weights[-1]
        logits -= logits.max(axis=1, keepdims=True)
        logits -= np.log(np.exp(logits).sum(axis=1, keepdims=True))
        wrong = (np.exp(logits) - wanted) / examples
        gradient = np.vstack([dense.T @ wrong, turned @ wrong, wrong.sum(axis=0)])
        shrink = 1.0 / (strength * examples)
        gradient[:-1] += shrink * weights[:-1]
        loss = -(logits * wanted).sum() / examples + 0.5 * shrink * float((weights[:-1] ** 2).sum())
        return float(loss), gradient.ravel().astype(np.float64)

    return slope
