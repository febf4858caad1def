"""A desk in memory, time that only a test moves, and a channel between both."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from bot import wording
from bot.files import Files
from channels import facebook
from channels.contract import Author, ChannelContext, OutboundMessage
from channels.facebook.channel import FacebookChannel
from channels.facebook.settings import check
from channels.monitor.pace import ServerClock
from tests.facebook.graph_api import CREDENTIALS, PAGE
from tests.fakes.desk import LINK, Links, NotAsked
from tests.monitor.harness import Desk, Time

WORDS = wording.load(wording.HERE, Path(facebook.__file__).parent)
PUBLIC_URL = "https://desk.exchange.example"
SECRET = bytes(range(32))
SENTENCES = {language: WORDS.say("facebook.reply", language, link=f"{LINK}{language}") for language in ("en", "zh")}


def context(folder: Path, desk: Desk, public_url: str = PUBLIC_URL, **settings: Any) -> ChannelContext:
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
        invitations=Links(),
        words=WORDS,
        app_token_secret="",
        site_origins=(),
    )


def channel(folder: Path, desk: Desk, api_url: str, time: Time, **more: Any) -> FacebookChannel:
    own = {"api_url": api_url, "file_origins": [api_url], "request_seconds": 2}
    built = context(folder, desk, **{**CREDENTIALS, **own, **more})
    clock = ServerClock(time.monotonic, time.wall)
    return FacebookChannel(built, check(built.settings, built.public_url), clock, time.sleep)


def answer(**changes: Any) -> OutboundMessage:
    """A private answer to person 77."""
    values: dict[str, Any] = {
        "outbox_id": 7,
        "message_id": "01hzx3",
        "conversation_id": 1,
        "conversation_key": f"{PAGE}:77",
        "recipient": "77",
        "seq": 2,
        "author": Author.BOT,
        "author_name": "",
        "text": "We have your message.",
        "language": "en",
        "created_at": datetime(2026, 11, 22, 8, 30, tzinfo=UTC),
    }
    return OutboundMessage(**(values | changes))


def below(comment_id: str, by: str = "77", **changes: Any) -> OutboundMessage:
    """An answer that would be written below a comment."""
    values: dict[str, Any] = {
        "conversation_key": f"{PAGE}:public:{by}",
        "recipient": by,
        "text": "Your withdrawal 8812 of 3 BTC is on hold.",
        "thread": {"object_id": comment_id, "addressed": "yes"},
    }
    return answer(**(values | changes))
