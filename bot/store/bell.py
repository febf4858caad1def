"""Wake-ups between processes that share one PostgreSQL: NOTIFY and LISTEN, a hint and never the store.

What is notified while one NOTIFY is under way goes with the next: one per batch, on a connection of its own that does
not wait for the disk. Inside each message's transaction it would cost 2.5 to 4 times the throughput, since NOTIFY
holds a lock through the commit (docs/decisions/0002).
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Sequence

import psycopg
import structlog
from sqlalchemy.engine import make_url

log = structlog.get_logger()
CHANNEL = "redress"
MAX_TOPICS = 100
"""A payload must stay below 8,000 bytes; more topics than this are notified as "everything"."""
EVERYTHING = "*"
AGAIN_SECONDS = 1.0

Heard = Callable[[Sequence[str]], None]


class Bell:
    """`ring` tells the other processes; `run` hears them. After a lost connection everybody wakes, here and there."""

    def __init__(self, url: str) -> None:
        self._address = make_url(url).set(drivername="postgresql").render_as_string(hide_password=False)
        self._topics: set[str] = set()
        self._rung = asyncio.Event()

    def ring(self, topics: Sequence[str]) -> None:
        self._topics.update(topics)
        self._rung.set()

    async def run(self, heard: Heard) -> None:
        """Until cancelled. `heard` gets topics that other processes rang for, or EVERYTHING."""
        while True:
            try:
                async with await self._connect() as ringing, await self._connect() as listening:
                    await listening.execute(f"LISTEN {CHANNEL}")
                    heard([EVERYTHING])
                    self.ring([EVERYTHING])  # what was on its way when the connection broke is lost to the others
                    async with asyncio.TaskGroup() as both:
                        both.create_task(self._send(ringing))
                        both.create_task(_listen(listening, ringing.info.backend_pid, heard))
            except* (psycopg.Error, OSError) as error:
                log.error("bell_lost", error=type(error.exceptions[0]).__name__)
            await asyncio.sleep(AGAIN_SECONDS)

    async def _connect(self) -> psycopg.AsyncConnection:
        connection = await psycopg.AsyncConnection.connect(self._address, autocommit=True, connect_timeout=5)
        await connection.execute("SET synchronous_commit = off")
        return connection

    async def _send(self, connection: psycopg.AsyncConnection) -> None:
        while True:
            await self._rung.wait()
            self._rung.clear()
            topics, self._topics = self._topics, set()
            named = sorted(topics) if len(topics) <= MAX_TOPICS else [EVERYTHING]
            await connection.execute("SELECT pg_notify(%s, %s)", (CHANNEL, json.dumps(named, ensure_ascii=False)))


async def _listen(connection: psycopg.AsyncConnection, own: int, heard: Heard) -> None:
    async for notice in connection.notifies():
        if notice.pid != own:
            heard(json.loads(notice.payload))
