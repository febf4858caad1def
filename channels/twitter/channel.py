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
from channels.twitter.api import Answer, Api
from channels.twitter.feed import Feed
from channels.twitter.ledger import Ledger
from channels.twitter.listening import Listener
from channels.twitter.marks import Marks
from channels.twitter.pace import Pace, ServerClock
from channels.twitter.reading import Reader
from channels.twitter.receive import CHANNEL, Receiver
from channels.twitter.sending import Sender, Templates
from channels.twitter.settings import XSettings, query
from channels.twitter.state import State

SEARCH_WINDOW = timedelta(days=7)
"""How far back a recent search reaches (X API v2, "search/recent")."""
STOP_SECONDS = 4.5

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
        own = frozenset(settings.own_usernames)
        self._api: Api | None = None
        self._receiver = Receiver(settings.account_id, own, context.accept)
        self._reader = Reader(settings.account_id, self._receiver.is_own, context.words)
        account, posting, *looking = (
            Pace(name, settings.poll_seconds, clock) for name in ("account", "replies", "mentions", "search")
        )
        marks = Marks(folder)
        self._state = State(looking, [account, posting], marks, clock)
        first = timedelta(hours=settings.first_hours)
        feeds = [
            Feed(ask, pace, marks, self._receiver, clock, first, window)
            for pace, ask, window in zip(looking, (self._mentions, self._search), (None, SEARCH_WINDOW), strict=True)
        ]
        self._listener = Listener(folder, self._connected, account, feeds, marks, self._state, clock, sleep)
        self._sender = Sender(
            self._connected,
            settings.account_id,
            own,
            Templates(context.words, context.public_url),
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

    async def _mentions(self, since: int, token: str | None) -> Answer:
        return await self._connected().mentions(since, token)

    async def _search(self, since: int, token: str | None) -> Answer:
        asked = query(self._listener.username, self._settings.keywords)
        return await self._connected().search(asked, since, token)
