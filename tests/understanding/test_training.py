"""Does a training learn what its examples show, and does what it learned survive on disk?"""

from __future__ import annotations

import json
import os
import subprocess
from dataclasses import dataclass
from pathlib import Path

import pytest

from bot.understanding import reader
from bot.understanding.classifier import Classifier
from bot.understanding.language import language_of
from bot.understanding.model_files import BrokenModel, load
from bot.understanding.signals import signals_of
from tests.understanding.letters import corpus, encoders
from tests.understanding.nlu_data import ROOT

RASA_PYTHON = ROOT / "bot" / "rasa" / ".venv" / "bin" / "python"
NEW = {"aaaaa 77": "deposit_issue", "ppppp 77": "withdrawal_issue", "充aaaaa77": "deposit_issue"}
GRAVE = ("aaaa 91 zzz", "pppp 92 zzz", "充aaaa93 zzz", "提pppp94 zzz")
CALM = ("aaaa 91", "pppp 92", "充aaaa93", "提pppp94")
TEXTS = [*NEW, *GRAVE, *CALM, "regards 61", "", "aaaa. pppp.", "9" * 300]


@dataclass(frozen=True)
class Trained:
    """What came out of it: the folder with both trainings, and what the first one said before it was saved."""

    folder: Path
    said: dict[str, tuple[str, float, bool]]
    encoded: list[int]
    encoded_again: list[int]
    one_label: str


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Trained:
    assert RASA_PYTHON.exists(), f"{RASA_PYTHON} is missing; make run sets it up"
    folder = tmp_path_factory.mktemp("trained")
    done = subprocess.run(
        [RASA_PYTHON, Path(__file__).with_name("in_rasa_env.py"), folder],
        input=json.dumps(TEXTS),
        capture_output=True,
        text=True,
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT), "OPENBLAS_NUM_THREADS": "1"},
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    said = {text: tuple(answer) for text, answer in zip(TEXTS, told["said"], strict=True)}
    return Trained(folder, said, told["encoded"], told["encoded_again"], told["one_label"])


@pytest.fixture
def loaded(trained: Trained, monkeypatch: pytest.MonkeyPatch) -> Classifier:
    monkeypatch.setattr(reader, "encoder_named", encoders().__getitem__)
    return load(trained.folder / "first")


def test_texts_it_has_not_seen_are_told_apart(trained: Trained) -> None:
    assert {text: trained.said[text][0] for text in NEW} == NEW
    assert trained.said["regards 61"][:2] == ("background", 0.0)


def test_what_needs_a_case_is_learned_though_no_rule_names_it(trained: Trained) -> None:
    assert [signals_of(text, None).escalate for text in GRAVE] == [False] * len(GRAVE)
    assert [trained.said[text][2] for text in GRAVE] == [True] * len(GRAVE)
    assert [trained.said[text][2] for text in CALM] == [False] * len(CALM)


def test_a_saved_classifier_says_the_same_on_the_other_python(trained: Trained, loaded: Classifier) -> None:
    for text, (label, confidence, escalates) in trained.said.items():
        found, language = loaded.classify(text), language_of(text)
        assert found.label == label
        assert found.confidence == pytest.approx(confidence, abs=1e-6)
        assert loaded.escalates(found, signals_of(text, language), language) == escalates


def test_the_same_examples_give_the_same_classifier(trained: Trained, loaded: Classifier) -> None:
    again = load(trained.folder / "again")
    assert again.labels == loaded.labels
    assert again.state.sure == loaded.state.sure
    for text in TEXTS:
        assert again.classify(text).ranking == loaded.classify(text).ranking


def test_no_text_is_encoded_for_a_second_training(trained: Trained) -> None:
    assert trained.encoded == [len(corpus())] * 2
    assert trained.encoded_again == trained.encoded


def test_one_label_teaches_nothing(trained: Trained) -> None:
    assert "at least two labels" in trained.one_label


@pytest.mark.parametrize("name", ["classifier.npz", "classifier.json"])
@pytest.mark.parametrize("content", [None, b"", b"nothing", b"{}", b"PK\x03\x04"])
def test_a_broken_file_is_named(trained: Trained, tmp_path: Path, name: str, content: bytes | None) -> None:
    for path in (trained.folder / "first").iterdir():
        (tmp_path / path.name).write_bytes(path.read_bytes())
    (tmp_path / name).unlink()
    if content is not None:
        (tmp_path / name).write_bytes(content)
    with pytest.raises(BrokenModel, match=str(tmp_path)):
        load(tmp_path)


def test_a_classifier_cut_short_is_named(trained: Trained, tmp_path: Path) -> None:
    for path in (trained.folder / "first").iterdir():
        (tmp_path / path.name).write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    with pytest.raises(BrokenModel, match="train it again"):
        load(tmp_path)


def test_another_format_is_named(trained: Trained, tmp_path: Path) -> None:
    for path in (trained.folder / "first").iterdir():
        (tmp_path / path.name).write_bytes(path.read_bytes())
    facts = json.loads((tmp_path / "classifier.json").read_text(encoding="utf-8"))
    (tmp_path / "classifier.json").write_text(json.dumps({**facts, "format": 99}), encoding="utf-8")
    with pytest.raises(BrokenModel, match="format is 99"):
        load(tmp_path)
