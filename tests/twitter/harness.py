"""A desk in memory, time that only a test moves, and a channel between both."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from bot import wording
from bot.files import Files
from channels import twitter
from channels.contract import Author, ChannelContext, OutboundMessage
from channels.monitor.pace import ServerClock
from channels.twitter.channel import XChannel
from channels.twitter.settings import check
from tests.mail.harness import NotAsked
from tests.monitor.harness import Desk, Time
from tests.twitter.x_api import CREDENTIALS

WORDS = wording.load(wording.HERE, Path(twitter.__file__).parent)
PUBLIC_URL = "https://desk.exchange.example"
LINK = f"{PUBLIC_URL}/chat?lang="
SENTENCES = {language: WORDS.say("twitter.reply", language, link=LINK + language) for language in ("en", "zh")}


class FakeDesk(Desk):
    def texts(self) -> list[str]:
        return [json.loads(message.raw)["post"]["text"] for message in self.stored.values()]


class Links:
    """Every author has a link of their own."""

    async def link(self, conversation_key: str, language: str) -> str:
        return f"{LINK}{language}"

    def __getattr__(self, name: str) -> Any:
        raise AssertionError(f"the X channel asked for {name}")


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
        invitations=Links(),
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
