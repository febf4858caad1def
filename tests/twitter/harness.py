"""A channel before a desk in memory, and time that only a test moves."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from bot import wording
from channels import twitter
from channels.contract import Author, ChannelContext, OutboundMessage
from channels.monitor.pace import ServerClock
from channels.twitter.channel import XChannel
from channels.twitter.settings import check
from tests.fakes.desk import LINK, PUBLIC_URL, FakeDesk, Links
from tests.fakes.desk import context as desk_context
from tests.monitor.harness import Time
from tests.twitter.x_api import CREDENTIALS

WORDS = wording.load(wording.HERE, Path(twitter.__file__).parent)
SENTENCES = {language: WORDS.say("twitter.reply", language, link=LINK + language) for language in ("en", "zh")}


def texts(desk: FakeDesk) -> list[str]:
    return [json.loads(message.raw)["post"]["text"] for message in desk.stored]


def context(folder: Path, desk: FakeDesk, public_url: str = PUBLIC_URL, **settings: Any) -> ChannelContext:
    return desk_context(folder, desk, WORDS, settings, public_url=public_url, invitations=Links())


def channel(
    folder: Path,
    desk: FakeDesk,
    api_url: str,
    time: Time,
    rest: Callable[[float], Awaitable[object]] | None = None,
    **more: Any,
) -> XChannel:
    built = context(folder, desk, **{**CREDENTIALS, "api_url": api_url, "request_seconds": 5, **more})
    clock = ServerClock(time.monotonic, time.wall)
    return XChannel(built, check(built.settings, built.public_url), clock, time.sleep, rest or asyncio.sleep)


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
