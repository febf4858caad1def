"""Alembic's entry: one transaction for all pending migrations, with a lock time-out on PostgreSQL."""

from __future__ import annotations

from alembic import context
from sqlalchemy import Connection, text

from bot.store import (
    binding_tables,
    broadcast_tables,
    confirming_tables,
    file_tables,
    identity_tables,
    knowledge_tables,
    learning_tables,
    live_tables,
)
from bot.store.engine import may_pause, open_engine
from bot.store.tables import Base

LOCK_TIMEOUT = "5s"
ONE_AT_A_TIME = 7_233_733_377
"""The key of the advisory lock: any number will do, as long as every version of Redress takes the same."""

for table in (
    confirming_tables.AddressConfirmation,
    file_tables.FileCheck,
    live_tables.Upload,
    binding_tables.Invitation,
    broadcast_tables.Broadcast,
    learning_tables.Correction,
    identity_tables.IdentityProof,
    knowledge_tables.KnowledgeGap,
):
    assert table.metadata is Base.metadata  # importing them is what puts them into the metadata


def run() -> None:
    engine = open_engine(context.config.attributes["url"], writer=True)
    try:
        with engine.connect() as connection:
            _migrate(connection)
    finally:
        engine.dispose()


def _migrate(connection: Connection) -> None:
    context.configure(
        connection=connection,
        target_metadata=Base.metadata,
        render_as_batch=connection.dialect.name == "sqlite",
        compare_type=True,
        # Alembic believes that SQLite cannot, and would commit after each step. Our engine sends BEGIN itself.
        transactional_ddl=True,
        user_module_prefix="bot.store.moment.",
    )
    with connection.begin():
        if connection.dialect.name == "postgresql":
            # One process migrates, others that start meanwhile wait for it without a limit, for a migration may
            # take long; the time-out comes after it. On SQLite BEGIN IMMEDIATE does the same.
            may_pause(connection)
            connection.execute(text("SET LOCAL lock_timeout = 0"))
            connection.execute(text(f"SELECT pg_advisory_xact_lock({ONE_AT_A_TIME})"))
            connection.execute(text(f"SET LOCAL lock_timeout = '{LOCK_TIMEOUT}'"))
        context.run_migrations()


run()
