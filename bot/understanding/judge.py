"""What is a message, all told: its class, whether it needs a case, whether a person should take over, and why?"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from bot.understanding.classifier import Classification, Classifier
from bot.understanding.labels import ACTS, BACKGROUND, COMPLAINTS, OTHERS
from bot.understanding.language import Language, language_of
from bot.understanding.signals import Severity, Signals, signals_of

LEARNED: Final = "learned"
"""The reason of a message that no rule names but that is like those which needed a case."""

ALWAYS: Final = frozenset({"theft", "scam", "data_leak", "legal", "regulator", "distress"})
"""Reasons with which a message reaches a person whatever class it seems to be of (taxonomy, rules 1 and 5)."""

_NO_MATTER: Final = frozenset((*OTHERS, *ACTS, BACKGROUND))


@dataclass(frozen=True)
class Judgement:
    """One message as understood. `label` is a class of the taxonomy, whatever dialogue act comes with it."""

    classification: Classification
    label: str
    confidence: float
    escalate: bool
    hand_over: bool
    reasons: tuple[str, ...]
    severity: Severity
    language: Language | None


class Judge:
    """Safe to share between threads."""

    def __init__(self, classifier: Classifier) -> None:
        self._classifier = classifier

    def judge(self, text: str) -> Judgement:
        """Never raises on any text."""
        language = language_of(text)
        found, signals = self._classifier.classify(text), signals_of(text, language)
        escalate = self.escalates(found, signals, language)
        reasons = signals.reasons or ((LEARNED,) if escalate else ())
        label, confidence = matter_of(found)
        return Judgement(found, label, confidence, escalate, signals.hand_over, reasons, signals.severity, language)

    def escalates(self, found: Classification, signals: Signals, language: Language | None) -> bool:
        """What seems to be no matter of ours is escalated only for one of the reasons that always count."""
        if ALWAYS.intersection(signals.reasons):
            return True
        return found.label not in _NO_MATTER and self._classifier.escalates(found, signals, language)


def matter_of(found: Classification) -> tuple[str, float]:
    """The most likely class of the taxonomy and its confidence; greetings and the like are none."""
    for label, confidence in found.ranking:
        if label in COMPLAINTS or label in OTHERS:
            return label, confidence
    return OTHERS[-1], 0.0
