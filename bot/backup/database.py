"""What a back-up needs of a database; `bot/backup/sqlite.py` and `bot/backup/postgres.py` do it."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from sqlalchemy import Connection
from sqlalchemy.engine import make_url

from bot.settings import Settings

Tell = Callable[[str], None]
"""Says how far it is; shown on a terminal."""


@dataclass(frozen=True)
class Snapshot:
    """The database at one moment: written to a file, and open for questions about that very moment."""

    connection: Connection
    server: str
    """The version of the database."""


class Database(Protocol):
    kind: str
    file: str
    """The snapshot's name in the back-up's folder."""

    def snapshot(self, target: Path, tell: Tell) -> AbstractContextManager[Snapshot]:
        """Writes it durably to `target`. Raises CannotBackUp."""
        ...

    def insist_on_empty(self) -> None:
        """Raises CannotRestore unless there is nothing in it."""
        ...

    def load(self, source: Path, tell: Tell) -> None:
        """Fills it from a snapshot, wholly or not at all. Raises CannotRestore."""
        ...


def of(settings: Settings) -> Database:
    from bot.backup.postgres import Postgres
    from bot.backup.sqlite import SQLite

    if make_url(settings.database).get_backend_name() == "sqlite":
        return SQLite(settings.database)
    return Postgres(settings.database, settings.pg_bin)
