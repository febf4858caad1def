"""The road without its neighbours: how many messages a second are stored, and how many go the whole cycle.

A cycle is accept (one commit) and finish (one commit that ends the message and queues the reply). The channel, the
reader of texts and Rasa are stand-ins that do nothing, so what is left is the desk's own work and the disk's.
"""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from itertools import count
from pathlib import Path
from typing import Any, override

from sqlalchemy import Connection, func, select

from actions.commands import Command, Say
from bench.floors import SENDERS, postgres, sqlite_floor
from bench.frame import AtLeast, Benchmark, Place, Steps
from bot import catalogue, logs
from bot.clock import now
from bot.files import Files
from bot.finish import Finish
from bot.hub import Hub
from bot.inbox import Claim, Inbox
from bot.store.migrate import migrate
from bot.store.store import Store
from bot.store.tables import Inbox as InboxTable
from bot.store.tables import Outbox
from bot.thinking import Mind
from bot.turn import Turner
from bot.turns import TurnRunner
from bot.understanding.reading import Reading, read
from channels.contract import Capabilities, Channel, InboundMessage, OutboundMessage, ReadMessage, SendReceipt
from escalation.carry_out import CarryOut
from escalation.cases import Promise
from escalation.links import TrackingLinks
from escalation.queue import Patience

MESSAGES = 6000
CYCLES = 4000
LEASE = timedelta(seconds=15)
TEXT = "My withdrawal of 250 USDT has not arrived since yesterday, what can I do?"
READING = read(TEXT)
_NOWHERE = Path(os.devnull).open("w", encoding="utf-8")  # noqa: SIM115  # for as long as the process


class _Plain(Channel):
    """Raw bytes are the text."""

    name = "plain"
    capabilities = Capabilities(max_characters=4000, patience_seconds=5, live=True, buttons=True)

    @override
    async def read(self, raw: bytes, envelope: Mapping[str, Any]) -> ReadMessage:
        return ReadMessage(text=raw.decode())

    @override
    async def send(self, message: OutboundMessage) -> SendReceipt:
        return SendReceipt()


async def _greet(*_arguments: Any, **_named: Any) -> Sequence[Command]:
    return (Say(key="greeting"),)


def _known(_text: str) -> Reading:
    return READING


@dataclass
class Road:
    store: Store
    inbox: Inbox
    turns: TurnRunner


@asynccontextmanager
async def road(url: str, folder: Path, *, working: bool) -> AsyncIterator[Road]:
    """With `working` False messages are stored and left waiting."""
    store, raw, hub, words = Store(url), Files(folder / "raw"), Hub(), catalogue.whole()
    channels: dict[str, Channel] = {"plain": _Plain()}
    patience = Patience(live=timedelta(minutes=3), other=timedelta(hours=24))
    promise = Promise(first_answer=timedelta(hours=24), decision=timedelta(days=15), same_matter=timedelta(days=7))
    links = TrackingLinks(b"s" * 32, "https://desk.example")
    carry_out = CarryOut(words, lambda article, _language: article, links, promise, patience)
    turner = Turner(
        store=store,
        channels=channels,
        raw=raw,
        evidence=Files(folder / "evidence"),
        clock=now,
        hub=hub,
        mind=Mind(understand=_known, articles=lambda _text, _language: {}, ask=_greet),
        finish=Finish(channels=channels, clock=now, carry_out=carry_out, patience=patience),
        max_attempts=3,
        max_deaths=10,
    )
    turns = TurnRunner(turner, store, now, width=64, lease=LEASE, scan_seconds=1)
    inbox = Inbox(store, raw, now, LEASE, turns.start if working else _leave)
    try:
        yield Road(store, inbox, turns)
    finally:
        await turns.drain(LEASE.total_seconds())
        store.close()


def _leave(_claim: Claim) -> None:
    return


@dataclass(frozen=True)
class Throughput:
    """`cpu_microseconds` is this process's own time per message, which a busy neighbour disturbs less."""

    per_second: float
    cpu_microseconds: float


