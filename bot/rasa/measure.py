"""What does a trained archive make of the messages of the evaluation? Needs no Rasa."""

from __future__ import annotations

from pathlib import Path
from typing import Sequence

from bot.understanding.archive import classifier_of
from bot.understanding.judge import Judge
from bot.understanding.lessons.evaluation import Message, Report, evaluate


def measure(model: Path, messages: Sequence[Message]) -> Report:
    """Raises CannotOpen."""
    judge = Judge(classifier_of(model))

    def classify(text: str) -> tuple[str, bool]:
        said = judge.judge(text)
        return said.label, said.escalate

    return evaluate(classify, messages)
