"""Who is in which conversation right now, over all processes of the desk. Nothing here outlives the moment.

A process writes down who came and went in one commit a while after it happened, and that it is alive. What a process
wrote that has died counts for nothing once its time has run out.
"""

from __future__ import annotations

import asyncio
import secrets
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import datetime, timedelta

import structlog
from sqlalchemy import Connection

from bot.clock import Clock
from bot.hub import SIGN, Hub
from bot.repository import attention
from bot.repository.attention import Spot
from bot.store.store import Store
from channels.faults import NotStored

log = structlog.get_logger()
BEAT = timedelta(seconds=10)
LIFE = timedelta(seconds=30)
"""Three beats: two that are late or lost do no harm."""
GATHER_SECONDS = 0.1
"""Comings and goings that belong together are one commit."""


def attention_topic(channel: str, key: str) -> str:
    """Wakes both sides: somebody came or went, or the user read on."""
    return f"attention:{channel}:{key}"


def seen_topic(channel: str, key: str) -> str:
    """Wakes the user's side: a person at the desk has seen more. The desk's own pages need not be told."""
    return f"seen:{channel}:{key}"


def typing_topic(side: str, channel: str, key: str) -> str:
    """A wake-up here says that somebody on this side ("user" or "agent") is typing at this moment."""
    return f"{SIGN}{side}:{channel}:{key}"


class Presence:
    def __init__(self, store: Store, clock: Clock, hub: Hub) -> None:
        self._store = store
        self._clock = clock
        self._hub = hub
        self._process = secrets.token_hex(8)
        self._here: Counter[Spot] = Counter()
        self._written: frozenset[Spot] = frozenset()
        self._beat_at: datetime | None = None
        self._changed = asyncio.Event()

    @contextmanager
    def inside(self, channel: str, key: str, who: str) -> Iterator[None]:
        """`who` counts as present while inside, once however many windows are open."""
        spot = Spot(channel, key, who)
        self._here[spot] += 1
        self._changed.set()
        try:
            yield
        finally:
            self._here[spot] -= 1
            if not self._here[spot]:
                del self._here[spot]
            self._changed.set()

    async def run(self) -> None:
        """Until cancelled; then everybody here counts as gone."""
        try:
            while True:
                with suppress(TimeoutError):
                    await asyncio.wait_for(self._changed.wait(), BEAT.total_seconds())
                await asyncio.sleep(GATHER_SECONDS)
                self._changed.clear()
                await self._try_to_write(frozenset(self._here))
        finally:
            await self._try_to_write(frozenset())

    async def _try_to_write(self, here: frozenset[Spot]) -> None:
        try:
            await self._write(here)
        except NotStored as error:
            log.warning("presence_not_written", reason=error.reason)

    async def _write(self, here: frozenset[Spot]) -> None:
        now = self._clock()
        due = self._beat_at is None or now - self._beat_at >= BEAT
        if here == self._written and not (here and due):
            return
        before = self._written

        def write(connection: Connection) -> list[Spot]:
            known = attention.beat(connection, self._process, now + LIFE)
            attention.come(connection, self._process, here - before if known else here)
            attention.leave(connection, self._process, before - here, now)
            return attention.bury(connection, now)

        buried = await self._store.write(write)
        self._written, self._beat_at = here, now
        changed = (here ^ before).union(buried)
        self._hub.publish(*{attention_topic(spot.channel, spot.key) for spot in changed})
