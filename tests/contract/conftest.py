"""A desk on each database, the peer that a test is parametrised with, open before it, and the desk's own log."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator, Iterator
from io import StringIO
from pathlib import Path

import pytest
import structlog

from bot import logs
from bot.store.store import Store
from tests.conftest import MovedClock
from tests.contract.desk import ContractDesk
from tests.contract.peer import Peer


@pytest.fixture
async def desk(store: Store, clock: MovedClock, tmp_path: Path) -> ContractDesk:
    return ContractDesk(store, clock, tmp_path)


@pytest.fixture
async def peer(request: pytest.FixtureRequest, desk: ContractDesk) -> AsyncIterator[Peer]:
    kind: type[Peer] = request.param
    async with kind.open(desk) as opened:
        yield opened
        desk.door.set()


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
