"""The X channel put together. Without credentials it is off: it starts nothing and has no door."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from datetime import timedelta
from typing import Any, override

import structlog

from channels.contract import (
    Capabilities,
    Channel,
    ChannelContext,
    Figures,
    OutboundMessage,
    ReadMessage,
    RetryLater,
    SendReceipt,
)
from channels.monitor.answers import Known
from channels.monitor.faults import Unclear
from channels.monitor.feed import Feed
from channels.monitor.ledger import Ledger
from channels.monitor.listening import Listener
from channels.monitor.marks import Marks
from channels.monitor.pace import Pace, ServerClock
from channels.monitor.parts import part
from channels.monitor.posts import Page
from channels.monitor.receive import Receiver
from channels.monitor.sending import Sender, Templates
from channels.monitor.state import State, Wording
from channels.twitter.api import Api
from channels.twitter.ids import SNOWFLAKE
from channels.twitter.posts import page_of
from channels.twitter.reading import Reader
from channels.twitter.replying import Replying
from channels.twitter.settings import XSettings, query
from channels.twitter.weight import MAX_WEIGHT, weight

CHANNEL = "twitter"
SEARCH_WINDOW = timedelta(days=7)
"""How far back a recent search reaches (X API v2, "search/recent")."""
STOP_SECONDS = 4.5
WORDING = Wording(
    network="X",
    credentials="check the four words of channel.twitter, and the app's access at X",
    gap="the desk was down for longer than X can be searched back",
)

log = structlog.get_logger()


class XChannel(Channel):
    name = CHANNEL

    def __init__(
        self,
        context: ChannelContext,
        settings: XSettings,
        clock: ServerClock | None = None,
        sleep: Callable[[float], Awaitable[object]] = asyncio.sleep,
    ) -> None:
        """`clock` and `sleep` are how the channel knows the time and waits. Raises ValueError when a reply would not
        fit into a post."""
        self._settings = settings
        self._on = bool(settings.account_id)
        # Nothing that is said here leaves but the one sentence, so its length is no limit of X.
        self.capabilities = Capabilities(max_characters=4_000, patience_seconds=120)
        clock = clock or ServerClock()
        folder = context.data_dir / CHANNEL
        self._api: Api | None = None
        self._receiver = Receiver(CHANNEL, settings.account_id, settings.is_own, context.accept)
        self._reader = Reader(settings.account_id, settings.is_own, context.words)
        account, posting, *looking = (
            Pace(name, settings.poll_seconds, clock) for name in ("account", "replies", "mentions", "search")
        )
        marks = Marks(folder, SNOWFLAKE)
        self._state = State(WORDING, looking, [account, posting], marks, clock)
        first = timedelta(hours=settings.first_hours)
        feeds = [
            Feed(ask, pace, marks, self._receiver, clock, first, window)
            for pace, ask, window in zip(looking, (self._mentions, self._search), (None, SEARCH_WINDOW), strict=True)
        ]
        self._listener = Listener(folder, self._who_are_we, account, feeds, marks, self._state, clock, sleep)
        replying = Replying(self._connected, settings.is_own)
        self._sender = Sender(
            CHANNEL,
            WORDING.network,
            replying.check,
            replying.post,
            Templates(context.words, CHANNEL, context.public_url, weight, MAX_WEIGHT),
            Ledger(folder, settings.replies_per_hour),
            posting,
            self._state,
            clock,
            replies=settings.replies,
        )
        self._listening: asyncio.Task[None] | None = None

    @override
    async def start(self) -> None:
        """Does not wait for X: the desk serves its other channels whether X answers or not."""
        if self._on and self._listening is None:
            self._listening = asyncio.create_task(self._listener.run())

    @override
    async def stop(self) -> None:
        if self._listening is None:
            return
        self._listening.cancel()
        with suppress(asyncio.CancelledError):
            await self._listening
        self._listening = None
        try:
            async with asyncio.timeout(STOP_SECONDS):
                await self._listener.finish()
        except TimeoutError:
            log.warning("x_stop_incomplete")

    @override
    async def close(self) -> None:
        if self._api is not None:
            self._api.close()
            self._api = None

    @override
    def door(self) -> str:
        return f"https://x.com/{self._listener.username}" if self._listener.username else ""

    @override
    def deaf(self) -> str | None:
        return self._state.deaf()

    @override
    def trouble(self) -> str | None:
        return self._state.trouble()

    @override
    def figures(self) -> Figures:
        return Figures(connections=self._state.feeds_up, refused={**self._receiver.refused, **self._state.quotas()})

    @override
    async def read(self, raw: bytes, envelope: Mapping[str, Any]) -> ReadMessage:
        return self._reader.read(raw, envelope)

    @override
    async def send(self, message: OutboundMessage) -> SendReceipt:
        if not self._on:
            raise RetryLater("the X channel is off: the credentials of channel.twitter are not set")
        return await self._sender.send(message)

    def _connected(self) -> Api:
        """Made when first asked for, so that a channel that is off holds no connection."""
        if self._api is None:
            self._api = Api(self._settings)
        return self._api

    async def _who_are_we(self) -> Known:
        answer = await self._connected().account()
        username = part(answer.body, "data", "username")
        if not isinstance(username, str) or not username:
            raise Unclear
        return Known(name=username, quota=answer.quota, at=answer.at)

    async def _mentions(self, since: int, token: str | None) -> Page:
        return page_of(await self._connected().mentions(since, token))

    async def _search(self, since: int, token: str | None) -> Page:
        asked = query(self._listener.username, self._settings.keywords)
        return page_of(await self._connected().search(asked, since, token))
