"""The documents tell the truth: what they name exists."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest

from bot.cli import _parser
from tests.repo.tree import ROOT

DOCUMENTS = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
NAMED_PATH = re.compile(r"`((?:bot|channels|actions|escalation|data|docs|tests|frontend|models|bench)/[\w./-]*)`")
COMMAND = re.compile(r"`redress ([a-z-]+)")
TARGET = re.compile(r"`make ([a-z-]+)")


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_every_path_named_exists(document: Path) -> None:
    named = NAMED_PATH.findall(document.read_text(encoding="utf-8"))
    assert not [name for name in named if not (ROOT / name).exists() and not _is_built(name)]


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_every_command_named_exists(document: Path) -> None:
    text = document.read_text(encoding="utf-8")
    known = re.findall(r"[a-z-]+", _parser().format_help())
    assert set(COMMAND.findall(text)) <= set(known)
    targets = re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE)
    assert set(TARGET.findall(text)) <= set(targets)


def test_decisions_are_numbered_without_gaps() -> None:
    numbers = sorted(int(path.name[:4]) for path in (ROOT / "docs" / "decisions").glob("*.md"))
    assert numbers == list(range(1, len(numbers) + 1))


def _is_built(name: str) -> bool:
    """Whether a command makes this path (git ignores it), so that a fresh clone does not have it yet."""
    shown = subprocess.run(["git", "check-ignore", name, f"{name}/"], cwd=ROOT, check=False, stdout=subprocess.PIPE)
    return shown.returncode == 0


def test_what_is_built_is_told_from_what_is_missing() -> None:
    assert _is_built("models/bot.tar.gz")
    assert _is_built("models/vectors")
    assert not _is_built("models/nowhere.md")
