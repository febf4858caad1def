"""What a benchmark is, and how it is run: all sides take turns, so that a disturbed disk hits all of them.

A benchmark is declared in any module of this folder, in a list called `BENCHMARKS`:

    @asynccontextmanager
    async def _open(place: Place) -> AsyncIterator[Steps]:
        with closing(sqlite_floor(place.folder)) as floor:

            async def best() -> float:
                return await asyncio.to_thread(floor.commits_per_second)

            async def ours() -> Figures:
                return {"ours": 1900.0, "ours p99 ms": 12.0}

            yield {"floor": best, "ours": ours}


    BENCHMARKS = [
        Benchmark(
            name="road-sqlite",
            question="How many messages a second go the whole cycle on SQLite?",
            unit="messages/s",
            open=_open,
            bars=(AtLeast("ours", 1.0, of="floor"),),
        )
    ]

`_open` sets everything up (not measured) and yields the steps. In each round every step runs once, in this order. A
step returns one figure, which is the series named after it, or several by name. A bar compares figures of the same
round; what counts is the median over the rounds. `place.folder` is an empty folder on the disk of the project that is
removed afterwards; `place.note` adds a sentence to the report; raising `Missing` skips the whole benchmark with its
sentence, while a step left out only leaves its bars unmeasured.
"""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from typing import override

BUILD = Path(__file__).resolve().parents[1] / "build" / "bench"

type Figures = Mapping[str, float]
type Step = Callable[[], Awaitable[float | Figures]]
type Steps = Mapping[str, Step]


class Missing(Exception):
    """Something that the benchmark needs is not installed; the message says how to get it."""


@dataclass(frozen=True)
class Bar:
    """What `subject` must reach. With `of`, it is compared with that series of the same round.

    A `goal` is what we would like: missing it is no failure.
    """

    subject: str
    limit: float
    of: str | None = None
    goal: bool = False

    def value(self, round: Figures) -> float | None:
        """The compared value of one round; None when a side was not measured."""
        if self.subject not in round or (self.of is not None and self.of not in round):
            return None
        return round[self.subject] if self.of is None else self.compare(round[self.subject], round[self.of])

    def compare(self, subject: float, floor: float) -> float:
        return subject / floor

    def reached(self, value: float) -> bool:
        return value <= self.limit

    def line(self, floor: float | None) -> float:
        """Where the bar stands on the scale of the subject, `floor` being the median of the series `of`."""
        return self.limit if floor is None else self.limit * floor

    def sentence(self) -> str:
        return f"at most {self.limit:g}" + (f" x {self.of}" if self.of else "")


class AtMost(Bar):
    """The figure (or its ratio to `of`) may not be higher."""


class AtLeast(Bar):
    """The figure (or its ratio to `of`) may not be lower."""

    @override
    def reached(self, value: float) -> bool:
        return value >= self.limit

    @override
    def sentence(self) -> str:
        return f"at least {self.limit:g}" + (f" x {self.of}" if self.of else "")


class AddsAtMost(Bar):
    """The figure may exceed that of `of` by no more than this, in the benchmark's unit."""

    @override
    def compare(self, subject: float, floor: float) -> float:
        return subject - floor

    @override
    def line(self, floor: float | None) -> float:
        return self.limit + (floor or 0.0)

    @override
    def sentence(self) -> str:
        return f"at most {self.limit:g} more than {self.of}"


@dataclass
class Place:
    """Where a benchmark works, and its voice."""

    folder: Path
    say: Callable[[str], None]
    notes: list[str] = field(default_factory=list)

    def note(self, sentence: str) -> None:
        self.notes.append(sentence)


@dataclass(frozen=True, kw_only=True)
class Benchmark:
    """One question with all that answers it."""

    name: str
    question: str
    unit: str
    open: Callable[[Place], AbstractAsyncContextManager[Steps]]
    bars: Sequence[Bar] = ()
    rounds: int = 5
    warm_up: int = 1
    """Rounds that are run first and thrown away: imports, caches, prepared statements."""


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """How one bar came out: the compared value of each round. Empty when it was not measured."""

    bar: Bar
    values: Sequence[float]

    @property
    def reached(self) -> bool | None:
        return self.bar.reached(median(self.values)) if self.values else None

    @property
    def word(self) -> str:
        if self.reached is None:
            return "not measured"
        return ("" if self.reached else "not ") + ("reached (goal)" if self.bar.goal else "reached")


@dataclass(frozen=True, kw_only=True)
class Result:
    """The figures of every round, in order; `notes` are sentences for the reader."""

    benchmark: Benchmark
    rounds: Sequence[Figures]
    notes: Sequence[str]

    @property
    def series(self) -> Mapping[str, Sequence[float]]:
        names = dict.fromkeys(name for round in self.rounds for name in round)
        return {name: [round[name] for round in self.rounds if name in round] for name in names}

    @property
    def verdicts(self) -> Sequence[Verdict]:
        return [Verdict(bar=bar, values=self._values(bar)) for bar in self.benchmark.bars]

    def _values(self, bar: Bar) -> Sequence[float]:
        found = (bar.value(round) for round in self.rounds)
        return [value for value in found if value is not None]


async def run(benchmark: Benchmark, say: Callable[[str], None], rounds: int | None = None) -> Result:
    """Runs every round, saying what it is at. Raises Missing, and whatever a step raises."""
    BUILD.mkdir(parents=True, exist_ok=True)
    folder = Path(tempfile.mkdtemp(prefix="work-", dir=BUILD))
    place = Place(folder, say)
    wanted = max(1, rounds or benchmark.rounds)
    try:
        say("setting up")
        async with benchmark.open(place) as steps:
            for number in range(benchmark.warm_up):
                await _round(steps, say, f"warm-up {number + 1}/{benchmark.warm_up}")
            measured = [await _round(steps, say, f"round {number + 1}/{wanted}") for number in range(wanted)]
        return Result(benchmark=benchmark, rounds=measured, notes=place.notes)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


async def _round(steps: Steps, say: Callable[[str], None], title: str) -> Figures:
    figures: dict[str, float] = {}
    for name, step in steps.items():
        say(f"{title}: {name}")
        found = await step()
        figures.update(found if isinstance(found, Mapping) else {name: float(found)})
    return figures
