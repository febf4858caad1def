"""Post ids tell the time: from bit 22 on they count milliseconds since X's own epoch ("snowflake" ids)."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from channels.monitor.positions import Scale

SNOWFLAKE = Scale(datetime(2010, 11, 4, 1, 42, 54, 657000, tzinfo=UTC), timedelta(milliseconds=1), 22)
"""An id is a position of its own."""
