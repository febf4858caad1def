"""Floors and goals, how they are told, and what the command makes of them."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

from bench.nlu import __main__ as command
from bench.nlu import running, table
from bench.nlu.classify import rate
from bench.nlu.datasets import Missing
from bench.nlu.measures import MEASURES, Measure, Row
from bench.nlu.table import Found
from bench.nlu.trial import Outcome
from bench.processes import RASA_PYTHON

RIGHT = Row(key="right", title="right ones", unit="%", floor=90, goal=95)
SLOW = Row(key="slow", title="how slow", unit="ms", floor=8, goal=3, lower=True)
BOUND = Row(key="bound", title="a bound", unit="ms", floor=25, goal=None, lower=True)
STAGED = (Measure(name="staged", place="rasa", rows=(RIGHT, SLOW, BOUND)), Measure(name="absent", place="app", rows=()))


@pytest.mark.parametrize(
    ("row", "value", "verdict"),
    [
        (RIGHT, 89.9, "MISSED"),
        (RIGHT, 90, "holds"),
        (RIGHT, 95, "goal"),
        (SLOW, 8.1, "MISSED"),
        (SLOW, 8, "holds"),
        (SLOW, 2, "goal"),
        (BOUND, 1, "holds"),
        (BOUND, 26, "MISSED"),
    ],
)
def test_a_figure_is_judged_by_floor_and_goal(row: Row, value: float, verdict: str) -> None:
    assert row.verdict(value) == verdict


def test_the_table_tells_figures_reasons_and_notes() -> None:
    found = Found({"right": 93.046, "slow": 120.4}, ["it was staged"], {"absent": "X is not there"}, {"third": "boom"})
    lines = table.table(found, STAGED).splitlines()
    assert [line.split() for line in lines[:3]] == [
        ["measure", "value", "unit", "floor", "goal", "verdict"],
        ["right", "ones", "93.05", "%", "90", "95", "holds"],
        ["how", "slow", "120", "ms", "<=", "8", "<=", "3", "MISSED"],
    ]
    assert lines[3:] == ["absent: left out, X is not there", "third: BROKEN OFF, boom", "note: it was staged"]


def test_the_json_holds_what_the_table_says(tmp_path: Path) -> None:
    body = json.loads(table.write(Found({"slow": 2.5}), STAGED, {"cores": "2"}, tmp_path).read_text(encoding="utf-8"))
    assert body["machine"] == {"cores": "2"}
    assert [(row["key"], row["value"], row["verdict"], row["lower_is_better"]) for row in body["rows"]] == [
        ("slow", 2.5, "goal", True)
    ]


@pytest.mark.parametrize("found", [Found({"right": 93, "slow": 99, "bound": 3}), Found()])
def test_the_plot_is_a_picture_even_of_nothing(found: Found, tmp_path: Path) -> None:
    assert table.draw(found, STAGED, tmp_path).read_bytes().startswith(b"\x89PNG")


def test_every_row_has_a_name_of_its_own_and_a_goal_beyond_its_floor() -> None:
    rows = [row for measure in MEASURES for row in measure.rows]
    assert len({row.key for row in rows}) == len(rows)
    assert all(row.goal is None or row.holds(row.goal, row.floor) for row in rows)


@pytest.fixture
def build(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Nothing is written to the project's own build folder."""
    folder = tmp_path / "build" / "bench"
    monkeypatch.setattr(command, "BUILD", folder)
    return folder


@pytest.mark.parametrize(
    ("outcome", "code"),
    [
        (Outcome({"right": 91, "slow": 4, "bound": 2}), 0),
        (Outcome({"right": 91, "slow": 9, "bound": 2}), 1),
        (Missing("it is not there"), 0),
        (running.BrokenOff("its last words"), 1),
    ],
)
def test_only_a_missed_floor_and_a_broken_measure_are_faults(
    outcome: Outcome | Exception, code: int, build: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def staged(_crew: running.Crew, _measure: Measure) -> Outcome:
        if isinstance(outcome, Exception):
            raise outcome
        return outcome

    monkeypatch.setattr(running.Crew, "_outcome", staged)
    monkeypatch.setattr(command, "MEASURES", STAGED[:1])
    assert command.main([]) == code
    assert {path.name for path in build.iterdir()} == {"nlu.json", "nlu.png"}


@pytest.mark.skipif(not RASA_PYTHON.exists(), reason="the Rasa environment is missing: make setup")
def test_from_files_to_verdict_with_made_up_data(
    tmp_path: Path, build: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Both encoders, a real training, in the processes in which it really happens."""
    texts = [f"{verb}{what}" for what in ("灯", "歌") for verb in ("请打开", "关掉", "我想要", "帮我找", "换一个")]
    split = [texts, ["light"] * 5 + ["music"] * 5]
    (tmp_path / "benchmarks" / "smp2017").mkdir(parents=True)
    data = json.dumps({"train": split, "develop": split, "test": split})
    (tmp_path / "benchmarks" / "smp2017" / "smp2017.json").write_text(data, encoding="utf-8")
    arguments = ["--data", str(tmp_path), "--vectors", str(tmp_path / "vectors"), "--only", "smp2017", "hwu64"]
    assert command.main(arguments) == 0
    said = capsys.readouterr().out
    assert "hwu64: left out, HWU64 is not there" in said
    (row,) = json.loads((build / "nlu.json").read_text(encoding="utf-8"))["rows"]
    assert (row["key"], row["value"], row["verdict"]) == ("smp2017", 100.0, "goal")
    assert {path.name.split("-")[0] for path in (tmp_path / "vectors").iterdir()} == {"use", "e5"}


ECHO = "import sys\nfor line in sys.stdin: print(line.strip(), flush=True)"


async def test_the_rate_is_that_of_the_answers() -> None:
    assert await rate([sys.executable, "-c", ECHO], ["text"] * 50) > 0


async def test_a_command_that_leaves_messages_unanswered_has_no_rate() -> None:
    with pytest.raises(Missing, match="answered 0 of 3 messages: no such command"):
        await rate([sys.executable, "-c", "raise SystemExit('no such command')"], ["text"] * 3)
