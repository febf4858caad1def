"""The whole app process around an account on Bluesky: a complaint comes in, and one fixed sentence goes out."""

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
from tests.bluesky.harness import WORDS
from tests.bluesky.pds_api import HANDLE, PASSWORD, Pds
from tests.fakes.rasa import SECRET, FakeRasa
from tests.fakes.web import serving


def settings_of(folder: Path, database_url: str, rasa_url: str, port: int, **section: Any) -> Settings:
    return Settings(
        data_dir=folder,
        database_url=database_url,
        http_port=port,
        smtp_port=0,
        rasa_url=rasa_url,
        rasa_secret=SECRET,
        channel={"bluesky": {"handle": HANDLE, "app_password": PASSWORD, "poll_seconds": 5, **section}},
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
    async with Pds().running() as pds, serving(FakeRasa().app) as rasa_url:
        uri = pds.say(f"@demo.exchange.example {said}", ago=30, langs=[language])
        listener = socket.create_server(("127.0.0.1", 0))
        settings = settings_of(tmp_path, database_url, rasa_url, listener.getsockname()[1], service=pds.url)
        migrate(settings.database)
        async with running(build(settings), listener):
            await pds.until(posted=1)
    sentence = WORDS.say("bluesky.reply", language, link=f"{settings.url}/chat?lang={language}")
    [posted] = pds.posted
    text, tokens = re.subn(r"#join=[A-Za-z0-9_-]{43}", "", posted["text"])
    assert (text, tokens, posted["to"]) == (sentence, 1, uri)
    assert posted["record"]["langs"] == [language]
    [facet] = posted["record"]["facets"]
    [feature] = facet["features"]
    assert feature["$type"] == "app.bsky.richtext.facet#link"
    assert feature["uri"].startswith(f"{settings.url}/chat?lang={language}#join=")
    assert feature["uri"] in posted["text"]
    logged = caplog.text + "".join(capsys.readouterr())
    assert not [secret for secret in (PASSWORD, said, said[:12]) if secret in logged]
