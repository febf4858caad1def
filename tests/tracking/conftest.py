from __future__ import annotations

import shutil
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from bot.store.migrate import migrate
from bot.store.store import Store
from tests.conftest import MovedClock
from tests.console.world import World, running


@pytest.fixture(scope="session")
def empty_database(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("empty") / "redress.db"
    migrate(f"sqlite:///{path}")
    return path


@pytest.fixture
async def world(empty_database: Path, tmp_path: Path, clock: MovedClock) -> AsyncIterator[World]:
    """A running desk without people: whoever follows a case needs none of them."""
    shutil.copy(empty_database, tmp_path / "redress.db")
    store = Store(f"sqlite:///{tmp_path / 'redress.db'}")
    async with running(store, clock, tmp_path) as made:
        yield made
    store.close()
