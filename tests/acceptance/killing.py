"""Rounds of traffic, in each of which kill -9 hits a random process of the desk at a random moment."""

from __future__ import annotations

import asyncio
import os
import random
import signal
import time
from collections.abc import Awaitable, Callable, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path

from bot.store.store import Store
from tests.acceptance.books import Books, Waiting, waiting
from tests.acceptance.crowd import Said, everybody
from tests.acceptance.rasa_process import RasaProcess
from tests.process.desk import NO_CAPS, DeskProcess

QUIET_SECONDS = 120.0


@dataclass(frozen=True, kw_only=True)
class Plan:
    rounds: int
    mails: int
    chats: int
    lease_seconds: float
    seed: int
    processes: int = 1
    """App processes on one database and one data folder; more than one needs PostgreSQL."""


@dataclass(frozen=True, kw_only=True)
class Round:
    number: int
    victim: str
    moment_seconds: float
    messages: int
    left: int
    """Messages and answers that were unfinished when the victim died."""
    down_seconds: float
    """Until the victim was back. 0 for one that the desk itself replaces."""
    recovered_seconds: float
    """From when the victim was back until nothing of what was left was unfinished; with another process that goes on
    meanwhile, from the kill."""
    seconds: float
    faults: Sequence[str]


class Front:
    """Sends every new connection to one of the processes that live, as a load balancer does."""

    def __init__(self, desks: Sequence[DeskProcess], choices: random.Random) -> None:
        self._desks = desks
        self._choices = choices

    @property
    def url(self) -> str:
        return self._one().url

    @property
    def smtp_port(self) -> int:
        return self._one().smtp_port

    def _one(self) -> DeskProcess:
        return self._choices.choice([desk for desk in self._desks if desk.alive] or self._desks)


class Trial:
    def __init__(self, plan: Plan, folder: Path, database_url: str) -> None:
        self._plan = plan
        self._random = random.Random(plan.seed)
        self._picks = random.Random(plan.seed)
        """For what depends on the moment, so that the plan of victims and moments stays the same."""
        self._rasa = RasaProcess()
        self._desks = [self._desk(folder, database_url, number) for number in range(plan.processes)]
        self._front = Front(self._desks, self._picks)
        self._people = everybody(plan.mails, plan.chats, folder / "data")
        self._database_url = database_url
        self._busy_seconds = 0.0
        """How long a round's messages keep the desk busy: the kill comes at a random moment of that."""

    async def run(self, report: Callable[[Round], None]) -> list[Round]:
        """`report` hears of each round when it is over."""
        async with AsyncExitStack() as stack:
            stack.push_async_callback(self._rasa.kill)
            await self._rasa.start()
            for desk in self._desks:
                await desk.start()
                stack.push_async_callback(desk.stop)
            store = Store(self._database_url)
            stack.callback(store.close)
            books, rounds = Books(store), []
            await self._warm_up(store, books)
            for number in range(1, self._plan.rounds + 1):
                rounds.append(await self._round(number, store, books))
                report(rounds[-1])
        return rounds

    def _desk(self, folder: Path, database_url: str, number: int) -> DeskProcess:
        desk = DeskProcess(
            folder,
            database_url,
            self._rasa.url,
            WORK__LEASE_SECONDS=str(self._plan.lease_seconds),
            CHANNEL__WEBCHAT__MESSAGES_PER_MINUTE="10000",
            **NO_CAPS,
        )
        desk.log = folder / f"app{number}.log"
        return desk

    async def _warm_up(self, store: Store, books: Books) -> None:
        """Two rounds in which nobody dies: the first starts the processes that read mail, the second is timed."""
        for number in (self._plan.rounds + 1, self._plan.rounds + 2):
            began = time.monotonic()
            said = await self._write(number)
            await _at_rest(store)
            self._busy_seconds = time.monotonic() - began
            assert await books.faults(said, bot_was_there=True) == []

    async def _round(self, number: int, store: Store, books: Books) -> Round:
        began = time.monotonic()
        victim, kill, revive = self._choose()
        moment = self._random.uniform(0.0, self._busy_seconds)
        writing = asyncio.create_task(self._write(number))
        await asyncio.sleep(moment)
        await kill()
        killed = time.monotonic()
        left = await store.read(waiting)
        finishing = asyncio.create_task(_finished(store, left))
        down = await revive()
        finished = await finishing
        whole = killed if victim == "app" and len(self._desks) > 1 else killed + down
        said = await writing
        await _at_rest(store)
        faults = await books.faults(said, bot_was_there=victim != "rasa")
        for senders in self._people:
            faults += await senders.faults(store)
        return Round(
            number=number,
            victim=victim,
            moment_seconds=moment,
            messages=len(said),
            left=len(left.inbox | left.outbox),
            down_seconds=down,
            recovered_seconds=max(0.0, finished - whole),
            seconds=time.monotonic() - began,
            faults=faults,
        )

    async def _write(self, number: int) -> list[Said]:
        written = await asyncio.gather(*(senders.write(self._front, number) for senders in self._people))
        return [said for of_some in written for said in of_some]

    def _choose(self) -> tuple[str, Callable[[], Awaitable[None]], Callable[[], Awaitable[float]]]:
        """A victim: its name, how it is killed, and how it comes back (how many seconds that took)."""
        desk = self._random.choice(self._desks)
        name = self._random.choice(("app", "app", "parser", "rasa"))
        if name == "rasa":
            return name, self._rasa.kill, self._rasa.start
        if name == "parser":
            return name, lambda: _kill_a_parser(desk, self._picks), _by_itself
        return name, desk.kill, desk.start


async def _kill_a_parser(desk: DeskProcess, choices: random.Random) -> None:
    if parsers := desk.parsers():
        os.kill(choices.choice(parsers), signal.SIGKILL)


async def _by_itself() -> float:
    return 0.0


async def _finished(store: Store, left: Waiting) -> float:
    """When nothing of what was left was unfinished any more, in seconds of the monotonic clock."""
    async with asyncio.timeout(QUIET_SECONDS):
        while True:
            now = await store.read(waiting)
            if not (left.inbox & now.inbox or left.outbox & now.outbox):
                return time.monotonic()
            await asyncio.sleep(0.05)


async def _at_rest(store: Store) -> None:
    async with asyncio.timeout(QUIET_SECONDS):
        while await store.read(waiting):
            await asyncio.sleep(0.05)
