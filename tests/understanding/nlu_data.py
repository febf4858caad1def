"""Reads data/nlu as the tests see it."""

from __future__ import annotations

from pathlib import Path

import yaml

ROOT = Path(__file__).parents[2]
NLU = ROOT / "data" / "nlu"


def blocks(path: Path) -> list[tuple[str, list[str]]]:
    """(label, sentences) of each block of a file, English first."""
    data = yaml.safe_load(path.read_text(encoding="utf-8"))
    return [
        (block["intent"], [line.removeprefix("- ") for line in block["examples"].splitlines()]) for block in data["nlu"]
    ]


def examples() -> list[tuple[str, str]]:
    """(text, label) of everything in data/nlu."""
    found = []
    for path in sorted(NLU.glob("*.yml")):
        for label, sentences in blocks(path):
            found += [(sentence, label) for sentence in sentences]
    return found
