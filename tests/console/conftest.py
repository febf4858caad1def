from __future__ import annotations

import asyncio
import shutil
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
from argon2 import PasswordHasher

from bot.store.migrate import migrate
from bot.store.store import Store
from escalation.console import auth
from escalation.console.auth import create_agent
from tests.conftest import MovedClock
from tests.console.world import PASSWORD, World, running

PEOPLE = {
    "li": ("Li Wei", "agent"),
    "ann": ("Ann Lee", "agent"),
    "sue": ("Sue Park", "supervisor"),
    "root": ("Root", "admin"),
}


SHIPPED_HASHER = auth._HASHER
"""As it is outside of these tests."""


@pytest.fixture(scope="session", autouse=True)
def _quick_passwords() -> Iterator[None]:
    """Every desk and every log-in of these tests would wait for a hash that is slow on purpose."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(auth, "_HASHER", PasswordHasher(time_cost=1, memory_cost=64, parallelism=1))
        yield


@pytest.fixture(scope="session")
def desk_database(tmp_path_factory: pytest.TempPathFactory, _quick_passwords: None) -> Path:
    """Migrated, with somebody of every role; copied by every test, for hashing passwords takes its time."""
    path = tmp_path_factory.mktemp("desk") / "redress.db"
    migrate(f"sqlite:///{path}")

    async def fill() -> None:
        store = Store(f"sqlite:///{path}")
        for login, (name, role) in PEOPLE.items():
            await create_agent(store, login, name, role, PASSWORD, MovedClock())
        store.close()

    asyncio.run(fill())
    return path


@pytest.fixture
async def world(desk_database: Path, tmp_path: Path, clock: MovedClock) -> AsyncIterator[World]:
    """A running console over a database of its own."""
    shutil.copy(desk_database, tmp_path / "redress.db")
    store = Store(f"sqlite:///{tmp_path / 'redress.db'}")
    async with running(store, clock, tmp_path) as made:
        yield made
    store.close()
