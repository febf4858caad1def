"""Does a message need a case and a person? Learned from examples, with what the rules hear among its features."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np

from bot.understanding.encoder import Vectors
from bot.understanding.ngrams import Row
from bot.understanding.signals import HAND_OVER, RULES, Signals

HEARD: Final = tuple(dict.fromkeys((*RULES, *HAND_OVER)))
"""The reasons that the rules give, in the order of their columns."""

WAITED: Final = (0.01, 2.0, 7.0)
"""Days from which a wait counts: any at all, rule 3 and rule 8 of the taxonomy."""

RULE_WEIGHT: Final = 0.75
"""What one rule counts beside a sentence vector of length one."""


@dataclass(frozen=True)
class Escalation:
    """A logistic regression over the vector of a text, its n-grams and what the rules heard.

    `thresholds` holds, per language, the sum of its logit and the tuned reader's from which a message is escalated;
    without a tuned reader it is the logit alone.
    """

    dense: Vectors
    sparse: Vectors
    bias: float
    thresholds: Mapping[str, float]

    def needed(self, vector: Vectors, grams: Row, signals: Signals, language: str, beside: float = 0.0) -> bool:
        """`vector` is that of the quick reader, `beside` the tuned reader's logit."""
        positions, weights = grams
        logit = float(np.concatenate([vector, heard(signals)]) @ self.dense + weights @ self.sparse[positions])
        return logit + self.bias + beside >= self.thresholds[language]


def heard(signals: Signals) -> Vectors:
    """What the rules heard, as numbers: a column per reason and per wait."""
    reasons = [float(code in signals.reasons) for code in HEARD]
    waits = [float(signals.days >= least) for least in WAITED]
    return np.array(reasons + waits, dtype=np.float32) * RULE_WEIGHT
