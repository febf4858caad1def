"""What a benchmark promises: sides take turns, bars are judged by medians of ratios, and what is missing is said."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from bench import __main__ as command
from bench import frame, plot, report
from bench.frame import AddsAtMost, AtLeast, AtMost, Bar, Benchmark, Figures, Missing, Place, Result, Steps

FLOOR = [100.0, 50.0, 100.0, 100.0, 100.0, 100.0]
OURS = [10.0, 60.0, 120.0, 130.0, 90.0, 125.0]
"""The first of each is the warm-up. The second round was disturbed: both sides were slow."""


@pytest.fixture(autouse=True)
def build(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Nothing is written to the project's own build folder."""
    folder = tmp_path / "build" / "bench"
    monkeypatch.setattr(frame, "BUILD", folder)
    monkeypatch.setattr(command, "BUILD", folder)
    return folder


class Staged:
    """A benchmark that measures what it was told; `order` is the order in which its sides ran."""

    def __init__(self, *bars: Bar, missing: str = "") -> None:
        self.order: list[str] = []
        self.folders: list[Path] = []
        self._missing = missing
        self.benchmark = Benchmark(name="staged", question="How fast is it?", unit="rows/s", open=self._open, bars=bars)

    @asynccontextmanager
    async def _open(self, place: Place) -> AsyncIterator[Steps]:
        if self._missing:
            raise Missing(self._missing)
        self.folders.append(place.folder)
        (place.folder / "a file").write_text("of the benchmark", encoding="utf-8")
        floor, ours = iter(FLOOR), iter(OURS)

        async def best() -> float:
            self.order.append("floor")
            return next(floor)

        async def own() -> Figures:
            self.order.append("ours")
            value = next(ours)
            return {"ours": value, "ours p99": value * 2}

        place.note("It was staged.")
        yield {"floor": best, "ours": own}


async def run(staged: Staged, say: Callable[[str], None] = lambda _line: None) -> Result:
    return await frame.run(staged.benchmark, say)


async def test_the_sides_take_turns_and_the_warm_up_does_not_count() -> None:
    staged = Staged()
    result = await run(staged)
    assert staged.order == ["floor", "ours"] * 6
    assert result.series == {"floor": FLOOR[1:], "ours": OURS[1:], "ours p99": [2 * value for value in OURS[1:]]}
    assert result.notes == ["It was staged."]


async def test_its_folder_is_gone_afterwards() -> None:
    staged = Staged()
    await run(staged)
    assert [folder.exists() for folder in staged.folders] == [False]


async def test_progress_names_the_round_and_the_side() -> None:
    said: list[str] = []
    await run(Staged(), said.append)
    assert said[0] == "setting up"
    assert said[1] == "warm-up 1/1: floor"
    assert said[-1] == "round 5/5: ours"


@pytest.mark.parametrize(
    ("bar", "median", "reached"),
    [
        (AtLeast("ours", 1.0, of="floor"), 1.2, True),
        (AtLeast("ours", 1.21, of="floor"), 1.2, False),
        (AtMost("ours", 1.25, of="floor"), 1.2, True),
        (AddsAtMost("ours", 20.0, of="floor"), 20.0, True),
        (AddsAtMost("ours", 19.0, of="floor"), 20.0, False),
        (AtMost("ours", 119.0), 120.0, False),
        (AtLeast("ours p99", 240.0), 240.0, True),
    ],
)
async def test_a_bar_is_judged_by_the_median_of_the_rounds(bar: Bar, median: float, reached: bool) -> None:
    """Compared within a round: the disturbed one (60 of 50) counts like any other."""
    (verdict,) = (await run(Staged(bar))).verdicts
    assert sorted(verdict.values)[2] == pytest.approx(median)
    assert verdict.reached is reached


async def test_a_bar_of_a_side_that_did_not_run_is_not_measured() -> None:
    (verdict,) = (await run(Staged(AtLeast("ours", 1.0, of="Postfix")))).verdicts
    assert (verdict.values, verdict.reached, verdict.word) == ([], None, "not measured")


