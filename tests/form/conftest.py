"""One desk per module and database: every test sees only what came in since it began."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack

import pytest
import pytest_asyncio
from playwright.async_api import Browser

from tests.browser import chromium
from tests.form.desk import FormDesk, form_desk


class Desks:
    """Opened when they are first asked for."""

    def __init__(self, request: pytest.FixtureRequest, folders: pytest.TempPathFactory, stack: AsyncExitStack) -> None:
        self._request, self._folders, self._stack = request, folders, stack
        self._open: dict[str, FormDesk] = {}

    async def of(self, engine: str) -> FormDesk:
        if engine not in self._open:
            make: Callable[[], str] | None = None
            if engine == "postgresql":
                make = self._request.getfixturevalue("postgres")
            opening = form_desk(self._folders.mktemp(engine), make() if make else "")
            self._open[engine] = await self._stack.enter_async_context(opening)
        return await self._open[engine].afresh()


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def desks(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Desks]:
    async with AsyncExitStack() as stack:
        yield Desks(request, tmp_path_factory, stack)


@pytest.fixture
def engine() -> str:
    """The database; `on_both` gives a test each of the two."""
    return "sqlite"


@pytest_asyncio.fixture(loop_scope="module")
async def place(desks: Desks, engine: str) -> FormDesk:
    return await desks.of(engine)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def browser() -> AsyncIterator[Browser]:
    async with chromium() as launched:
        yield launched
