"""Timers: what is to be done at a time. A row lives until its work is committed, so a restart forgets nothing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, bindparam, delete, select, update
from sqlalchemy.dialects import postgresql, sqlite

from bot.store.prepared import Prepared
from bot.store.tables import Timer, table

_TABLE = table(Timer)


@dataclass(frozen=True, kw_only=True)
class TimerRow:
    id: int
    kind: str
    key: str
    due_at: datetime
    data: Mapping[str, Any]


def set_timer(connection: Connection, kind: str, key: str, due_at: datetime, data: Mapping[str, Any]) -> None:
    """Sets the timer of this kind and key anew; an earlier one is forgotten."""
    given = {"new_kind": kind, "new_key": key, "new_due_at": due_at, "new_data": dict(data)}
    _PUT[connection.dialect.name].change(connection, given)


def _put(dialect: Any) -> Prepared:
    names = ("kind", "key", "due_at", "data")
    new = dialect.insert(_TABLE).values({name: bindparam(f"new_{name}", type_=_TABLE.c[name].type) for name in names})
    changed = {name: new.excluded[name] for name in ("due_at", "data")}
    return Prepared(new.on_conflict_do_update(index_elements=["kind", "key"], set_=changed))


_PUT = {"postgresql": _put(postgresql), "sqlite": _put(sqlite)}


def cancel(connection: Connection, kind: str, key: str) -> None:
    _CANCEL.change(connection, {"of_kind": kind, "of_key": key})


_CANCEL = Prepared(delete(_TABLE).where(_TABLE.c.kind == bindparam("of_kind"), _TABLE.c.key == bindparam("of_key")))


def due(connection: Connection, now: datetime, limit: int) -> Sequence[TimerRow]:
    query = select(Timer.id, Timer.kind, Timer.key, Timer.due_at, Timer.data).where(Timer.due_at <= now)
    rows = connection.execute(query.order_by(Timer.due_at).limit(limit))
    return [TimerRow(**row._mapping) for row in rows]


def take(connection: Connection, timer: TimerRow) -> bool:
    """True for the one caller who may do the work; it is in the same commit.

    All of the row must match: SQLite gives the number of a deleted row to the next one.
    """
    same = (Timer.id == timer.id, Timer.kind == timer.kind, Timer.key == timer.key, Timer.due_at == timer.due_at)
    return connection.execute(delete(Timer).where(*same)).rowcount == 1


def find(connection: Connection, kind: str, key: str) -> TimerRow | None:
    query = select(Timer.id, Timer.kind, Timer.key, Timer.due_at, Timer.data)
    row = connection.execute(query.where(Timer.kind == kind, Timer.key == key)).one_or_none()
    return None if row is None else TimerRow(**row._mapping)


def exists(connection: Connection, kind: str, key: str) -> bool:
    return connection.execute(select(Timer.id).where(Timer.kind == kind, Timer.key == key)).first() is not None


def postpone(connection: Connection, timer: TimerRow, due_at: datetime) -> None:
    connection.execute(update(Timer).where(Timer.id == timer.id, Timer.key == timer.key).values(due_at=due_at))
