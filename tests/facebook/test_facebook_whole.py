"""The whole app process around a page: complaints by Messenger become cases with answers in the same language, and a
comment is led away from the public."""

from __future__ import annotations

import logging
import re
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from actions.commands import HandToPerson, OpenCase
from bot import catalogue
from bot.bootstrap import build
from bot.serve import running
from bot.settings import Settings
from bot.store.migrate import migrate
from bot.store.store import Store
from bot.store.tables import Case, Conversation
from channels.facebook.settings import WEBHOOK_PATH
from tests.facebook.graph_api import CREDENTIALS, PAGE, GraphApi
from tests.fakes.rasa import SECRET, FakeRasa
from tests.fakes.web import serving

ENGLISH = "My withdrawal of 3 BTC has been stuck for a week, nobody answers me"
CHINESE = "我提现的 3 个比特币一个星期了还没有到账，没有人理我"
TRADITIONAL = "我提現的 3 個比特幣一個星期了還沒有到帳，沒有人理我"
WORDS = catalogue.whole()


@asynccontextmanager
async def desk(folder: Path, database_url: str, api: GraphApi, rasa: FakeRasa) -> AsyncIterator[Settings]:
    async with serving(rasa.app) as rasa_url:
        listener = socket.create_server(("127.0.0.1", 0))
        settings = Settings(
            data_dir=folder,
            database_url=database_url,
            http_port=listener.getsockname()[1],
            smtp_port=0,
            rasa_url=rasa_url,
            rasa_secret=SECRET,
            channel={"facebook": {**CREDENTIALS, "api_url": api.url, "file_origins": [api.url]}},
        )
        migrate(settings.database)
        async with running(build(settings), listener):
            api.webhook = f"{settings.url}{WEBHOOK_PATH}"
            yield settings


async def cases(database_url: str) -> list[Any]:
    """(conversation key, class) of every case."""
    store = Store(database_url)
    asked = select(Conversation.key, Case.label).join(Case, Case.id == Conversation.case_id)
    try:
        return sorted(tuple(row) for row in await store.read(lambda connection: connection.execute(asked).all()))
    finally:
        store.close()


async def test_complaints_by_messenger_become_cases_with_answers_in_their_language(
    database_url: str, tmp_path: Path, caplog: pytest.LogCaptureFixture, capsys: pytest.CaptureFixture[str]
) -> None:
    caplog.set_level(logging.DEBUG)
    complex_matter = OpenCase(label="withdrawal_issue", severity="high", reasons=("money_missing",)), HandToPerson()
    said = {"101": (ENGLISH, "en"), "102": (CHINESE, "zh"), "103": (TRADITIONAL, "zh-Hant")}
    async with GraphApi().running() as api, desk(tmp_path, database_url, api, FakeRasa(lambda _: complex_matter)):
        for person, (text, _) in said.items():
            api.message(text, person)
        api.times = 2
        assert set(await api.deliver()) == {200}
        await api.until(6, api.sent)
    for person, (_, language) in said.items():
        answers = [sent["message"]["text"] for sent in api.sent if sent["recipient"]["id"] == person]
        assert len(answers) == 2
        assert WORDS.say("case.person_soon", language) in answers
        assert any("RD-" in answer for answer in answers)
    assert await cases(database_url) == [(f"{PAGE}:{person}", "withdrawal_issue") for person in said]
    logged = caplog.text + "".join(capsys.readouterr())
    secrets = [CREDENTIALS[name] for name in ("page_token", "app_secret", "verify_token")]
    assert not [secret for secret in (*secrets, ENGLISH, CHINESE, ENGLISH[:12], CHINESE[:6]) if secret in logged]


@pytest.mark.parametrize(("said", "language"), [(ENGLISH, "en"), (CHINESE, "zh")])
async def test_a_comment_is_led_away_from_the_public(
    database_url: str, tmp_path: Path, said: str, language: str
) -> None:
    async with GraphApi().running() as api, desk(tmp_path, database_url, api, FakeRasa()) as settings:
        comment = api.comment(said)["comment_id"]
        assert await api.deliver() == [200]
        await api.until(1, api.replied)
    [reply] = api.replied
    found = re.search(rf"{re.escape(settings.url)}/chat\?lang={language}#join=[A-Za-z0-9_-]{{43}}", reply["text"])
    assert found is not None, "the author's own link"
    assert reply == {"to": comment, "text": WORDS.say("facebook.reply", language, link=found.group())}
    assert api.sent == []
