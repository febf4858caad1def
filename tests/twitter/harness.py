"""A desk in memory, time that only a test moves, and a channel between both."""

from __future__ import annotations

import asyncio
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from bot import wording
from bot.files import Files
from channels import twitter
from channels.contract import Accepted, Author, ChannelContext, InboundMessage, OutboundMessage
from channels.twitter.channel import XChannel
from channels.twitter.pace import ServerClock
from channels.twitter.settings import check
from tests.mail.harness import NotAsked
from tests.twitter.x_api import CREDENTIALS

WORDS = wording.load(wording.HERE, Path(twitter.__file__).parent)
PUBLIC_URL = "https://desk.exchange.example"
LINK = f"{PUBLIC_URL}/chat?lang="
SENTENCES = {language: WORDS.say("twitter.reply", language, link=LINK + language) for language in ("en", "zh")}


class Time:
    """Moves only when told; the channel's sleep ends when its time has come."""

    def __init__(self) -> None:
        self.seconds = 1000.0
        self._start = datetime(2026, 11, 22, 9, 0, tzinfo=UTC)
        self._until: float | None = None
        self._changed = asyncio.Condition()

    def monotonic(self) -> float:
        return self.seconds

    def wall(self) -> datetime:
        return self._start + timedelta(seconds=self.seconds)

    async def sleep(self, seconds: float) -> None:
        until = self._until = self.seconds + seconds
        async with self._changed:
            self._changed.notify_all()
            await self._changed.wait_for(lambda: self.seconds >= until)

    async def idle(self) -> None:
        """Waits until the channel has nothing to do but to wait."""
        async with self._changed, asyncio.timeout(60):
            await self._changed.wait_for(lambda: self._until is not None and self._until > self.seconds)

    async def run(self, seconds: float) -> None:
        """Lets so much time go by, from one waking of the channel to the next."""
        end = self.seconds + seconds
        await self.idle()
        while self.seconds < end:
            assert self._until is not None
            await self._set(min(self._until, end))
            await self.idle()

    async def skip(self, seconds: float) -> None:
        """Time goes by while no channel runs."""
        await self._set(self.seconds + seconds)

    def stopped(self) -> None:
        self._until = None

    async def _set(self, seconds: float) -> None:
        self.seconds = seconds
        async with self._changed:
            self._changed.notify_all()


class FakeDesk:
    """Stores in memory and dedupes like the inbox. Can be told to fail next, or to wait at the door."""

    def __init__(self) -> None:
        self.stored: dict[str, InboundMessage] = {}
        self.attempts = 0
        self.fail_next: list[Exception] = []
        self.door = asyncio.Event()
        self.door.set()
        self.waiting = asyncio.Event()

    async def accept(self, message: InboundMessage) -> Accepted:
        self.attempts += 1
        if self.fail_next:
            raise self.fail_next.pop(0)
        self.waiting.set()
        await self.door.wait()
        known = message.external_id in self.stored
        self.stored.setdefault(message.external_id, message)
        number = len(self.stored)
        return Accepted(inbox_id=number, conversation_id=1, seq=number, duplicate=known)

    def texts(self) -> list[str]:
        return [json.loads(message.raw)["post"]["text"] for message in self.stored.values()]


def context(folder: Path, desk: FakeDesk, public_url: str = PUBLIC_URL, **settings: Any) -> ChannelContext:
    return ChannelContext(
        settings=settings,
        host="127.0.0.1",
        ports={"smtp": 0},
        exchange_names={"en": "Demo Exchange", "zh": "演示交易所"},
        data_dir=folder,
        public_url=public_url,
        secret=bytes(range(32)),
        accept=desk.accept,
        evidence=Files(folder / "evidence"),
        transcript=NotAsked(),
        uploads=NotAsked(),
        attention=NotAsked(),
        words=WORDS,
        app_token_secret="",
        site_origins=(),
    )


def channel(folder: Path, desk: FakeDesk, api_url: str, time: Time, **more: Any) -> XChannel:
    built = context(folder, desk, **{**CREDENTIALS, "api_url": api_url, "request_seconds": 5, **more})
    clock = ServerClock(time.monotonic, time.wall)
    return XChannel(built, check(built.settings, built.public_url), clock, time.sleep)


def answer(post_id: str, sender: int = 77, **changes: Any) -> OutboundMessage:
    values: dict[str, Any] = {
        "outbox_id": 7,
        "message_id": "01hzx3",
        "conversation_id": 1,
        "conversation_key": f"4242:{sender}",
        "recipient": str(sender),
        "seq": 2,
        "author": Author.BOT,
        "author_name": "",
        "text": "Your withdrawal 8812 of 3 BTC is on hold.",
        "language": "en",
        "thread": {"post_id": post_id, "username": f"user{sender}", "addressed": "yes"},
        "created_at": datetime(2026, 11, 22, 8, 30, tzinfo=UTC),
    }
    return OutboundMessage(**(values | changes))
