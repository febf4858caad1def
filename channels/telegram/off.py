"""The Telegram channel without a token: it starts nothing, has no door, and loads no library for it."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import replace
from typing import Any, override

from channels.contract import Capabilities, Channel, ChannelContext, OutboundMessage, ReadMessage, SendReceipt
from channels.faults import RetryLater
from channels.telegram.settings import CHANNEL, TelegramSettings

ABLE = Capabilities(max_characters=20_000, patience_seconds=8, live=False, announces=True, buttons=True)
"""Longer answers than Telegram's 4,096 are sent in parts. Nobody watches a channel that is off."""


class Off(Channel):
    name = CHANNEL
    capabilities = ABLE

    def __init__(self, context: ChannelContext, settings: TelegramSettings) -> None:
        self.capabilities = replace(ABLE, caps=settings.caps)
        self._context = context
        self._settings = settings
        self._whole: Channel | None = None
        self._loading = asyncio.Lock()

    @override
    async def read(self, raw: bytes, envelope: Mapping[str, Any]) -> ReadMessage:
        """What was stored while there was a token is still read."""
        return await (await self._loaded()).read(raw, envelope)

    @override
    async def skim(self, raw: bytes, envelope: Mapping[str, Any]) -> ReadMessage:
        return await (await self._loaded()).skim(raw, envelope)

    @override
    async def send(self, message: OutboundMessage) -> SendReceipt:
        raise RetryLater("the Telegram channel is off: channel.telegram.token is not set")

    @override
    async def close(self) -> None:
        if self._whole is not None:
            await self._whole.close()

    async def _loaded(self) -> Channel:
        async with self._loading:
            if self._whole is None:
                self._whole = await asyncio.to_thread(self._load)
            return self._whole

    def _load(self) -> Channel:
        from channels.telegram.channel import TelegramChannel

        return TelegramChannel(self._context, self._settings)
