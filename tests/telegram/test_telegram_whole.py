"""The whole app process around a Telegram bot: a message comes in and its answer goes out, in both languages."""

from __future__ import annotations

import json
import logging
import socket
from pathlib import Path

import pytest

from bot import catalogue
from bot.bootstrap import build
from bot.serve import running
from bot.settings import Settings
from bot.store.migrate import migrate
from tests.fakes.rasa import SECRET, FakeRasa
from tests.fakes.web import serving
from tests.telegram.bot_api import TOKEN, BotApi


@pytest.mark.parametrize(
    ("text", "language"),
    [("Good morning to you all, my friends", "en"), ("大家早上好", "zh"), ("大家早安，請問", "zh-Hant")],
)
async def test_a_message_is_answered_in_its_language(
    api: BotApi,
    database_url: str,
    tmp_path: Path,
    text: str,
    language: str,
    caplog: pytest.LogCaptureFixture,
    capsys: pytest.CaptureFixture[str],
) -> None:
    caplog.set_level(logging.DEBUG)
    async with serving(FakeRasa().app) as rasa_url:
        listener = socket.create_server(("127.0.0.1", 0))
        settings = Settings(
            data_dir=tmp_path,
            database_url=database_url,
            http_port=listener.getsockname()[1],
            smtp_port=0,
            rasa_url=rasa_url,
            rasa_secret=SECRET,
            channel={"telegram": {"token": TOKEN, "api_url": api.url, "poll_seconds": 1}},
        )
        migrate(settings.database)
        async with running(build(settings), listener):
            await api.say(text)
            await api.until(1, api.sent)
    assert [m["text"] for m in api.sent] == [catalogue.whole().say("bot.greeting", language)]
    assert (api.sent[0]["chat_id"], api.pending) == ("77", [])
    logged = caplog.text + "".join(capsys.readouterr())
    assert not [secret for secret in (TOKEN, text, json.dumps(text)) if secret in logged]
