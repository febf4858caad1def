"""A channel before a desk in memory, and a sleep that only takes notes."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from bot import wording
from channels import telegram
from channels.contract import Author, ChannelContext, OutboundMessage
from channels.telegram.channel import TelegramChannel
from channels.telegram.settings import check
from tests.fakes.desk import FakeDesk
from tests.fakes.desk import context as desk_context
from tests.telegram.bot_api import TOKEN

WEBHOOK_SECRET = "a-secret-that-telegram-shows"
WORDS = wording.load(wording.HERE, Path(telegram.__file__).parent)


class Sleeps:
    """Instead of sleeping, notes for how long somebody wanted to; others get their turn."""

    def __init__(self) -> None:
        self.seconds: list[float] = []
        self._changed = asyncio.Condition()

    async def __call__(self, seconds: float) -> None:
        self.seconds.append(seconds)
        async with self._changed:
            self._changed.notify_all()
        await asyncio.sleep(0.01)

    async def until(self, count: int) -> None:
        async with self._changed, asyncio.timeout(10):
            await self._changed.wait_for(lambda: len(self.seconds) >= count)


def context(folder: Path, desk: FakeDesk, public_url: str = "http://127.0.0.1:8080", **settings: Any) -> ChannelContext:
    return desk_context(folder, desk, WORDS, settings, public_url=public_url)


def channel(
    folder: Path, desk: FakeDesk, api_url: str, sleeps: Sleeps, public_url: str = "http://127.0.0.1:8080", **more: Any
) -> TelegramChannel:
    settings = {"token": TOKEN, "api_url": api_url, "poll_seconds": 1, "request_seconds": 2, **more}
    built = context(folder, desk, public_url, **settings)
    return TelegramChannel(built, check(built.settings, public_url), sleep=sleeps)


def answer(**changes: Any) -> OutboundMessage:
    values: dict[str, Any] = {
        "outbox_id": 7,
        "message_id": "01hzx3",
        "conversation_id": 1,
        "conversation_key": "4242:77",
        "recipient": "77",
        "seq": 2,
        "author": Author.BOT,
        "author_name": "",
        "text": "We have your message.",
        "language": "en",
        "created_at": datetime(2026, 11, 22, 8, 30, tzinfo=UTC),
    }
    return OutboundMessage(**(values | changes))
