"""Takes measures: those of accuracy side by side, each in a process of its own; the timed ones one by one."""

from __future__ import annotations

import asyncio
import json
import os
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from bench.nlu.classify import classify
from bench.nlu.datasets import Missing
from bench.nlu.measures import Measure
from bench.nlu.server import server
from bench.nlu.table import Found
from bench.nlu.trial import Outcome
from bench.processes import RASA_PYTHON, ROOT

ONE_THREAD = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
LONGEST_LINE = 2**20


class BrokenOff(Exception):
    """A measure ended without a figure; the message has its last words."""


class Crew:
    """`jobs` is how many measures of accuracy run at the same time."""

    def __init__(self, data: Path, vectors: Path, jobs: int, quick: bool, say: Callable[[str], None]) -> None:
        self._data = data
        self._vectors = vectors
        self._quick = quick
        self._say = say
        self._free = asyncio.Semaphore(max(1, jobs))

    async def take(self, measures: Sequence[Measure]) -> Found:
        found = Found()
        await asyncio.gather(*(self._one(measure, found) for measure in measures if not measure.alone))
        for measure in measures:
            if measure.alone:
                await self._one(measure, found)
        return found

    async def _one(self, measure: Measure, found: Found) -> None:
        async with self._free:
            try:
                outcome = await self._outcome(measure)
            except Missing as reason:
                found.skipped[measure.name] = str(reason)
            except (BrokenOff, AssertionError) as reason:
                found.broken[measure.name] = str(reason)
            else:
                found.figures.update(outcome.figures)
                found.notes += outcome.notes

    async def _outcome(self, measure: Measure) -> Outcome:
        def say(line: str) -> None:
            self._say(f"{measure.name}: {line}")

        if measure.name == "server":
            return await server(say, self._quick)
        if measure.name == "classify":
            return await classify(self._data, say, self._quick)
        return await self._worker(measure, say)

    async def _worker(self, measure: Measure, say: Callable[[str], None]) -> Outcome:
        python = str(RASA_PYTHON) if measure.place == "rasa" else sys.executable
        if not await asyncio.to_thread(Path(python).exists):
            raise Missing("Rasa's environment is not there: `make setup`")
        command = [python, "-W", "ignore", "-m", "bench.nlu.work", measure.name]
        command += ["--data", str(self._data), "--vectors", str(self._vectors), *(["--quick"] if self._quick else [])]
        process = await asyncio.create_subprocess_exec(
            *command, cwd=ROOT, env={**os.environ, **ONE_THREAD},
            stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE, limit=LONGEST_LINE,
        )  # fmt: skip
        assert process.stdout is not None
        assert process.stderr is not None
        errors = asyncio.create_task(process.stderr.read())
        last: dict[str, Any] = {}
        async for line in process.stdout:
            last = json.loads(line)
            if "say" in last:
                say(last["say"])
        await process.wait()
        words = (await errors).decode(errors="replace").strip()
        return _outcome_of(last, words or f"it ended with code {process.returncode}")


def _outcome_of(last: Mapping[str, Any], words: str) -> Outcome:
    """Of the last line that a worker said; `words` are what it complained of. Raises Missing and BrokenOff."""
    if "missing" in last:
        raise Missing(last["missing"])
    if "figures" not in last:
        raise BrokenOff(words.splitlines()[-1])
    return Outcome(last["figures"], tuple(last["notes"]))
