"""data/nlu as the tests of the classifier see it."""

from __future__ import annotations

from pathlib import Path

from bot.understanding.lessons.corpus import read

ROOT = Path(__file__).parents[2]
NLU = ROOT / "data" / "nlu"


def examples() -> list[tuple[str, str]]:
    """(text, label) of everything in data/nlu."""
    return [(example.text, example.label) for example in read(NLU)]
