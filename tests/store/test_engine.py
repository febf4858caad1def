"""The database keeps what it confirms, or the start is refused."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest
from alembic import command
from sqlalchemy import create_engine, text

from bot.store.engine import UnsafeDatabase, assert_durable, open_engine
from bot.store.migrate import SchemaTooNew, config, migrate
from bot.store.store import Store


def test_models_and_migrations_agree(database_url: str) -> None:
    command.check(config(database_url))


def test_sqlite_is_opened_durably(tmp_path: Path) -> None:
    engine = open_engine(f"sqlite:///{tmp_path / 'x.db'}", writer=True)
    assert_durable(engine)
    with engine.connect() as connection:
        assert connection.execute(text("PRAGMA journal_mode")).scalar_one() == "wal"
        assert connection.execute(text("PRAGMA synchronous")).scalar_one() == 2
        assert connection.execute(text("PRAGMA foreign_keys")).scalar_one() == 1
    engine.dispose()


def test_an_sqlite_that_does_not_sync_is_refused(tmp_path: Path) -> None:
    engine = create_engine(f"sqlite:///{tmp_path / 'x.db'}")
    with engine.connect() as connection:
        connection.execute(text("PRAGMA synchronous=OFF"))
        connection.commit()
        with pytest.raises(UnsafeDatabase, match="must be on disk"):
            assert_durable(engine)
    engine.dispose()


def test_a_database_in_memory_is_refused() -> None:
    with pytest.raises(UnsafeDatabase, match="in memory"):
        open_engine("sqlite://")


def test_a_newer_schema_stops_the_start(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'x.db'}"
    migrate(url)
    with sqlite3.connect(tmp_path / "x.db") as connection:
        connection.execute("UPDATE alembic_version SET version_num = '9999'")
    connection.close()
    with pytest.raises(SchemaTooNew, match="9999"):
        migrate(url)


def test_migrating_twice_changes_nothing(database_url: str) -> None:
    migrate(database_url)
    store = Store(database_url)
    store.close()
