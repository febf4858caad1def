from __future__ import annotations

from collections.abc import AsyncGenerator

import pytest

from tests.webchat.desk import RunningChat, running_chat


@pytest.fixture
async def chat() -> AsyncGenerator[RunningChat]:
    async with running_chat() as running:
        yield running
