"""Time. Everything that needs "now" takes a Clock, so that tests move it instead of sleeping."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime

Clock = Callable[[], datetime]
LEAST_PAUSE_SECONDS = 0.05


def now() -> datetime:
    return datetime.now(UTC)


def utc(moment: datetime, *, naive_is_utc: bool = False) -> datetime:
    """The same instant in UTC. Raises ValueError on a naive time unless `naive_is_utc` (SQLite forgets the zone)."""
    if moment.tzinfo is None:
        if not naive_is_utc:
            raise ValueError(f"the time {moment} has no zone")
        return moment.replace(tzinfo=UTC)
    return moment if moment.tzinfo is UTC else moment.astimezone(UTC)


def pause_until(moment: datetime | None, now: datetime, *, most: float) -> float:
    """How many seconds to wait before looking at what `moment` brings; `most` when there is none. Not less than
    LEAST_PAUSE_SECONDS, which also lets the moment pass."""
    if moment is None:
        return most
    return min(most, (moment - now).total_seconds() + LEAST_PAUSE_SECONDS)
