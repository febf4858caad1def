"""Every conversation of `transcripts/`, through the chat of one whole desk: what is said, and how it ends.

`python -m tests.conversations.write` writes down anew what the desk says; read what it wrote.
"""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from collections.abc import Mapping
from pathlib import Path

import pytest

from bot.understanding.labels import CLASSES
from bot.understanding.lessons.corpus import read, same_words
from tests.conversations.script import Script, scripts
from tests.conversations.stage import Played, play_all

DATA = Path(__file__).resolve().parents[2] / "data"
SCRIPTS = scripts()
AWKWARD = "awkward"
SHORT = 12
"""Everybody says "ok", "转人工" and "I don't know" in the same words."""
pytestmark = pytest.mark.timeout(400)


@pytest.fixture(scope="module")
def played(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, Played]:
    """Those that are wanted, played at once."""
    asked = (item.callspec.params.get("script") for item in request.session.items if hasattr(item, "callspec"))
    wanted = {script.id for script in asked if isinstance(script, Script)}
    return asyncio.run(play_all(tmp_path_factory.mktemp("desk"), [s for s in SCRIPTS if s.id in wanted]))


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda script: script.id)
def test_a_conversation(script: Script, played: Mapping[str, Played]) -> None:
    result = played[script.id]
    seen = script.played(result.lines)
    if result.failure is not None:
        raise AssertionError(f"broken off after:\n{seen}") from result.failure
    same = len(script.lines) == len(seen.lines) and all(
        line.fits(other) for line, other in zip(script.lines, seen.lines, strict=True)
    )
    # The whole texts are compared where they differ, so that pytest shows where.
    assert same or str(seen) == str(script)


def test_both_languages_have_each_class_twice_and_the_awkward_ones() -> None:
    counted = Counter(script.file for script in SCRIPTS)
    for language in ("en", "zh"):
        assert {name: counted[f"{name}.{language}"] for name in CLASSES if counted[f"{name}.{language}"] < 2} == {}
        assert counted[f"{AWKWARD}.{language}"] >= 12
        assert sum(n for name, n in counted.items() if name.endswith(language)) >= 60
    assert sum(counted.values()) >= 120


def test_every_conversation_comes_to_an_end_and_has_its_own_name() -> None:
    assert len({script.id for script in SCRIPTS}) == len(SCRIPTS)
    assert [script.id for script in SCRIPTS if "end" not in {line.kind for line in script.lines}] == []
    assert [script.id for script in SCRIPTS if not script.deeds] == []


def test_nobody_says_what_the_assistant_was_trained_or_measured_with() -> None:
    trained = [example.text for example in read(DATA / "nlu")]
    rows = [row for path in (DATA / "evaluation").glob("*.jsonl") for row in path.read_text("utf-8").splitlines()]
    known = {same_words(text) for text in (*trained, *(json.loads(row)["text"] for row in rows))}
    said = {line.text for script in SCRIPTS for line in script.lines if line.kind == "user"}
    assert sorted(text for text in said if len(text) > SHORT and same_words(text) in known) == []
