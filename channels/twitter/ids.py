"""Post ids tell the time: from bit 22 on they count milliseconds since X's own epoch ("snowflake" ids)."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

MAX_ID = 2**63 - 1
_EPOCH = datetime(2010, 11, 4, 1, 42, 54, 657000, tzinfo=UTC)
_MILLISECOND = timedelta(milliseconds=1)


def id_at(moment: datetime) -> int:
    """The lowest id of that millisecond; 0 before the epoch."""
    return max(0, (moment - _EPOCH) // _MILLISECOND) << 22


def time_of(post_id: int) -> datetime:
    return _EPOCH + (post_id >> 22) * _MILLISECOND


def whole(value: object) -> int | None:
    """An id as X writes it, decimal digits in a string."""
    if not isinstance(value, str) or not value.isascii() or not value.isdigit() or len(value) > 19:
        return None
    number = int(value)
    return number if number <= MAX_ID else None
