"""Where a post stands in a feed, as a number that tells its time: feeds are read from one number to another."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta


@dataclass(frozen=True)
class Scale:
    """A position counts `unit`s since `epoch` above its lowest `shift` bits."""

    epoch: datetime
    unit: timedelta
    shift: int

    def at(self, moment: datetime) -> int:
        """The lowest position of that unit of time; 0 before the epoch."""
        return max(0, (moment - self.epoch) // self.unit) << self.shift

    def time(self, position: int) -> datetime:
        return self.epoch + (position >> self.shift) * self.unit


MICROSECONDS = Scale(datetime(1970, 1, 1, tzinfo=UTC), timedelta(microseconds=1), 0)
"""For networks whose ids tell no time: the moment itself, in microseconds since 1970."""
