"""A Graph API, a desk and a channel between them for every test that asks for one."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import pytest
from starlette.applications import Starlette

from channels.facebook.channel import FacebookChannel
from channels.facebook.settings import WEBHOOK_PATH
from tests.facebook.graph_api import GraphApi
from tests.facebook.harness import channel
from tests.fakes.web import serving
from tests.monitor.harness import Desk, Time

type Start = Callable[..., Awaitable[FacebookChannel]]


@pytest.fixture
async def time() -> Time:
    return Time()


@pytest.fixture
async def api(time: Time) -> AsyncIterator[GraphApi]:
    async with GraphApi(now=time.wall).running() as running:
        yield running


@pytest.fixture
async def desk() -> Desk:
    return Desk()


@pytest.fixture
async def start(api: GraphApi, desk: Desk, time: Time, tmp_path: Path) -> AsyncIterator[Start]:
    """Starts a channel, waits until it has looked once, serves its webhook on demand; stops all of them at the end."""
    started: list[FacebookChannel] = []
    async with AsyncExitStack() as stack:

        async def one(*, looked: bool = True, served: bool = False, **settings: Any) -> FacebookChannel:
            time.stopped()
            built = channel(tmp_path, desk, settings.pop("api_url", api.url), time, **settings)
            started.append(built)
            await built.start()
            if looked:
                await time.idle()
            if served:
                url = await stack.enter_async_context(serving(Starlette(routes=list(built.routes()))))
                api.webhook = f"{url}{WEBHOOK_PATH}"
            return built

        yield one
        desk.door.set()
        api.released.set()
        for built in started:
            await built.stop()
            await built.close()


@pytest.fixture
async def of(start: Start) -> FacebookChannel:
    """A channel that has looked once and found nothing."""
    return await start()


@pytest.fixture
async def served(start: Start) -> FacebookChannel:
    """The same, with its webhook."""
    return await start(served=True)
