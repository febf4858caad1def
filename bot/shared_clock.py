"""One clock for all processes of a desk: the database's.

A lease is a time that one process writes and another compares with its own "now". Were every machine asked for its own
time, one that is 20 s ahead would take what another is sending at that moment. So each process finds out what time the
database has, and counts on from there by a counter that nobody sets: no query asks for the time on a message's road.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from datetime import datetime, timedelta

import structlog
from sqlalchemy import Connection

from bot import clock
from bot.repository import instance
from bot.store.store import Store
from channels.faults import NotStored

log = structlog.get_logger()
BEAT_SECONDS = 5.0
SLOW_SECONDS = 0.5
"""An answer that took longer says too little about the time at which it was given."""
NEAR = timedelta(seconds=0.1)
"""Differences up to this are those of the measurement: following them would only make the clock restless."""
WRONG = timedelta(seconds=2)
"""A machine's own clock that is further off is reported."""


def _ticks() -> float:
    """Seconds by a counter that goes on while the machine sleeps, and that nobody sets."""
    return time.clock_gettime(getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC))


class SharedClock:
    """A `Clock`. Until it was set for the first time, and without a database that keeps time, the machine's own."""

    def __init__(self, store: Store, own: clock.Clock = clock.now, ticks: Callable[[], float] = _ticks) -> None:
        self._store = store
        self._own = own
        self._ticks = ticks
        self._begin: datetime | None = None
        """What time it was when the counter stood at nought."""

    def __call__(self) -> datetime:
        if self._begin is None:
            return self._own()
        return self._begin + timedelta(seconds=self._ticks())

    async def run(self) -> None:
        """Keeps to the database's time until cancelled, also when that one is set or another server takes over."""
        while True:
            try:
                await self.follow()
            except NotStored as error:
                log.warning("clock_not_compared", reason=error.reason)
            await asyncio.sleep(BEAT_SECONDS)

    async def follow(self) -> None:
        """Raises NotStored when the database cannot be asked."""
        begin, took = await self._store.read(self._compare)
        if begin is None or (took > SLOW_SECONDS and self._begin is not None):
            return
        if self._begin is None or abs(begin - self._begin) > NEAR:
            log.info("clock_set", trouble=self.trouble())
            self._begin = begin

    def trouble(self) -> str | None:
        """That the machine's own clock is wrong: leases do not hang on it, but log-ins and certificates do."""
        ahead = self._own() - self()
        if abs(ahead) <= WRONG:
            return None
        which = "ahead of" if ahead > timedelta(0) else "behind"
        return f"this machine's clock is {abs(ahead).total_seconds():.0f} s {which} the database's; set it (NTP)"

    def _compare(self, connection: Connection) -> tuple[datetime | None, float]:
        """In the reader's thread, so that only the question itself is timed."""
        instance.time_of(connection)  # whatever a new connection costs has been paid now
        before = self._ticks()
        theirs = instance.time_of(connection)
        after = self._ticks()
        if theirs is None:
            return None, 0.0
        return theirs - timedelta(seconds=(before + after) / 2), after - before
