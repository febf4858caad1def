"""Time that only a test moves, and a desk in memory: for every channel that watches a network."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta

from channels.contract import Accepted, InboundMessage


class Time:
    """Moves only when told; the channel's sleep ends when its time has come."""

    def __init__(self) -> None:
        self.seconds = 1000.0
        self._start = datetime(2026, 11, 22, 9, 0, tzinfo=UTC)
        self._until: float | None = None
        self._sleepers: dict[object, float] = {}
        self._changed = asyncio.Condition()

    def monotonic(self) -> float:
        return self.seconds

    def wall(self) -> datetime:
        return self._start + timedelta(seconds=self.seconds)

    async def sleep(self, seconds: float) -> None:
        until = self._until = self.seconds + seconds
        sleeper = object()
        self._sleepers[sleeper] = until
        try:
            async with self._changed:
                self._changed.notify_all()
                await self._changed.wait_for(lambda: self.seconds >= until)
        except asyncio.CancelledError:  # it was woken, and has something to do
            del self._sleepers[sleeper]
            self._until = min(self._sleepers.values(), default=None)
            raise
        del self._sleepers[sleeper]

    async def idle(self) -> None:
        """Waits until the channel has nothing to do but to wait."""
        async with self._changed, asyncio.timeout(60):
            await self._changed.wait_for(lambda: self._until is not None and self._until > self.seconds)

    async def run(self, seconds: float) -> None:
        """Lets so much time go by, from one waking of the channel to the next."""
        end = self.seconds + seconds
        await self.idle()
        while self.seconds < end:
            assert self._until is not None
            await self._set(min(self._until, end))
            await self.idle()

    async def skip(self, seconds: float) -> None:
        """Time goes by while no channel runs."""
        await self._set(self.seconds + seconds)

    def stopped(self) -> None:
        self._until = None

    async def _set(self, seconds: float) -> None:
        self.seconds = seconds
        async with self._changed:
            self._changed.notify_all()


class Desk:
    """Stores in memory and dedupes like the inbox. Can be told to fail next, or to wait at the door."""

    def __init__(self) -> None:
        self.stored: dict[str, InboundMessage] = {}
        self.attempts = 0
        self.fail_next: list[Exception] = []
        self.door = asyncio.Event()
        self.door.set()
        self.waiting = asyncio.Event()

    async def accept(self, message: InboundMessage) -> Accepted:
        self.attempts += 1
        if self.fail_next:
            raise self.fail_next.pop(0)
        self.waiting.set()
        await self.door.wait()
        known = message.external_id in self.stored
        self.stored.setdefault(message.external_id, message)
        number = len(self.stored)
        return Accepted(inbox_id=number, conversation_id=1, seq=number, duplicate=known)
