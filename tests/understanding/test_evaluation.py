"""The frozen messages, what is measured on them, and what is said of a file that cannot be used."""

from __future__ import annotations

import json
import shutil
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from bot.understanding.labels import CLASSES
from bot.understanding.lessons.corpus import CorpusError
from bot.understanding.lessons.corpus import read as read_corpus
from bot.understanding.lessons.evaluation import Message, Report, evaluate, leaked, read
from tests.understanding.nlu_data import NLU

FOLDER = NLU.parent / "evaluation"
Broken = Callable[..., str]


def test_the_messages_are_in_order_and_were_never_trained_on() -> None:
    messages = read(FOLDER)
    counted = Counter((message.language, message.label) for message in messages)
    assert set(counted) == {(language, label) for language in ("en", "zh") for label in CLASSES}
    assert min(counted.values()) >= 16
    assert leaked(messages, read_corpus(NLU)) == []


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    shutil.copytree(FOLDER, tmp_path / "data" / "evaluation")
    return tmp_path / "data" / "evaluation"


def refusal(folder: Path) -> str:
    with pytest.raises(CorpusError) as caught:
        read(folder)
    return str(caught.value)


GOOD: dict[str, Any] = {"id": "en-1", "text": "where is it", "label": "spam", "escalate": False, "kind": "chat"}


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("{", ":541: is no JSON"),
        ("[]", ":541: must be an object of id, text, label, escalate, kind"),
        (json.dumps(GOOD | {"urgent": True}), ":541: must be an object of id, text, label, escalate, kind"),
        (json.dumps(GOOD | {"escalate": "yes"}), ":541: `escalate` must be true or false"),
        (json.dumps(GOOD | {"text": " "}), ":541: `text` is empty"),
        (json.dumps(GOOD | {"label": "greet"}), ":541: greet is no class"),
        (json.dumps(GOOD | {"kind": "live chat"}), ":541: `kind` must be one word"),
        (json.dumps(GOOD | {"text": "我的币在哪里"}), ":541: stands among messages in en and is in zh"),
        (
            json.dumps(GOOD | {"id": "en-001"}),
            ":541: the id en-001 stands already in data/evaluation/messages.en.jsonl:1",
        ),
    ],
)
def test_what_is_wrong_with_a_line_is_said(folder: Path, line: str, said: str) -> None:
    with (folder / "messages.en.jsonl").open("a", encoding="utf-8") as file:
        file.write(line + "\n")
    assert refusal(folder).startswith(f"data/evaluation/messages.en.jsonl{said}")


def test_an_unknown_language_a_missing_file_and_a_missing_class_are_named(folder: Path) -> None:
    (folder / "messages.zh.jsonl").rename(folder / "messages.fr.jsonl")
    path = folder / "messages.en.jsonl"
    kept = [line for line in path.read_text(encoding="utf-8").splitlines() if '"spam"' not in line]
    path.write_text("\n".join(kept), encoding="utf-8")
    assert refusal(folder).splitlines() == [
        "data/evaluation/messages.en.jsonl: has no message of spam",
        "data/evaluation/messages.fr.jsonl: is in no language we know: en, zh",
        "data/evaluation/messages.zh.jsonl: is missing",
    ]


def message(number: int, language: str, label: str, *, escalate: bool) -> Message:
    return Message(str(number), f"{number}", label, escalate, "chat", language, "", number)


FOUR = [
    message(1, "en", "spam", escalate=False),
    message(2, "en", "fees_limits", escalate=True),
    message(3, "zh", "fees_limits", escalate=True),
    message(4, "zh", "fees_limits", escalate=False),
]


def test_what_is_measured() -> None:
    verdicts = {"1": ("spam", False), "2": ("spam", True), "3": ("fees_limits", False), "4": ("fees_limits", True)}
    report = evaluate(lambda text: verdicts[text], FOUR)
    english, chinese = report.languages["en"], report.languages["zh"]
    assert (english.accuracy, english.macro, english.recall, english.false_alarms) == (0.5, 0.5, 1.0, 0.0)
    assert (chinese.accuracy, chinese.macro, chinese.recall, chinese.false_alarms) == (1.0, 1.0, 0.0, 1.0)
    assert report.classes == {"fees_limits": 2 / 3, "spam": 1.0}
    assert (report.overall.messages, report.overall.accuracy, report.overall.macro) == (4, 0.75, (2 / 3 + 1) / 2)
    assert Report.from_json(json.loads(json.dumps(report.as_json()))) == report


def test_nothing_is_measured_on_nothing() -> None:
    with pytest.raises(ValueError, match="nothing to evaluate"):
        evaluate(lambda _text: ("spam", False), [])
