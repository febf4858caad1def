"""Rings the timers: takes a due row and does its work in the same commit."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from functools import partial

import structlog
from sqlalchemy import Connection

from bot.clock import Clock
from bot.hub import OUTBOX, QUEUE, Hub
from bot.repository import timers
from bot.repository.timers import TimerRow
from bot.store.store import Store
from channels.faults import NotStored, RetryLater

log = structlog.get_logger()
BATCH = 100
AFTER_A_FAULT = timedelta(minutes=5)
"""A timer that breaks must not keep the later ones from ringing."""
Ring = Callable[[Connection, TimerRow, datetime], None]


class Alarm:
    def __init__(self, store: Store, clock: Clock, hub: Hub, kinds: Mapping[str, Ring], scan_seconds: float) -> None:
        self._store = store
        self._clock = clock
        self._hub = hub
        self._kinds = kinds
        self._scan_seconds = scan_seconds

    async def run(self) -> None:
        while True:
            try:
                await self.ring_due()
            except NotStored as error:
                log.error("timers_wait", reason=error.reason)
            await asyncio.sleep(self._scan_seconds)

    async def ring_due(self) -> int:
        """Does everything that is due; how many timers rang."""
        due = await self._store.read(lambda connection: timers.due(connection, self._clock(), BATCH))
        for timer in due:
            try:
                await self._store.write(partial(self._ring, timer))
            except RetryLater:
                raise
            except Exception as error:
                log.error("timer_broke", kind=timer.kind, exc_info=error)
                again = self._clock() + AFTER_A_FAULT
                await self._store.write(partial(timers.postpone, timer=timer, due_at=again))
        if due:
            self._hub.publish(OUTBOX, QUEUE)
        return len(due)

    def _ring(self, timer: TimerRow, connection: Connection) -> None:
        if timers.take(connection, timer):
            self._kinds[timer.kind](connection, timer, self._clock())
