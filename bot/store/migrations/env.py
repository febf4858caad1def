"""Alembic's entry: one transaction for all pending migrations, with a lock time-out on PostgreSQL."""

from __future__ import annotations

from alembic import context
from sqlalchemy import text

from bot.store.engine import open_engine
from bot.store.tables import Base

LOCK_TIMEOUT = "5s"


def run() -> None:
    engine = open_engine(context.config.attributes["url"], writer=True)
    with engine.connect() as connection:
        context.configure(
            connection=connection,
            target_metadata=Base.metadata,
            render_as_batch=connection.dialect.name == "sqlite",
            compare_type=True,
            user_module_prefix="bot.store.tables.",
        )
        with connection.begin():
            if connection.dialect.name == "postgresql":
                connection.execute(text(f"SET LOCAL lock_timeout = '{LOCK_TIMEOUT}'"))
            context.run_migrations()
    engine.dispose()


run()
