"""The database itself: which data folder it belongs to, whether it takes what is written, what time it has."""

from __future__ import annotations

import secrets
from datetime import datetime

from sqlalchemy import Connection, delete, func, insert, inspect, select

from bot.clock import utc
from bot.store.live_tables import Heartbeat
from bot.store.tables import Instance

ONLY = 1


def owner(connection: Connection, key_print: str) -> str:
    """The fingerprint of the database's owner: who asks first becomes it."""
    known = _known(connection)
    if known is None:
        connection.execute(insert(Instance).values(id=ONLY, key_print=key_print))
    return known or key_print


def known_owner(connection: Connection) -> str | None:
    """The same without becoming it, of a database of any age; None when it is nobody's yet."""
    return _known(connection) if inspect(connection).has_table(Instance.__tablename__) else None


def _known(connection: Connection) -> str | None:
    return connection.execute(select(Instance.key_print).where(Instance.id == ONLY)).scalar_one_or_none()


def try_to_write(connection: Connection, now: datetime) -> None:
    """Writes and takes back again: a database that is full or may only be read says so, and nothing stays.

    A row that nobody else has, so that processes which ask at the same moment do not wait for each other.
    """
    name = f"probe-{secrets.token_hex(8)}"
    connection.execute(insert(Heartbeat).values(process=name, until=now))
    connection.execute(delete(Heartbeat).where(Heartbeat.process == name))


def time_of(connection: Connection) -> datetime | None:
    """The database's own time at this moment; None for SQLite, which has its machine's."""
    if connection.dialect.name != "postgresql":
        return None
    return utc(connection.execute(select(func.clock_timestamp())).scalar_one())
