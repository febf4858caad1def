"""Does the classifier's confidence tell what it was trained on from what it was not?"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bench.nlu import datasets
from bench.nlu.datasets import Pairs
from bench.nlu.trial import Outcome, Trial, percent
from bot.understanding.classifier import Classification, Classifier

REJECTED = 0.045
"""Share of what is in scope that may be taken for something else: on the validation split, so that it stays below 5 %
on the test split, whose texts it has not seen either."""


def clinc150(trial: Trial) -> Outcome:
    """150 intents are learned, nothing that is out of scope. The threshold is chosen on the validation split."""
    splits = datasets.clinc(trial.data)
    classifier = trial.train(splits["train"])
    least = threshold(_confidence(_answers(trial, classifier, splits["val"])))
    asked = trial.asked(splits["test"])
    inside = trial.ask(classifier, [text for text, _ in asked])
    known, unknown = _confidence(inside), _confidence(_answers(trial, classifier, splits["oos_test"]))
    right = [answer.label == label for answer, (_, label) in zip(inside, asked, strict=True)]
    figures = {
        "clinc150": percent(right),
        "clinc150-out": percent(bool(score < least) for score in unknown),
        "clinc150-auroc": 100 * auroc(known, unknown),
    }
    kept = percent(bool(score >= least) and hit for score, hit in zip(known, right, strict=True))
    rejected = percent(bool(score < least) for score in known)
    note = (
        f"CLINC150: confidence {least:.3f} rejects {rejected:.2f} % of the test's in-scope; right and kept {kept:.2f} %"
    )
    return Outcome(figures, (note,))


def threshold(confidences: NDArray[Any]) -> float:
    """The highest confidence below which no more than `REJECTED` of these lie."""
    ordered = np.sort(confidences)
    return float(ordered[int(len(ordered) * REJECTED)])


def auroc(known: NDArray[Any], unknown: NDArray[Any]) -> float:
    """The chance that something known scores higher than something unknown; equal ones count half."""
    ordered = np.sort(unknown)
    below = np.searchsorted(ordered, known, side="left")
    level = np.searchsorted(ordered, known, side="right") - below
    return float((below + level / 2).sum() / (len(known) * len(unknown)))


def _answers(trial: Trial, classifier: Classifier, pairs: Pairs) -> Sequence[Classification]:
    return trial.ask(classifier, [text for text, _ in trial.asked(pairs)])


def _confidence(answers: Sequence[Classification]) -> NDArray[Any]:
    return np.array([answer.confidence for answer in answers])
