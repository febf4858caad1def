"""A Bluesky server, a desk and a channel between them for every test that asks for one."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from channels.bluesky.channel import BlueskyChannel
from tests.bluesky.harness import channel
from tests.bluesky.pds_api import Pds
from tests.monitor.harness import Desk, Time

type Start = Callable[..., Awaitable[BlueskyChannel]]


@pytest.fixture
async def time() -> Time:
    return Time()


@pytest.fixture
async def pds(time: Time) -> AsyncIterator[Pds]:
    async with Pds(now=time.wall).running() as running:
        yield running


@pytest.fixture
async def desk() -> Desk:
    return Desk()


@pytest.fixture
async def start(pds: Pds, desk: Desk, time: Time, tmp_path: Path) -> AsyncIterator[Start]:
    """Starts a channel with the given settings and waits until it has looked once; stops all of them at the end."""
    started: list[BlueskyChannel] = []

    async def one(*, looked: bool = True, **settings: Any) -> BlueskyChannel:
        time.stopped()
        built = channel(tmp_path, desk, settings.pop("service", pds.url), time, **settings)
        started.append(built)
        await built.start()
        if looked:
            await time.idle()
        return built

    yield one
    desk.door.set()
    pds.released.set()
    for built in started:
        await built.stop()
        await built.close()
