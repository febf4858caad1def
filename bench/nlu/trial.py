"""One classifier is trained on some sentences and asked others: what every measure of accuracy consists of."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from bench.nlu.datasets import Pairs
from bot.understanding.classifier import Classification, Classifier
from bot.understanding.training import train

ENCODERS: tuple[str, ...] = ("use", "e5")
"""As in the model that is shipped."""
QUICK_LEARNS, QUICK_ASKS = 20, 3
"""Sentences of each label in a quick run, whose figures say only that everything works."""
SAY_EVERY = 500


@dataclass(frozen=True)
class Outcome:
    """What was measured, in the units of `measures.py`; and sentences for the reader."""

    figures: Mapping[str, float]
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Trial:
    """Where the data lies, whom progress is told, and whether only a little of everything is wanted."""

    data: Path
    say: Callable[[str], None]
    quick: bool = False
    encoders: tuple[str, ...] = field(default=ENCODERS)

    def train(self, pairs: Pairs) -> Classifier:
        learned = first_of_each(pairs, QUICK_LEARNS) if self.quick else pairs
        self.say(f"training on {len(learned):,} sentences")
        return train(learned, self.encoders)

    def ask(self, classifier: Classifier, texts: list[str]) -> list[Classification]:
        answers = []
        for number, text in enumerate(texts):
            if number % SAY_EVERY == 0:
                self.say(f"asking {number:,} of {len(texts):,}")
            answers.append(classifier.classify(text))
        return answers

    def asked(self, pairs: Pairs) -> Pairs:
        """What is asked of a test split."""
        return first_of_each(pairs, QUICK_ASKS) if self.quick else pairs

    def right(self, classifier: Classifier, pairs: Pairs) -> float:
        """Percent of a test split that got its label."""
        asked = self.asked(pairs)
        answers = self.ask(classifier, [text for text, _ in asked])
        return percent(answer.label == label for answer, (_, label) in zip(answers, asked, strict=True))


def percent(answers: Iterable[bool]) -> float:
    """How many of some truths are true."""
    counted = list(answers)
    return 100 * sum(counted) / len(counted)


def first_of_each(pairs: Pairs, most: int) -> Pairs:
    seen: dict[str, int] = defaultdict(int)
    found = []
    for text, label in pairs:
        seen[label] += 1
        if seen[label] <= most:
            found.append((text, label))
    return found
