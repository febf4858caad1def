"""Whether a webhook brings anything: what a look finds long after it was written should have been delivered."""

from __future__ import annotations

from datetime import datetime, timedelta

from channels.monitor.pace import ServerClock

GRACE = timedelta(minutes=2)
"""A delivery may be so late."""


class Missed:
    def __init__(self, clock: ServerClock) -> None:
        self._clock = clock
        self._listening_since: datetime | None = None
        self.since: datetime | None = None
        """When the first was written that was not delivered, since the last delivery."""
        self.count = 0

    def started(self) -> None:
        self._listening_since = self._clock()

    def delivered(self) -> None:
        self.since, self.count = None, 0

    def found(self, written: datetime) -> None:
        """A look brought something new. What was written before we listened, or just now, may still be delivered."""
        began = self._listening_since
        if began is not None and began < written <= self._clock() - GRACE:
            self.since = min(written, self.since or written)
            self.count += 1
