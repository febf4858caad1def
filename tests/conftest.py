"""Fixtures of the whole suite: a clean environment, and a store on each of the two databases."""

from __future__ import annotations

import logging
import os
import shutil
from collections.abc import AsyncIterator, Callable, Iterator
from datetime import UTC, datetime, timedelta
from functools import cache
from io import StringIO
from pathlib import Path

import httpx
import httpx._transports.default as httpx_transports
import pytest
import structlog
from playwright.async_api import Browser

from bot import logs
from bot.store.migrate import migrate
from bot.store.store import Store
from tests.browser import chromium
from tests.fakes.postgres import running_postgres

for variable in [name for name in os.environ if name.startswith("REDRESS_")]:
    del os.environ[variable]


# httpx reads all certificate authorities for every client, which takes 40 ms; no test speaks TLS with the world.
httpx_transports.create_ssl_context = cache(httpx.create_ssl_context)  # type: ignore[attr-defined]


class MovedClock:
    """A clock that stands still until a test moves it."""

    def __init__(self) -> None:
        self.moment = datetime(2026, 11, 22, 9, 0, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.moment

    def move(self, **units: float) -> None:
        self.moment += timedelta(**units)


@pytest.fixture
def clock() -> MovedClock:
    return MovedClock()


@pytest.fixture(scope="session")
def postgres() -> Iterator[Callable[[], str]]:
    """Makes migrated databases on a real PostgreSQL: each call copies one and returns its URL."""
    with running_postgres() as server:
        yield server.make


@pytest.fixture(scope="session")
def migrated(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A migrated, empty SQLite file, to be copied: to migrate takes a hundred times as long."""
    file = tmp_path_factory.mktemp("migrated") / "redress.db"
    migrate(f"sqlite:///{file}")
    assert not file.with_name("redress.db-wal").exists()
    return file


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """A migrated, empty database; every test that asks for it runs on both engines."""
    if request.param == "postgresql":
        make: Callable[[], str] = request.getfixturevalue("postgres")
        return make()
    file = tmp_path / "redress.db"
    shutil.copyfile(request.getfixturevalue("migrated"), file)
    return f"sqlite:///{file}"


@pytest.fixture
async def store(database_url: str) -> AsyncIterator[Store]:
    opened = Store(database_url)
    yield opened
    opened.close()


@pytest.fixture
async def browser() -> AsyncIterator[Browser]:
    async with chromium() as launched:
        yield launched


@pytest.fixture
def logged() -> Iterator[StringIO]:
    """What the desk writes to its log during the test, set up as in production."""
    root, written = logging.getLogger(), StringIO()
    before = (root.handlers[:], root.level, logging.raiseExceptions, structlog.get_config())
    logs.set_up(written)
    structlog.configure(**structlog.get_config() | {"cache_logger_on_first_use": False})
    yield written
    root.handlers[:], level, logging.raiseExceptions, configured = before
    root.setLevel(level)
    structlog.configure(**configured)