async def throughput(url: str, folder: Path, *, messages: int, senders: int, working: bool) -> Throughput:
    """What the road carries. Each sender has ten conversations and waits for each OK, as a peer does."""
    async with road(url, folder, working=working) as made:

        async def send(sender: int) -> None:
            for number in range(sender, messages, senders):
                await made.inbox.accept(_message(sender, number))

        began, cpu = time.perf_counter(), time.process_time()
        await asyncio.gather(*(send(sender) for sender in range(senders)))
        while working and await made.store.read(_unfinished):  # noqa: ASYNC110  # the database is what is asked
            await asyncio.sleep(0.002)
        took, cpu = time.perf_counter() - began, time.process_time() - cpu
        await _check(made.store, messages, working=working)
    return Throughput(per_second=messages / took, cpu_microseconds=cpu / messages * 1e6)


def _message(sender: int, number: int) -> InboundMessage:
    conversation = f"{sender}-{number // 32 % 10}"
    return InboundMessage(
        channel="plain",
        external_id=f"message-{number}",
        conversation_key=conversation,
        sender=conversation,
        raw=TEXT.encode(),
        received_at=now(),
        envelope={"client_id": f"message-{number}", "language": "en", "type": "message"},
        language="en",
    )


def _unfinished(connection: Connection) -> bool:
    return connection.execute(select(InboxTable.id).where(InboxTable.state == "new").limit(1)).first() is not None


async def _check(store: Store, messages: int, *, working: bool) -> None:
    """A benchmark of work that was not done measures nothing."""
    stored = await store.read(lambda c: c.execute(select(func.count()).select_from(InboxTable)).scalar_one())
    said = await store.read(lambda c: c.execute(select(func.count()).select_from(Outbox)).scalar_one())
    if stored != messages or said != (messages if working else 0):
        raise AssertionError(f"{messages} messages sent, {stored} stored, {said} replies queued")


@asynccontextmanager
async def _sqlite(place: Place) -> AsyncIterator[Steps]:
    names = count()

    async def one(*, working: bool) -> float:
        folder = place.folder / f"road-{next(names)}"
        folder.mkdir()
        url = f"sqlite:///{folder}/redress.db"
        await asyncio.to_thread(migrate, url)
        return await _rate(url, folder, working=working)

    with sqlite_floor(place.folder) as floor:
        yield {
            "one row per commit": lambda: asyncio.to_thread(floor.rows_per_second, 1),
            "64 rows per commit": lambda: asyncio.to_thread(floor.rows_per_second, 64),
            "stored": partial(one, working=False),
            "whole cycle": partial(one, working=True),
        }


@asynccontextmanager
async def _postgres(place: Place) -> AsyncIterator[Steps]:
    names = count()
    async with postgres(place.folder) as server:

        async def one(*, working: bool) -> float:
            name = f"road_{next(names)}"
            url = await asyncio.to_thread(server.database, name)
            await asyncio.to_thread(migrate, url)
            return await _rate(url, place.folder / name, working=working)

        yield {
            "pgbench, 32 clients": server.pgbench,
            "stored": partial(one, working=False),
            "whole cycle": partial(one, working=True),
        }


async def _rate(url: str, folder: Path, *, working: bool) -> float:
    messages = CYCLES if working else MESSAGES
    logs.set_up(_NOWHERE)
    return (await throughput(url, folder, messages=messages, senders=SENDERS, working=working)).per_second


BENCHMARKS = [
    Benchmark(
        name="road-sqlite",
        question="How many messages a second are stored, and go the whole cycle, on SQLite?",
        unit="messages/s",
        open=_sqlite,
        bars=(
            AtLeast("whole cycle", 1.0, of="one row per commit"),
            AtLeast("whole cycle", 0.25, of="64 rows per commit", goal=True),
        ),
    ),
    Benchmark(
        name="road-postgres",
        question="How many messages a second are stored, and go the whole cycle, on PostgreSQL?",
        unit="messages/s",
        open=_postgres,
        bars=(
            AtLeast("stored", 0.9, of="pgbench, 32 clients"),
            AtLeast("whole cycle", 0.5, of="pgbench, 32 clients"),
        ),
    ),
]
