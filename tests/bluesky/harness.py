"""A Bluesky channel with a desk in memory, and messages for it to send."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from bot import wording
from channels import bluesky
from channels.bluesky.channel import BlueskyChannel
from channels.bluesky.settings import check
from channels.contract import Author, OutboundMessage
from channels.monitor.pace import ServerClock
from tests.bluesky.pds_api import HANDLE, PASSWORD, did_of
from tests.fakes.desk import LINK
from tests.monitor.context import context
from tests.monitor.harness import Desk, Time

WORDS = wording.load(wording.HERE, Path(bluesky.__file__).parent)
SENTENCES = {language: WORDS.say("bluesky.reply", language, link=LINK + language) for language in ("en", "zh")}
CID = "bafyrei00000000000000000001"


def channel(folder: Path, desk: Desk, url: str, time: Time, **more: Any) -> BlueskyChannel:
    settings = {"handle": HANDLE, "app_password": PASSWORD, "service": url, "request_seconds": 5, **more}
    built = context(folder, desk, WORDS, **settings)
    clock = ServerClock(time.monotonic, time.wall)
    return BlueskyChannel(built, check(built.settings, built.public_url), clock, time.sleep)


def texts(desk: Desk) -> list[str]:
    return [json.loads(message.raw)["post"]["record"]["text"] for message in desk.stored.values()]


def answer(uri: str, sender: int = 77, **changes: Any) -> OutboundMessage:
    thread = {
        "uri": uri,
        "root_uri": uri,
        "root_cid": CID,
        "username": f"user{sender}.bsky.social",
        "addressed": "yes",
    }
    values: dict[str, Any] = {
        "outbox_id": 7,
        "message_id": "01hzx3",
        "conversation_id": 1,
        "conversation_key": f"at:{did_of(sender)}",
        "recipient": did_of(sender),
        "seq": 2,
        "author": Author.BOT,
        "author_name": "",
        "text": "Your withdrawal 8812 of 3 BTC is on hold.",
        "language": "en",
        "thread": thread | changes.pop("thread", {}),
        "created_at": datetime(2026, 11, 22, 8, 30, tzinfo=UTC),
    }
    return OutboundMessage(**(values | changes))
