"""An X API, a desk and a channel between them for every test that asks for one."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from channels.twitter.channel import XChannel
from tests.fakes.desk import FakeDesk
from tests.monitor.harness import Time
from tests.twitter.harness import channel
from tests.twitter.x_api import XApi

type Start = Callable[..., Awaitable[XChannel]]


@pytest.fixture
async def time() -> Time:
    return Time()


@pytest.fixture
async def api(time: Time) -> AsyncIterator[XApi]:
    async with XApi(now=time.wall).running() as running:
        yield running


@pytest.fixture
async def desk() -> FakeDesk:
    return FakeDesk()


@pytest.fixture
async def start(api: XApi, desk: FakeDesk, time: Time, tmp_path: Path) -> AsyncIterator[Start]:
    """Starts a channel with the given settings and waits until it has looked once; stops all of them at the end."""
    started: list[XChannel] = []

    async def one(*, looked: bool = True, **settings: Any) -> XChannel:
        time.stopped()
        built = channel(tmp_path, desk, settings.pop("api_url", api.url), time, **settings)
        started.append(built)
        await built.start()
        if looked:
            await time.idle()
        return built

    yield one
    desk.door.set()
    api.released.set()
    for built in started:
        await built.stop()
        await built.close()
