"""How much memory each process holds: after the start, when idle, and after two hundred messages."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from bench.chat import QUESTIONS
from bench.desk import WholeDesk, chatting, whole_desk
from bench.frame import AtMost, Benchmark, Figures, Place, Steps

MESSAGES = 200
AT_ONCE = 2
SETTLE_SECONDS = 2.0


@asynccontextmanager
async def _open(place: Place) -> AsyncIterator[Steps]:
    count = 0

    async def start_and_talk() -> Figures:
        """A new start each time: what a process holds depends on its history."""
        nonlocal count
        count += 1
        folder = place.folder / str(count)
        folder.mkdir()
        async with whole_desk(folder) as desk:
            await asyncio.sleep(SETTLE_SECONDS)
            idle = _resident(desk, "idle")
            await asyncio.gather(*(_talk(desk, MESSAGES // len(QUESTIONS) // AT_ONCE) for _ in range(AT_ONCE)))
            await asyncio.sleep(SETTLE_SECONDS)
            return {**idle, **_resident(desk, f"after {MESSAGES} messages")}

    yield {"start and talk": start_and_talk}


async def _talk(desk: WholeDesk, visitors: int) -> None:
    for _ in range(visitors):
        async with chatting(desk) as chat:
            for question in QUESTIONS:
                await chat.ask(question)


def _resident(desk: WholeDesk, when: str) -> Figures:
    return {f"{name}, {when}": process.resident_mb() for name, process in desk.processes.items()}


BENCHMARKS = [
    Benchmark(
        name="memory",
        question="How many megabytes does each process of the desk hold?",
        unit="MB resident",
        open=_open,
        bars=(
            AtMost("app, idle", 250),
            AtMost("rasa, idle", 600),
            AtMost("rasa, after 200 messages", 600),
            AtMost("app, after 200 messages", 250, goal=True),
        ),
        warm_up=0,
    )
]
