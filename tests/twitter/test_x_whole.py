"""The whole app process around an account on X: a complaint comes in, and one fixed sentence goes out."""

from __future__ import annotations

import logging
import re
import socket
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from bot.bootstrap import build
from bot.serve import running
from bot.settings import Settings
from bot.store.migrate import migrate
from bot.store.store import Store
from bot.store.tables import Conversation, Inbox
from channels.twitter.settings import WEBHOOK_PATH
from tests.fakes.rasa import SECRET, FakeRasa
from tests.fakes.web import serving
from tests.twitter.harness import WORDS
from tests.twitter.x_api import CREDENTIALS, XApi
from tests.twitter.x_webhook import calling


def settings_of(folder: Path, database_url: str, rasa_url: str, port: int, **section: Any) -> Settings:
    return Settings(
        data_dir=folder,
        database_url=database_url,
        http_port=port,
        smtp_port=0,
        rasa_url=rasa_url,
        rasa_secret=SECRET,
        channel={"twitter": {**CREDENTIALS, "poll_seconds": 5, **section}},
    )


@pytest.mark.parametrize(
    ("said", "language"),
    [
        ("my withdrawal of 3 BTC is stuck, order 8812", "en"),
        ("我的提现一直没有到账，订单 8812", "zh"),
        ("我的提現一直沒有到帳，訂單 8812", "zh-Hant"),
    ],
)
async def test_a_complaint_is_led_away_from_the_public(
    database_url: str,
    tmp_path: Path,
    said: str,
    language: str,
    caplog: pytest.LogCaptureFixture,
    capsys: pytest.CaptureFixture[str],
) -> None:
    caplog.set_level(logging.DEBUG)
    async with XApi().running() as api, serving(FakeRasa().app) as rasa_url:
        post_id = api.say(f"@DemoExchange {said}", ago=30, lang=language)
        listener = socket.create_server(("127.0.0.1", 0))
        settings = settings_of(tmp_path, database_url, rasa_url, listener.getsockname()[1], api_url=api.url)
        migrate(settings.database)
        async with running(build(settings), listener):
            await api.until(posted=1)
    link = f"{settings.url}/chat?lang={language}"
    [posted] = api.posted
    text, token = re.subn(r"#join=[A-Za-z0-9_-]{43}", "", posted["text"])
    assert (text, token, posted["to"]) == (WORDS.say("twitter.reply", language, link=link), 1, post_id)
    logged = caplog.text + "".join(capsys.readouterr())
    assert not [secret for secret in (*CREDENTIALS.values(), said, said[:12]) if secret in logged]


async def test_a_post_that_is_delivered_and_then_found_is_one_conversation(database_url: str, tmp_path: Path) -> None:
    async with XApi().running() as api, serving(FakeRasa().app) as rasa_url:
        listener = socket.create_server(("127.0.0.1", 0))
        port = listener.getsockname()[1]
        brought = {"webhook": True, "backfill_seconds": 5, "api_url": api.url}
        settings = settings_of(tmp_path, database_url, rasa_url, port, **brought)
        migrate(settings.database)
        async with (
            running(build(settings), listener),
            calling(api, f"{settings.url}{WEBHOOK_PATH}") as x,
        ):
            post_id = api.say("@DemoExchange my withdrawal of 3 BTC is stuck, order 8812")
            assert await x.deliver(post_id, times=2) == [200, 200]
            looked = len(api.called("search"))
            later = api.say("@DemoExchange are you there?", 78)
            await api.until(posted=2)
            assert len(api.called("search")) > looked
            assert await x.deliver(later, post_id) == [200]
    (first, found) = await kept(database_url)
    assert first == ("4242:77", post_id, "webhook")
    assert found in [("4242:78", later, feed) for feed in ("mentions", "search")]
    assert sorted(posted["to"] for posted in api.posted) == [post_id, later]


async def kept(database_url: str) -> list[Any]:
    """(conversation, post, by which way it came first) of every message."""
    store = Store(database_url)
    asked = select(Conversation.key, Inbox.external_id, Inbox.envelope).join(
        Conversation, Conversation.id == Inbox.conversation_id
    )
    try:
        found = await store.read(lambda connection: connection.execute(asked.order_by(Inbox.id)).all())
    finally:
        store.close()
    return [(key, external_id, envelope["feed"]) for key, external_id, envelope in found]
