"""Which data folder a database belongs to."""

from __future__ import annotations

from sqlalchemy import Connection, insert, select

from bot.store.tables import Instance

ONLY = 1


def owner(connection: Connection, key_print: str) -> str:
    """The fingerprint of the database's owner: who asks first becomes it."""
    known = connection.execute(select(Instance.key_print).where(Instance.id == ONLY)).scalar_one_or_none()
    if known is None:
        connection.execute(insert(Instance).values(id=ONLY, key_print=key_print))
    return known or key_print
