"""The database as a whole: its version and size for a back-up, and what a restore must put right in it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta

from sqlalchemy import Connection, delete, func, inspect, select, table, text, update

from bot.store.tables import Conversation, Outbox


def server_version(connection: Connection) -> str:
    """PostgreSQL's, for example "18.4"."""
    return str(connection.execute(text("SHOW server_version")).scalar_one()).split(" ", 1)[0]


def export_snapshot(connection: Connection) -> str:
    """A name by which another connection sees what this transaction sees, for as long as it is open."""
    return str(connection.execute(text("SELECT pg_export_snapshot()")).scalar_one())


def has_tables(connection: Connection) -> bool:
    query = "SELECT 1 FROM pg_tables WHERE schemaname NOT IN ('pg_catalog', 'information_schema') LIMIT 1"
    return connection.execute(text(query)).first() is not None


def revision(connection: Connection) -> str | None:
    if not inspect(connection).has_table("alembic_version"):
        return None
    return connection.execute(text("SELECT version_num FROM alembic_version")).scalar()


def row_counts(connection: Connection) -> Mapping[str, int]:
    """Rows by table, whatever the schema's age."""
    return {
        name: int(connection.execute(select(func.count()).select_from(table(name))).scalar_one())
        for name in sorted(inspect(connection).get_table_names())
    }


_NOBODY_NAMES = text(
    "DELETE FROM upload WHERE used_by IS NULL OR NOT EXISTS"
    " (SELECT 1 FROM inbox WHERE inbox.channel = upload.channel AND inbox.external_id = upload.used_by)"
)
"""Files that no stored message names: their bytes are not in a back-up, and their sender sends them again."""


def begin_anew(connection: Connection, now: datetime) -> None:
    """After a restore: the processes that held leases are gone, so their work may begin at once.

    What was being sent stays `sending` with a lease that is over: whoever claims it follows the rule for a crash in
    mid-send (`bot/deliver.py`), and an automatic answer is not risked twice.
    """
    leased = update(Conversation).where(Conversation.lease_token.is_not(None))
    connection.execute(leased.values(lease_token=None, lease_until=None))
    sending = update(Outbox).where(Outbox.state == "sending")
    connection.execute(sending.values(lease_until=now - timedelta(seconds=1)))
    known = set(inspect(connection).get_table_names())
    if "upload" in known:
        connection.execute(_NOBODY_NAMES)
    for name in known & {"present", "heartbeat"}:
        connection.execute(delete(table(name)))
