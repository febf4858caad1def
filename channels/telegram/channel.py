"""The Telegram channel put together (without a token: `off.py`)."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from typing import Any, override

from starlette.routing import BaseRoute

from channels.contract import Channel, ChannelContext, Figures, OutboundMessage, ReadMessage, SendReceipt
from channels.telegram.api import Connection
from channels.telegram.attaching import Attaching
from channels.telegram.buttons import Buttons
from channels.telegram.courtesy import Courtesy
from channels.telegram.files import Files
from channels.telegram.groups import Groups
from channels.telegram.listening import Listener
from channels.telegram.off import ABLE
from channels.telegram.pace import Pace
from channels.telegram.reading import Reader
from channels.telegram.receive import Receiver
from channels.telegram.sending import Sender
from channels.telegram.settings import CHANNEL, WEBHOOK_PATH, TelegramSettings
from channels.telegram.state import State
from channels.telegram.webhook import Webhook


class TelegramChannel(Channel):
    name = CHANNEL

    def __init__(
        self,
        context: ChannelContext,
        settings: TelegramSettings,
        sleep: Callable[[float], Awaitable[object]] = asyncio.sleep,
    ) -> None:
        """`sleep` is how the channel waits between two tries and between two messages."""
        self._on = bool(settings.bot_id)
        self.capabilities = replace(ABLE, live=self._on, broadcasts=self._on, caps=settings.caps)
        self._mode = settings.mode
        self._connection = Connection(settings)
        self._state = State()
        pace = Pace(sleep=sleep)
        buttons = Buttons(context.secret, settings.bot_id, settings.button_days)
        self._courtesy = Courtesy(lambda: self._connection.api, context.words, pace)
        self._files = Files(lambda: self._connection.api, settings.max_file_bytes, settings.request_seconds)
        self._groups = Groups(settings.bot_id, context.words, self._courtesy)
        self._receiver = Receiver(settings.bot_id, context.accept, buttons, self._groups, self._courtesy)
        self._webhook = Webhook(settings.webhook_secret.get_secret_value(), self._receiver)
        attaching = Attaching(self._files if self._on else None, context.words, self._courtesy)
        self._reader = Reader(settings.bot_id, context.words, attaching)
        self._sender = Sender(lambda: self._connection.api, buttons, pace, self._state)
        self._listener = Listener(
            settings,
            f"{context.public_url}{WEBHOOK_PATH}",
            lambda: self._connection.api,
            self._receiver,
            self._groups,
            self._state,
            context.words,
            sleep,
        )
        self._listening: asyncio.Task[None] | None = None

    @override
    async def start(self) -> None:
        """Does not wait for Telegram: the desk serves its other channels whether Telegram answers or not."""
        if self._listening is None:
            self._receiver.start()
            self._listening = asyncio.create_task(self._listener.run())

    @override
    async def stop(self) -> None:
        if self._listening is not None:
            self._listening.cancel()
            with suppress(asyncio.CancelledError):
                await self._listening
            self._listening = None
        await self._receiver.stop()

    @override
    async def close(self) -> None:
        await self._courtesy.stop()
        await self._files.close()
        await self._connection.close()

    @override
    def door(self) -> str:
        return f"https://t.me/{self._groups.username}" if self._groups.username else ""

    @override
    def title(self, language: str) -> str:
        return "Telegram"

    @override
    def start_link(self, token: str, language: str) -> str:
        door = self.door()
        return f"{door}?start={token}" if door else ""

    @override
    def routes(self) -> Sequence[BaseRoute]:
        return self._webhook.routes() if self._mode == "webhook" else ()

    @override
    def deaf(self) -> str | None:
        return self._state.deaf()

    @override
    def trouble(self) -> str | None:
        return self._state.trouble()

    @override
    def figures(self) -> Figures:
        listening = self._listening is not None and self._state.well
        return Figures(connections=int(listening), refused=dict(self._receiver.refused))

    @override
    async def read(self, raw: bytes, envelope: Mapping[str, Any]) -> ReadMessage:
        return await self._reader.read(raw, envelope)

    @override
    async def skim(self, raw: bytes, envelope: Mapping[str, Any]) -> ReadMessage:
        return await self._reader.read(raw, envelope, fetching=False)

    @override
    async def send(self, message: OutboundMessage) -> SendReceipt:
        return await self._sender.send(message)
