"""A desk in memory, a channel beside it and the peers that speak to both."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from bot import wording
from bot.files import Files
from channels import telegram
from channels.contract import Accepted, Author, ChannelContext, InboundMessage, OutboundMessage
from channels.telegram.channel import TelegramChannel
from channels.telegram.settings import check
from tests.mail.harness import NotAsked
from tests.telegram.bot_api import TOKEN

SECRET = bytes(range(32))
WEBHOOK_SECRET = "a-secret-that-telegram-shows"
WORDS = wording.load(wording.HERE, Path(telegram.__file__).parent)


class FakeDesk:
    """Stores in memory and dedupes like the inbox. Can be told to fail next, or to wait at the door."""

    def __init__(self) -> None:
        self.stored: list[InboundMessage] = []
        self.attempts = 0
        self.fail_next: list[Exception] = []
        self.door = asyncio.Event()
        self.door.set()
        self._changed = asyncio.Condition()

    async def accept(self, message: InboundMessage) -> Accepted:
        self.attempts += 1
        await self._tell()
        if self.fail_next:
            raise self.fail_next.pop(0)
        await self.door.wait()
        known = [n for n, old in enumerate(self.stored, 1) if old.external_id == message.external_id]
        if not known:
            self.stored.append(message)
            await self._tell()
        number = known[0] if known else len(self.stored)
        return Accepted(inbox_id=number, conversation_id=1, seq=number, duplicate=bool(known))

    async def until(self, *, stored: int = 0, attempts: int = 0) -> None:
        async with self._changed, asyncio.timeout(10):
            await self._changed.wait_for(lambda: len(self.stored) >= stored and self.attempts >= attempts)

    async def _tell(self) -> None:
        async with self._changed:
            self._changed.notify_all()


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
    return ChannelContext(
        settings=settings,
        host="127.0.0.1",
        ports={"smtp": 0},
        exchange_names={"en": "Demo Exchange", "zh": "演示交易所"},
        data_dir=folder,
        public_url=public_url,
        secret=SECRET,
        accept=desk.accept,
        evidence=Files(folder / "evidence"),
        transcript=NotAsked(),
        uploads=NotAsked(),
        attention=NotAsked(),
        invitations=NotAsked(),
        words=WORDS,
        app_token_secret="",
        site_origins=(),
    )


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
