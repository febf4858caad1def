"""SQLite: copied page by page through its own back-up interface, while the desk writes on."""

from __future__ import annotations

import sqlite3
from collections.abc import Generator
from contextlib import closing, contextmanager
from pathlib import Path

from sqlalchemy import create_engine
from sqlalchemy.engine import make_url
from sqlalchemy.pool import NullPool

from bot.backup.copying import copy, digest_and_size
from bot.backup.database import Snapshot, Tell
from bot.backup.manifest import CannotBackUp, CannotRestore
from bot.files import sync_file, sync_folder

BESIDE = ("-wal", "-journal")
"""What SQLite would take for the end of a database that was not closed."""
PAGES = 4096
"""Copied at a time; between two steps the progress is told."""


class SQLite:
    kind = "sqlite"
    file = "database.sqlite"

    def __init__(self, url: str) -> None:
        self._path = Path(make_url(url).database or "")

    @contextmanager
    def snapshot(self, target: Path, tell: Tell) -> Generator[Snapshot]:
        if not self._path.exists():
            raise CannotBackUp(f"there is no database at {self._path}: nothing to back up yet")
        try:
            self._copy(target, tell)
        except sqlite3.Error as error:
            raise CannotBackUp(f"the database could not be copied ({error})") from error
        sync_file(target)
        sync_folder(target.parent)
        engine = create_engine("sqlite://", creator=lambda: _read_only(target), poolclass=NullPool)
        with engine.connect() as connection:
            yield Snapshot(connection, sqlite3.sqlite_version)
        engine.dispose()

    def _copy(self, target: Path, tell: Tell) -> None:
        def step(_status: int, remaining: int, total: int) -> None:
            tell(f"copying the database  {100 * (total - remaining) // max(total, 1)} %")

        with closing(sqlite3.connect(f"file:{self._path}?mode=rw", uri=True, isolation_level=None)) as source:
            # One read transaction around all steps: without it every commit of the desk would begin the copy anew.
            source.execute("BEGIN")
            source.execute("SELECT count(*) FROM sqlite_master").fetchone()
            with closing(sqlite3.connect(target, isolation_level=None)) as copied:
                target.chmod(0o600)
                source.backup(copied, pages=PAGES, progress=step)
                copied.execute("PRAGMA journal_mode=DELETE").fetchone()  # one file that stands by itself
                [found] = copied.execute("PRAGMA quick_check").fetchone()
        if found != "ok":
            raise CannotBackUp(f"the database is damaged ({found}); restore an older back-up")

    def insist_on_empty(self) -> None:
        for path in (self._path, *(self._path.with_name(self._path.name + end) for end in BESIDE)):
            if path.exists():
                raise CannotRestore(f"there is a database at {path} already; a restore needs an empty place")

    def load(self, source: Path, tell: Tell) -> None:
        tell("restoring the database")
        self.insist_on_empty()  # again: copying the files took its time
        copy(source, self._path, digest_and_size(source)[0])
        sync_folder(self._path.parent)


def _read_only(path: Path) -> sqlite3.Connection:
    return sqlite3.connect(f"file:{path}?mode=ro&immutable=1", uri=True)
