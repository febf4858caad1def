"""Wake-ups between processes that share one PostgreSQL: NOTIFY and LISTEN, a hint and never the store.

What is notified while one NOTIFY is under way goes with the next: one per batch, on a connection of its own that does
not wait for the disk. Inside each message's transaction it would cost 2.5 to 4 times the throughput, since NOTIFY
holds a lock through the commit (docs/decisions/0002).
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager

import psycopg
import structlog
from sqlalchemy.engine import make_url

from bot.store.engine import patience
from bot.store.topics import EVERYTHING

log = structlog.get_logger()
CHANNEL = "redress"
MAX_TOPICS = 100
"""A payload must stay below 8,000 bytes; more topics than this are notified as "everything"."""
AGAIN_SECONDS = 1.0
PULSE_SECONDS = 10.0
"""So often it is proven that we still hear, and so long the proof may take."""
LEAVE_SECONDS = 2.0

Heard = Callable[[Sequence[str]], None]


class Bell:
    """`ring` tells the other processes; `run` hears them. After a lost connection everybody wakes, here and there."""

    def __init__(self, url: str) -> None:
        address = make_url(url).set(drivername="postgresql").update_query_dict(patience(url))
        self._address = address.render_as_string(hide_password=False)
        self._topics: set[str] = set()
        self._rung = asyncio.Event()
        self._answered = asyncio.Event()
        self._left: set[asyncio.Task[None]] = set()

    def ring(self, topics: Sequence[str]) -> None:
        self._topics.update(topics)
        self._rung.set()

    async def run(self, heard: Heard) -> None:
        """Until cancelled. `heard` gets topics that other processes rang for, or EVERYTHING."""
        while True:
            connected = asyncio.create_task(self._connected(heard))
            try:
                await self._until_deaf(connected)
            except (psycopg.Error, OSError) as error:
                log.error("bell_lost", error=type(error).__name__)
            finally:
                await self._leave(connected)
            await asyncio.sleep(AGAIN_SECONDS)

    async def _until_deaf(self, connected: asyncio.Task[None]) -> None:
        """Rings for nobody, and expects to hear it: a connection that was silently dropped looks like a quiet one.

        Raises OSError when nothing comes, or what ended the connection.
        """
        while True:
            done, _ = await asyncio.wait([connected], timeout=PULSE_SECONDS)
            if done:
                await connected
                raise ConnectionError("the connection ended")
            self._answered.clear()
            self.ring(())
            async with asyncio.timeout(PULSE_SECONDS):
                await self._answered.wait()

    async def _leave(self, connected: asyncio.Task[None]) -> None:
        """On a dead network even hanging up may take its time; nobody waits for that."""
        connected.cancel()
        self._left.add(connected)
        connected.add_done_callback(self._forget)
        await asyncio.wait([connected], timeout=LEAVE_SECONDS)

    def _forget(self, left: asyncio.Task[None]) -> None:
        self._left.discard(left)
        if not left.cancelled():
            left.exception()  # it was reported, or came too late to matter

    async def _connected(self, heard: Heard) -> None:
        """Until a connection breaks. Raises psycopg.Error or OSError."""
        lost: Exception | None = None
        try:
            async with self._connection() as ringing, self._connection() as listening:
                await listening.execute(f"LISTEN {CHANNEL}")
                heard([EVERYTHING])
                self.ring([EVERYTHING])  # what was on its way when the connection broke is lost to the others
                async with asyncio.TaskGroup() as both:
                    both.create_task(self._send(ringing))
                    both.create_task(self._listen(listening, ringing.info.backend_pid, heard))
        except* (psycopg.Error, OSError) as errors:
            lost = errors.exceptions[0]
        finally:
            self._answered.set()  # nobody need wait any longer for an answer on this connection
        if lost is not None:
            raise lost

    @asynccontextmanager
    async def _connection(self) -> AsyncIterator[psycopg.AsyncConnection]:
        async with await psycopg.AsyncConnection.connect(self._address, autocommit=True) as connection:
            await connection.execute("SET synchronous_commit = off")
            yield connection

    async def _send(self, connection: psycopg.AsyncConnection) -> None:
        while True:
            await self._rung.wait()
            self._rung.clear()
            topics, self._topics = self._topics, set()
            named = sorted(topics) if len(topics) <= MAX_TOPICS else [EVERYTHING]
            await connection.execute("SELECT pg_notify(%s, %s)", (CHANNEL, json.dumps(named, ensure_ascii=False)))

    async def _listen(self, connection: psycopg.AsyncConnection, own: int, heard: Heard) -> None:
        async for notice in connection.notifies():
            self._answered.set()
            if notice.pid != own:
                heard(json.loads(notice.payload))
