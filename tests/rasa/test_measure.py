"""Reading the classifier out of a trained archive, and measuring with it."""

from __future__ import annotations

import tarfile
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path

import pytest

from bot.rasa import measure as measuring
from bot.rasa.measure import measure
from bot.understanding import archive as archives
from bot.understanding.archive import COMPONENT, CannotOpen
from bot.understanding.lessons.evaluation import Message


@dataclass
class Judgement:
    label: str
    escalate: bool


class Judge:
    """Says of every message what the archive's classifier file says."""

    def __init__(self, learned: str) -> None:
        self._label = learned

    def judge(self, text: str) -> Judgement:
        return Judgement(self._label, "!" in text)


@pytest.fixture(autouse=True)
def stand_ins(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(measuring, "Judge", Judge)
    monkeypatch.setattr(archives, "load", _load)


def _load(folder: Path) -> str:
    try:
        return (folder / "classifier.json").read_text()
    except OSError as error:
        raise ValueError("no classifier.json") from error


def archive(folder: Path, names: dict[str, str]) -> Path:
    path = folder / "bot.tar.gz"
    with tarfile.open(path, "w:gz") as made:
        for name, content in names.items():
            member = tarfile.TarInfo(name)
            member.size = len(content)
            made.addfile(member, BytesIO(content.encode()))
    return path


MESSAGES = [
    Message("en-1", "buy now!", "spam", False, "chat", "en", "", 1),
    Message("zh-1", "提现没到账！!", "withdrawal_issue", True, "chat", "zh", "", 1),
]
INSIDE = f"./components/train_{COMPONENT}0/classifier.json"


def test_the_archives_own_classifier_is_measured_and_nothing_is_left(tmp_path: Path) -> None:
    path = archive(tmp_path, {INSIDE: "spam", "./components/other/classifier.json": "fees_limits", "metadata.json": ""})
    report = measure(path, MESSAGES)
    assert {language: figures.accuracy for language, figures in report.languages.items()} == {"en": 1.0, "zh": 0.0}
    assert (report.overall.recall, report.overall.false_alarms) == (1.0, 1.0)
    assert list(tmp_path.iterdir()) == [path]


def test_nothing_is_written_outside_of_the_private_folder(tmp_path: Path) -> None:
    path = archive(tmp_path, {f"../../{COMPONENT}/classifier.json": "spam"})
    assert measure(path, MESSAGES).languages["en"].accuracy == 1.0
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("names", [{}, {"metadata.json": "{}"}, {INSIDE.replace("classifier.json", "x.json"): ""}])
def test_an_archive_without_a_classifier_cannot_be_measured(tmp_path: Path, names: dict[str, str]) -> None:
    path = archive(tmp_path, names)
    with pytest.raises(CannotOpen, match="cannot be read"):
        measure(path, MESSAGES)


@pytest.mark.parametrize("content", [b"", b"no archive", b"\x1f\x8b\x08\x00broken"])
def test_a_broken_archive_is_named(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "bot.tar.gz"
    path.write_bytes(content)
    with pytest.raises(CannotOpen, match=r"bot\.tar\.gz cannot be read"):
        measure(path, MESSAGES)
