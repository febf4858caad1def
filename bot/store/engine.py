"""Opens the database and insists that it keeps what it confirms.

SQLite: WAL, synchronous=FULL, foreign keys on, BEGIN IMMEDIATE for writers. PostgreSQL: refuses a server that
runs with fsync, full_page_writes or synchronous_commit off.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping
from contextlib import closing, suppress
from pathlib import Path
from typing import Any

from sqlalchemy import URL, Connection, Engine, create_engine, event, text
from sqlalchemy.engine import make_url
from sqlalchemy.exc import DataError, DBAPIError, IntegrityError, ProgrammingError

from bot.store.prepared import execute

SQLITE_BUSY_MS = 10_000
LOCK_MS = 3_000
"""So long one process waits for a row that another one holds (PostgreSQL)."""
PAGE_BYTES = 4096
LOG_BYTES = 1000 * PAGE_BYTES
"""As long as SQLite's log is when it is written back into the database (its wal_autocheckpoint)."""
IDLE_MS = 10_000
"""So long PostgreSQL waits for the next statement of a transaction; then it gives up the rows of a process that
was stopped in the middle."""
PATIENCE: Mapping[str, str] = {
    "connect_timeout": "5",
    "keepalives": "1",
    "keepalives_idle": "5",
    "keepalives_interval": "3",
    "keepalives_count": "3",
    "tcp_user_timeout": "10000",
}
"""A server that vanished without a word is noticed in about 15 s instead of two hours (libpq's parameters)."""


class UnsafeDatabase(Exception):
    """The database would lose what it confirmed; the message says which setting to change."""


def open_engine(url: str, *, writer: bool = False) -> Engine:
    """An engine for reading, or (`writer=True`) for the thread that writes."""
    if make_url(url).get_backend_name() == "sqlite":
        return _open_sqlite(url, writer=writer)
    size = 1 if writer else 8
    return create_engine(
        url,
        pool_size=size,
        max_overflow=size,
        pool_pre_ping=True,
        hide_parameters=True,
        connect_args={**patience(url), "options": _options(make_url(url))},
    )


def patience(url: str) -> Mapping[str, str]:
    """`PATIENCE`, but for what the operator's own URL says."""
    said = make_url(url).query
    return {name: value for name, value in PATIENCE.items() if name not in said}


def _options(url: URL) -> str:
    """What the operator's own URL says comes last and wins."""
    said = url.query.get("options", "")
    limits = f"-c lock_timeout={LOCK_MS} -c idle_in_transaction_session_timeout={IDLE_MS}"
    return f"{limits} {said if isinstance(said, str) else ' '.join(said)}".strip()


def out_of_order(error: DBAPIError) -> bool:
    """The database is gone, full, read-only or busy: the same may well succeed later. Otherwise it is our fault."""
    return error.connection_invalidated or not isinstance(error, DataError | IntegrityError | ProgrammingError)


def _open_sqlite(url: str, *, writer: bool) -> Engine:
    path = make_url(url).database
    if not path:
        raise UnsafeDatabase("database_url names an SQLite database in memory: nothing would survive a restart")
    Path(path).parent.mkdir(parents=True, exist_ok=True)
    engine = create_engine(
        url, connect_args={"timeout": SQLITE_BUSY_MS / 1000, "check_same_thread": False}, hide_parameters=True
    )
    event.listen(engine, "connect", _set_pragmas)
    begin = "BEGIN IMMEDIATE" if writer else "BEGIN"

    def _begin(connection: Connection) -> None:
        execute(connection, begin, ())

    event.listen(engine, "begin", _begin)
    return engine


def _set_pragmas(connection: Any, _record: Any) -> None:
    # The driver's own transaction handling would commit behind a SAVEPOINT's back: it is switched off and
    # BEGIN is sent by the listener above.
    connection.isolation_level = None
    for pragma in (
        "journal_mode=WAL",
        "synchronous=FULL",
        "foreign_keys=ON",
        f"busy_timeout={SQLITE_BUSY_MS}",
    ):
        connection.execute(f"PRAGMA {pragma}").close()


def lengthen_log(url: str) -> None:
    """Makes SQLite's log as long as it is between checkpoints anyway. A commit that makes the file longer takes a
    quarter more time than one that writes over what is there, and the first hundreds after a start are such.

    What is written for it is undone and never part of the database. Where the disk is full or somebody else writes,
    nothing is done. For as long as some connection stays open: with the last one SQLite removes its log.
    """
    path = str(make_url(url).database)
    log = Path(f"{path}-wal")
    if log.exists() and log.stat().st_size >= LOG_BYTES:
        return
    with closing(sqlite3.connect(path, isolation_level=None, timeout=0)) as connection, suppress(sqlite3.Error):
        connection.execute("PRAGMA cache_size = 10")  # what does not fit there goes to the log at once
        connection.execute("BEGIN IMMEDIATE")
        try:
            connection.execute("CREATE TABLE filling (bytes BLOB)")
            filling = [(bytes(PAGE_BYTES),)] * (LOG_BYTES // PAGE_BYTES)
            connection.executemany("INSERT INTO filling VALUES (?)", filling)
        except sqlite3.Error:
            connection.rollback()
            connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")  # gives the disk back what it has
        else:
            connection.rollback()


def one_moment(connection: Connection) -> None:
    """Whatever this transaction reads from here on, it reads as of one moment. Must be its first statement.

    SQLite's transactions are like that by themselves; PostgreSQL's see each query's own moment unless told.
    """
    if connection.dialect.name == "postgresql":
        connection.execute(text("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY"))


def may_pause(connection: Connection) -> None:
    """This transaction stays open between its statements for as long as its work takes, without a limit."""
    if connection.dialect.name == "postgresql":
        connection.execute(text("SET LOCAL idle_in_transaction_session_timeout = 0"))


def assert_durable(engine: Engine) -> None:
    """Raises UnsafeDatabase unless a commit means "on disk"."""
    with engine.connect() as connection:
        found = _sqlite_state(connection) if engine.dialect.name == "sqlite" else _postgres_state(connection)
    for setting, (value, wanted) in found.items():
        if value not in wanted:
            raise UnsafeDatabase(
                f"the database has {setting} = {value}, but a confirmed complaint must be on disk: "
                f"set it to {wanted[0]}"
            )


def _sqlite_state(connection: Connection) -> dict[str, tuple[str, tuple[str, ...]]]:
    wanted = {"journal_mode": ("wal",), "synchronous": ("2", "3"), "foreign_keys": ("1",)}
    return {
        name: (str(connection.execute(text(f"PRAGMA {name}")).scalar_one()), values) for name, values in wanted.items()
    }


def _postgres_state(connection: Connection) -> dict[str, tuple[str, tuple[str, ...]]]:
    wanted = {
        "fsync": ("on",),
        "full_page_writes": ("on",),
        "synchronous_commit": ("on", "local", "remote_write", "remote_apply"),
    }
    return {
        name: (str(connection.execute(text(f"SHOW {name}")).scalar_one()), values) for name, values in wanted.items()
    }
