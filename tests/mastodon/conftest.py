"""A Mastodon server, a desk and a channel between them for every test that asks for one."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from channels.mastodon.channel import MastodonChannel
from tests.mastodon.harness import channel
from tests.mastodon.mastodon_api import MastodonApi
from tests.monitor.harness import Desk, Time

type Start = Callable[..., Awaitable[MastodonChannel]]


@pytest.fixture
async def time() -> Time:
    return Time()


@pytest.fixture
async def api(time: Time) -> AsyncIterator[MastodonApi]:
    async with MastodonApi(now=time.wall).running() as running:
        yield running


@pytest.fixture
async def desk() -> Desk:
    return Desk()


@pytest.fixture
async def start(api: MastodonApi, desk: Desk, time: Time, tmp_path: Path) -> AsyncIterator[Start]:
    """Starts a channel with the given settings and waits until it has looked once; stops all of them at the end."""
    started: list[MastodonChannel] = []

    async def one(*, looked: bool = True, **settings: Any) -> MastodonChannel:
        time.stopped()
        built = channel(tmp_path, desk, settings.pop("base_url", api.url), time, **settings)
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
