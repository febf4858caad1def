"""An X API, a desk and a channel between them for every test that asks for one."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import pytest

from channels.twitter.channel import XChannel
from channels.twitter.settings import WEBHOOK_PATH
from tests.fakes.desk import FakeDesk
from tests.fakes.web import Exchangeable, serving
from tests.monitor.harness import Time
from tests.twitter.harness import channel
from tests.twitter.x_api import XApi
from tests.twitter.x_webhook import XWebhook, calling

type Start = Callable[..., Awaitable[XChannel]]
type Deliver = Callable[..., Awaitable[tuple[XChannel, XWebhook]]]


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


@pytest.fixture
async def deliver(start: Start, api: XApi) -> AsyncIterator[Deliver]:
    """Starts a channel with its webhook; X has not checked it yet."""
    async with AsyncExitStack() as stack:

        async def one(**settings: Any) -> tuple[XChannel, XWebhook]:
            app = Exchangeable()
            url = await stack.enter_async_context(serving(app))
            built = await start(webhook=True, **settings)
            app.routes = built.routes()
            return built, await stack.enter_async_context(calling(api, f"{url}{WEBHOOK_PATH}"))

        yield one
