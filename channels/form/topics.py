"""What is asked about which topic: the file questions.yml."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path

import yaml

FILE = Path(__file__).parent / "questions.yml"
OTHER = "unclassified"


@cache
def groups() -> Mapping[str, Sequence[str]]:
    """Topics in the order in which they are offered, by the heading they stand under."""
    found: Mapping[str, Sequence[str]] = _file()["groups"]
    return found


@cache
def topics() -> Mapping[str, Sequence[str]]:
    """The questions of each topic."""
    found: Mapping[str, Sequence[str]] = _file()["topics"]
    return found


@cache
def _file() -> Mapping[str, Mapping[str, Sequence[str]]]:
    content: Mapping[str, Mapping[str, Sequence[str]]] = yaml.safe_load(FILE.read_text(encoding="utf-8"))
    return content
