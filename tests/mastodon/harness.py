"""A Mastodon channel with a desk in memory, and messages for it to send."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from bot import wording
from channels import mastodon
from channels.contract import Author, InboundMessage, OutboundMessage
from channels.mastodon.channel import MastodonChannel
from channels.mastodon.html_text import text_of
from channels.mastodon.settings import check
from channels.monitor.pace import ServerClock
from tests.fakes.desk import LINK
from tests.mastodon.mastodon_api import TOKEN
from tests.monitor.context import context
from tests.monitor.harness import Desk, Time

WORDS = wording.load(wording.HERE, Path(mastodon.__file__).parent)
SENTENCES = {language: WORDS.say("mastodon.reply", language, link=LINK + language) for language in ("en", "zh")}


def channel(folder: Path, desk: Desk, url: str, time: Time, **more: Any) -> MastodonChannel:
    settings = {"access_token": TOKEN, "base_url": url, "request_seconds": 5, **more}
    built = context(folder, desk, WORDS, **settings)
    clock = ServerClock(time.monotonic, time.wall)
    return MastodonChannel(built, check(built.settings, built.public_url), clock, time.sleep)


def texts(desk: Desk) -> list[str]:
    return [said(message) for message in desk.stored.values()]


def said(message: InboundMessage) -> str:
    return text_of(json.loads(message.raw)["status"]["content"])


def answer(post_id: str, sender: int = 77, **changes: Any) -> OutboundMessage:
    thread = {"post_id": post_id, "username": f"user{sender}@far.example", "visibility": "public", "addressed": "yes"}
    values: dict[str, Any] = {
        "outbox_id": 7,
        "message_id": "01hzx3",
        "conversation_id": 1,
        "conversation_key": f"mastodon.example:{sender}",
        "recipient": str(sender),
        "seq": 2,
        "author": Author.BOT,
        "author_name": "",
        "text": "Your withdrawal 8812 of 3 BTC is on hold.",
        "language": "en",
        "thread": thread | changes.pop("thread", {}),
        "created_at": datetime(2026, 11, 22, 8, 30, tzinfo=UTC),
    }
    return OutboundMessage(**(values | changes))