async def test_the_table_shows_medians_spread_and_bars() -> None:
    shown = report.table(await run(Staged(AtLeast("ours", 1.0, of="floor"), AtLeast("ours", 9, of="floor", goal=True))))
    assert [line.split() for line in shown.splitlines()][:3] == [
        ["median", "rows/s", "least", "most"],
        ["floor", "100", "50.0", "100"],
        ["ours", "120", "60.0", "130"],
    ]
    assert "ours: 1.20 (0.900 to 1.30), at least 1 x floor: reached" in shown
    assert "at least 9 x floor: not reached (goal)" in shown
    assert "note: It was staged." in shown


async def test_the_json_holds_every_round_and_the_machine(build: Path) -> None:
    path = report.write(await run(Staged(AtLeast("ours", 1.0, of="floor"))), {"cores": "2"}, build)
    found = json.loads(path.read_text(encoding="utf-8"))
    assert found["machine"] == {"cores": "2"}
    assert [one["ours"] for one in found["rounds"]] == OURS[1:]
    assert found["series"]["ours"] == {"median": 120.0, "least": 60.0, "most": 130.0}
    assert (found["bars"][0]["median"], found["bars"][0]["reached"]) == (1.2, True)


async def test_the_plot_is_a_picture(build: Path) -> None:
    path = plot.draw(await run(Staged(AtLeast("ours", 1.0, of="floor"), AtLeast("ours", 1, of="Postfix"))), build)
    assert path.read_bytes().startswith(b"\x89PNG")


@pytest.mark.parametrize(
    ("bar", "arguments", "code"),
    [
        (AtLeast("ours", 9, of="floor"), [], 0),
        (AtLeast("ours", 9, of="floor"), ["--strict"], 1),
        (AtLeast("ours", 1, of="floor"), ["--strict"], 0),
        (AtLeast("ours", 9, of="floor", goal=True), ["--strict"], 0),
        (AtLeast("ours", 9, of="Postfix"), ["--strict"], 0),
    ],
)
def test_only_strict_fails_over_a_missed_bar(
    bar: Bar, arguments: list[str], code: int, monkeypatch: pytest.MonkeyPatch, build: Path
) -> None:
    staged = Staged(bar)
    monkeypatch.setattr(command, "found", lambda: {"staged": staged.benchmark})
    assert command.main(["staged", *arguments]) == code
    assert {path.name for path in build.iterdir()} == {"staged.json", "staged.png"}


def test_what_cannot_run_here_is_skipped_with_its_reason(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    staged = {"a": Staged(missing="Postfix is missing: install it.").benchmark, "b": Staged().benchmark}
    monkeypatch.setattr(command, "found", lambda: staged)
    assert command.main([]) == 0
    said = capsys.readouterr().out
    assert "staged: skipped. Postfix is missing: install it." in said
    assert "ours" in said


def test_an_unknown_name_is_said_to_be_one(capsys: pytest.CaptureFixture[str]) -> None:
    assert command.main(["mial"]) == 2
    assert "no benchmark is called mial; there are" in capsys.readouterr().err


def test_a_benchmark_is_chosen_by_its_name_or_by_its_family(capsys: pytest.CaptureFixture[str]) -> None:
    known = command.found()
    assert {"mail-new", "mail-keep", "chat", "memory"} <= known.keys()
    assert {name for name in known if command._named(name, ["mail"])} == {"mail-new", "mail-keep"}
    assert {name for name in known if command._named(name, ["mail-new", "chat"])} == {"mail-new", "chat"}
    assert command.main(["--list"]) == 0
    assert "mail-new" in capsys.readouterr().out


def test_every_bar_has_five_rounds_or_more_behind_it() -> None:
    assert [name for name, one in command.found().items() if one.rounds < 5] == []
