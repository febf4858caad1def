"""A desk on each database, the peer that a test is parametrised with, and open before it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

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
