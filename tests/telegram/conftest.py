"""A Bot API, a desk and a channel between them for every test that asks for one."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import pytest
from starlette.routing import Router
from starlette.types import Receive, Scope, Send

from channels.telegram.channel import TelegramChannel
from tests.fakes.desk import FakeDesk
from tests.fakes.web import serving
from tests.telegram.bot_api import BotApi
from tests.telegram.harness import WEBHOOK_SECRET, Sleeps, channel

type Start = Callable[..., Awaitable[TelegramChannel]]


@pytest.fixture
async def api() -> AsyncIterator[BotApi]:
    async with BotApi().running() as running:
        yield running


@pytest.fixture
async def desk() -> FakeDesk:
    return FakeDesk()


@pytest.fixture
async def sleeps() -> Sleeps:
    return Sleeps()


@pytest.fixture
async def start(api: BotApi, desk: FakeDesk, sleeps: Sleeps, tmp_path: Path) -> AsyncIterator[Start]:
    """Starts a channel with the given settings; stops all of them at the end."""
    started: list[TelegramChannel] = []

    async def one(**settings: Any) -> TelegramChannel:
        built = channel(tmp_path, desk, api.url, sleeps, **settings)
        started.append(built)
        await built.start()
        return built

    yield one
    desk.door.set()
    api.released.set()
    for built in started:
        await built.stop()
        await built.close()


@pytest.fixture
async def polling(start: Start, api: BotApi) -> TelegramChannel:
    """A channel that has begun to ask for updates."""
    built = await start()
    async with api.changed:
        await api.changed.wait_for(lambda: api.called("getUpdates"))
    return built


@pytest.fixture
async def webhook(start: Start, api: BotApi) -> AsyncIterator[TelegramChannel]:
    """A channel that Telegram posts to, behind a real HTTP server."""
    built: list[TelegramChannel] = []

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        """The server's address must be known before the channel is built, so its routes are looked up when called."""
        await Router(built[0].routes())(scope, receive, send)

    async with AsyncExitStack() as stack:
        url = await stack.enter_async_context(serving(app))
        built.append(await start(mode="webhook", webhook_secret=WEBHOOK_SECRET, public_url=url))
        async with api.changed:
            await api.changed.wait_for(lambda: api.called("getWebhookInfo"))
        yield built[0]
