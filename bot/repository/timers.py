"""Timers: what is to be done at a time. A row lives until its work is committed, so a restart forgets nothing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, delete, insert, select

from bot.store.tables import Timer


@dataclass(frozen=True, kw_only=True)
class TimerRow:
    id: int
    kind: str
    key: str
    due_at: datetime
    data: Mapping[str, Any]


def set_timer(connection: Connection, kind: str, key: str, due_at: datetime, data: Mapping[str, Any]) -> None:
    """Sets the timer of this kind and key anew; an earlier one is forgotten."""
    cancel(connection, kind, key)
    connection.execute(insert(Timer).values(kind=kind, key=key, due_at=due_at, data=dict(data)))


def cancel(connection: Connection, kind: str, key: str) -> None:
    connection.execute(delete(Timer).where(Timer.kind == kind, Timer.key == key))


def due(connection: Connection, now: datetime, limit: int) -> Sequence[TimerRow]:
    query = select(Timer.id, Timer.kind, Timer.key, Timer.due_at, Timer.data).where(Timer.due_at <= now)
    rows = connection.execute(query.order_by(Timer.due_at).limit(limit))
    return [TimerRow(**row._mapping) for row in rows]


def take(connection: Connection, timer_id: int) -> bool:
    """True for the one caller who may do the work; it is in the same commit."""
    return connection.execute(delete(Timer).where(Timer.id == timer_id)).rowcount == 1
