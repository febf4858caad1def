"""PostgreSQL: pg_dump and pg_restore, which come with every server and every client package of it.

The dump is taken of a snapshot that we hold open meanwhile, so that what we ask about files and counts is answered as
of the very moment of the dump.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from pathlib import Path

from psycopg.conninfo import make_conninfo
from sqlalchemy import Connection
from sqlalchemy.engine import make_url

from bot.backup.database import Snapshot, Tell
from bot.backup.manifest import CannotBackUp, CannotRestore
from bot.files import sync_file, sync_folder
from bot.repository import whole
from bot.store.engine import may_pause, one_moment, open_engine

_VERSION = re.compile(r"\(PostgreSQL\)\s+(\d+)")


class _ToolFailed(Exception):
    """pg_dump or pg_restore is missing, too old, or said no."""


class Postgres:
    kind = "postgresql"
    file = "database.dump"

    def __init__(self, url: str, folder_of_tools: str) -> None:
        self._url = url
        self._folder = folder_of_tools

    @contextmanager
    def snapshot(self, target: Path, tell: Tell) -> Generator[Snapshot]:
        engine = open_engine(self._url)
        try:
            with engine.connect() as connection:
                one_moment(connection)
                may_pause(connection)  # the dump and every file are copied meanwhile
                server = whole.server_version(connection)
                tell("dumping the database")
                self._dump(connection, server, target)
                yield Snapshot(connection, server)
        except _ToolFailed as error:
            raise CannotBackUp(str(error)) from error
        finally:
            engine.dispose()

    def insist_on_empty(self) -> None:
        engine = open_engine(self._url)
        try:
            with engine.connect() as connection:
                if whole.has_tables(connection):
                    raise CannotRestore("the database has tables already; a restore needs an empty database")
        finally:
            engine.dispose()

    def load(self, source: Path, tell: Tell) -> None:
        tell("restoring the database")
        try:
            tool, _ = self._tool("pg_restore")
            self._run(tool, "--single-transaction", "--exit-on-error", "--no-owner", "--no-privileges", str(source))
        except _ToolFailed as error:
            raise CannotRestore(str(error)) from error

    def _dump(self, connection: Connection, server: str, target: Path) -> None:
        tool, major = self._tool("pg_dump")
        needed = int(server.split(".")[0])
        if major < needed:
            raise _ToolFailed(
                f"{tool} is of PostgreSQL {major}, but the server is {server}: "
                f"install the client of version {needed} or newer, or set pg_bin to its folder"
            )
        target.touch(mode=0o600)
        snapshot = whole.export_snapshot(connection)
        self._run(tool, "--format=custom", "--no-password", f"--snapshot={snapshot}", f"--file={target}")
        sync_file(target)
        sync_folder(target.parent)

    def _tool(self, name: str) -> tuple[str, int]:
        """Its path and major version."""
        path = shutil.which(name, path=self._folder or None)
        if path is None:
            where = f"in {self._folder}" if self._folder else "on PATH"
            raise _ToolFailed(f"there is no {name} {where}: install PostgreSQL's client programs, or set pg_bin")
        said = subprocess.run([path, "--version"], capture_output=True, text=True, check=False)  # noqa: S603
        found = _VERSION.search(said.stdout)
        if found is None:
            raise _ToolFailed(f"{path} does not work: {said.stderr.strip()[:200] or 'it names no version'}")
        return path, int(found[1])

    def _run(self, tool: str, *arguments: str) -> None:
        conninfo, secret = _connection(self._url)
        done = subprocess.run(  # noqa: S603
            [tool, f"--dbname={conninfo}", *arguments],
            env={**os.environ, **secret},
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode != 0:
            # The first line says what is wrong; later ones may quote rows.
            first = next(iter(done.stderr.strip().splitlines()), "it said nothing")
            raise _ToolFailed(f"{Path(tool).name} failed: {first[:300]}")


def _connection(url: str) -> tuple[str, Mapping[str, str]]:
    """How the tools connect; the password goes through the environment, where `ps` does not show it."""
    parsed = make_url(url)
    port = None if parsed.port is None else str(parsed.port)
    named = {"host": parsed.host, "port": port, "user": parsed.username, "dbname": parsed.database}
    query = {name: value if isinstance(value, str) else ",".join(value) for name, value in parsed.query.items()}
    secret = {} if parsed.password is None else {"PGPASSWORD": str(parsed.password)}
    return make_conninfo(**{name: value for name, value in {**named, **query}.items() if value is not None}), secret
