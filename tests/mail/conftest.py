"""A running mail channel on a free port for every test that asks for one."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from channels.mail.channel import MailChannel
from tests.fakes.desk import FakeDesk
from tests.mail.harness import Client, channel

type Start = Callable[..., Awaitable[MailChannel]]


@pytest.fixture
async def desk() -> FakeDesk:
    return FakeDesk()


@pytest.fixture
async def start(desk: FakeDesk, tmp_path: Path) -> AsyncIterator[Start]:
    """Starts a channel with the given settings; stops all of them at the end."""
    started: list[MailChannel] = []

    async def one(**settings: Any) -> MailChannel:
        built = channel(tmp_path, desk, **settings)
        await built.start()
        started.append(built)
        return built

    yield one
    desk.door.set()
    while Client.opened:
        await Client.opened.pop().close()
    for built in started:
        await built.stop()
        await built.close()


@pytest.fixture
async def inbox(start: Start) -> MailChannel:
    return await start()
