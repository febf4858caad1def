from __future__ import annotations

from collections.abc import AsyncGenerator
from pathlib import Path

import pytest
import pytest_asyncio
from playwright.async_api import Browser, BrowserContext

from bot.store.migrate import migrate
from bot.store.store import Store
from tests.browser import chromium
from tests.conftest import MovedClock
from tests.webchat.desk import RunningChat, running_chat
from tests.webchat.filing import FileDesk, file_desk


@pytest.fixture
async def chat() -> AsyncGenerator[RunningChat]:
    async with running_chat() as running:
        yield running


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def browser() -> AsyncGenerator[Browser]:
    """One Chromium for the tests of a module."""
    async with chromium() as launched:
        yield launched


@pytest_asyncio.fixture(loop_scope="module")
async def context(browser: Browser) -> AsyncGenerator[BrowserContext]:
    """A browser profile that nobody has used before."""
    made = await browser.new_context(viewport={"width": 1000, "height": 760}, reduced_motion="reduce")
    yield made
    await made.close()


@pytest.fixture
def files_store(tmp_path: Path) -> Store:
    url = f"sqlite:///{tmp_path / 'redress.db'}"
    migrate(url)
    return Store(url)


@pytest_asyncio.fixture(loop_scope="module")
async def desk(files_store: Store, tmp_path: Path) -> AsyncGenerator[FileDesk]:
    async with file_desk(files_store, MovedClock(), tmp_path) as made:
        yield made
    files_store.close()
