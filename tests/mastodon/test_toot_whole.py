"""The whole app process around an account at Mastodon: a complaint comes in, and one fixed sentence goes out."""

from __future__ import annotations

import logging
import re
import socket
from pathlib import Path
from typing import Any

import pytest

from bot.bootstrap import build
from bot.serve import running
from bot.settings import Settings
from bot.store.migrate import migrate
from tests.fakes.rasa import SECRET, FakeRasa
from tests.fakes.web import serving
from tests.mastodon.harness import WORDS
from tests.mastodon.mastodon_api import TOKEN, MastodonApi


def settings_of(folder: Path, database_url: str, rasa_url: str, port: int, **section: Any) -> Settings:
    return Settings(
        data_dir=folder,
        database_url=database_url,
        http_port=port,
        smtp_port=0,
        rasa_url=rasa_url,
        rasa_secret=SECRET,
        channel={"mastodon": {"access_token": TOKEN, "poll_seconds": 5, **section}},
    )


@pytest.mark.parametrize(
    ("said", "language", "visibility"),
    [
        ("my withdrawal of 3 BTC is stuck, order 8812", "en", "public"),
        ("我的提现一直没有到账，订单 8812", "zh", "direct"),
        ("我的提現一直沒有到帳，訂單 8812", "zh-Hant", "unlisted"),
    ],
)
async def test_a_complaint_is_led_away_from_the_public(
    database_url: str,
    tmp_path: Path,
    said: str,
    language: str,
    visibility: str,
    caplog: pytest.LogCaptureFixture,
    capsys: pytest.CaptureFixture[str],
) -> None:
    caplog.set_level(logging.DEBUG)
    async with MastodonApi().running() as api, serving(FakeRasa().app) as rasa_url:
        post_id = api.say(f"@DemoExchange {said}", ago=30, language=language, visibility=visibility)
        listener = socket.create_server(("127.0.0.1", 0))
        settings = settings_of(tmp_path, database_url, rasa_url, listener.getsockname()[1], base_url=api.url)
        migrate(settings.database)
        async with running(build(settings), listener):
            await api.until(posted=1)
    sentence = WORDS.say("mastodon.reply", language, link=f"{settings.url}/chat?lang={language}")
    [posted] = api.posted
    text, tokens = re.subn(r"#join=[A-Za-z0-9_-]{43}", "", posted["text"])
    seen_by = "direct" if visibility == "direct" else "unlisted"
    assert (text, tokens) == (f"@user77@far.example {sentence}", 1)
    assert (posted["to"], posted["visibility"]) == (post_id, seen_by)
    logged = caplog.text + "".join(capsys.readouterr())
    assert not [secret for secret in (TOKEN, said, said[:12]) if secret in logged]
