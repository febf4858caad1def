"""A candidate is measured against the live model: what becomes of either, and the exit codes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from bot.rasa.candidate import DONE, FAILED, NOT_BETTER, challenge
from bot.rasa.stamp import inputs_digest, taught_path, write_stamp
from bot.understanding.archive import CannotOpen
from bot.understanding.lessons.evaluation import Figures, Message, Report
from tests.rasa.processes import ROOT

FIGURES = Figures(messages=1080, accuracy=0.8, macro=0.8, recall=0.9, false_alarms=0.1)


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A project with the real evaluation, and a live model of its inputs."""
    (tmp_path / "config.yml").write_text("pipeline")
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "evaluation").symlink_to(ROOT / "data" / "evaluation")
    (tmp_path / "models").mkdir()
    live = tmp_path / "models" / "bot.tar.gz"
    live.write_text("live")
    write_stamp(live, inputs_digest(tmp_path))
    (tmp_path / "lessons.yml").write_text("lessons")
    return tmp_path


class Bench:
    """Trains in no time, and measures what the test says."""

    def __init__(self, project: Path, accuracy: float = 0.8, *, trains: bool = True) -> None:
        self.project = project
        self.live = project / "models" / "bot.tar.gz"
        self.trained: list[str] = []
        self._accuracy = accuracy
        self._trains = trains

    def train(self, model: Path) -> bool:
        lessons = taught_path(model)
        self.trained.append(lessons.read_text() if lessons.is_file() else "")
        if self._trains:
            model.write_text("candidate")
            write_stamp(model, inputs_digest(self.project, lessons))
        return self._trains

    def measure(self, model: Path, messages: Sequence[Message]) -> Report:
        assert len(messages) == 1080
        figures = replace(FIGURES, accuracy=self._accuracy if model.read_text() == "candidate" else 0.8)
        return Report({"en": figures, "zh": figures}, figures, {})

    def run(self) -> int:
        return challenge(self.live, self.project / "lessons.yml", self.train, self.measure, self.project)

    def names(self) -> list[str]:
        return sorted(path.name for path in self.live.parent.iterdir())


def test_a_better_one_becomes_live_and_keeps_its_lessons(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    bench = Bench(project, accuracy=0.82)
    assert bench.run() == DONE
    assert (bench.live.read_text(), taught_path(bench.live).read_text()) == ("candidate", "lessons")
    assert bench.names() == ["bot.stamp", "bot.tar.gz", "bot.taught.yml", "previous.stamp", "previous.tar.gz"]
    said = capsys.readouterr().out
    assert "zh right class" in said
    assert "the candidate is live now; `redress train --back` puts the one before back" in said


@pytest.mark.parametrize(("accuracy", "said"), [(0.8, "not better as a whole"), (0.79, "fewer classes right in en")])
def test_one_that_is_not_better_leaves_no_trace(
    project: Path, capsys: pytest.CaptureFixture[str], accuracy: float, said: str
) -> None:
    bench = Bench(project, accuracy=accuracy)
    assert bench.run() == NOT_BETTER
    assert (bench.live.read_text(), bench.names()) == ("live", ["bot.stamp", "bot.tar.gz"])
    assert f"the candidate stays out: it {'is ' if 'whole' in said else 'names '}{said}" in capsys.readouterr().out


def test_what_was_learned_once_is_not_trained_again(project: Path) -> None:
    assert Bench(project, accuracy=0.82).run() == DONE
    again = Bench(project, accuracy=0.9)
    assert (again.run(), again.trained) == (DONE, [])


def test_lessons_that_were_withdrawn_are_unlearned(project: Path) -> None:
    assert Bench(project, accuracy=0.82).run() == DONE
    (project / "lessons.yml").write_text("")
    again = Bench(project, accuracy=0.9)
    assert (again.run(), again.trained) == (NOT_BETTER, [""])


def test_a_failed_training_leaves_the_live_model(project: Path) -> None:
    bench = Bench(project, trains=False)
    assert bench.run() == FAILED
    assert (bench.live.read_text(), bench.names()) == ("live", ["bot.stamp", "bot.tar.gz"])


def test_without_a_whole_live_model_there_is_nothing_to_compare(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    bench = Bench(project)
    bench.live.write_text("damaged")
    assert (bench.run(), bench.trained) == (FAILED, [])
    assert "A candidate needs a live model to be measured against." in capsys.readouterr().err


def test_a_model_that_cannot_be_read_is_named(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    bench = Bench(project)

    def measure(model: Path, _messages: Sequence[Message]) -> Report:
        raise CannotOpen(f"The model {model} cannot be read")

    assert challenge(bench.live, project / "lessons.yml", bench.train, measure, project) == FAILED
    assert f"The model {bench.live} cannot be read" in capsys.readouterr().err
    assert bench.names() == ["bot.stamp", "bot.tar.gz"]
