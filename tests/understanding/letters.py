"""Encoders that a test can see through, and a small made-up corpus. Runs on both Pythons."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from bot.understanding.encoder import Encoder, Vectors

APPLES = "ap"
PEARS = "xy"


class Letters:
    """For this encoder a text is as much of each direction as it has of each letter. It counts what it is asked."""

    def __init__(self, name: str, letters: str) -> None:
        self.name = name
        self.letters = letters
        self.asked: list[str] = []

    def encode(self, texts: Sequence[str]) -> Vectors:
        self.asked += texts
        counts = [[text.count(letter) + 0.01 for letter in self.letters] for text in texts]
        vectors = np.array(counts, dtype=np.float32)
        return np.asarray(vectors / np.linalg.norm(vectors, axis=1, keepdims=True))


def encoders() -> dict[str, Encoder]:
    return {"apples": Letters("apples", APPLES), "pears": Letters("pears", PEARS)}


def corpus() -> list[tuple[str, str, bool]]:
    """(text, label, whether it needs a case): what the letters say, and "zzz" where a case is needed."""
    made: list[tuple[str, str, bool]] = []
    for number in range(60):
        grave = number % 3 == 0
        mark = " zzz" if grave else ""
        made.append((f"{'a' * (2 + number % 5)} {number}{mark}", "deposit_issue", grave))
        made.append((f"{'p' * (2 + number % 5)} {number}{mark}", "withdrawal_issue", grave))
        made.append((f"充{'a' * (2 + number % 5)}{number}{mark}", "deposit_issue", grave))
        made.append((f"提{'p' * (2 + number % 5)}{number}{mark}", "withdrawal_issue", grave))
        made.append((f"regards {number}", "background", False))
    return made
