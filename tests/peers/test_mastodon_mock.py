"""A Mastodon server as others have understood it: a mention becomes a conversation and gets the one public sentence."""

from __future__ import annotations

import asyncio
import html
import re
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest
from sqlalchemy import select

from bench.processes import free_port
from bot import catalogue
from bot.store.migrate import migrate
from bot.store.store import Store
from bot.store.tables import Inbox
from tests.fakes.rasa import FakeRasa
from tests.fakes.web import serving
from tests.peers.installed import PYTHON
from tests.process.desk import DeskProcess

OURS, TOKEN = "testuser", "mock_token"
"""The account that the server begins with, and the token that it knows for it."""
PATIENCE_SECONDS = 60
PAUSE_SECONDS = 0.2
"""The server tells nobody when it has got something."""


@pytest.fixture
async def server() -> AsyncIterator[str]:
    port = free_port()
    program = PYTHON.with_name("mastodon_mock")
    assert program.exists(), "mastodon-mock is missing: run `make test-peers`, which installs it"
    process = await asyncio.create_subprocess_exec(
        *(str(program), "serve", "--in-memory", "--port", str(port), "--log-level", "critical"),
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.DEVNULL,
    )
    url = f"http://127.0.0.1:{port}"
    async with httpx.AsyncClient(trust_env=False) as client, asyncio.timeout(PATIENCE_SECONDS):
        while not await _answers(client, url):
            await asyncio.sleep(PAUSE_SECONDS)
    yield url
    process.terminate()
    await process.wait()


async def _answers(client: httpx.AsyncClient, url: str) -> bool:
    try:
        return (await client.get(f"{url}/api/v1/instance")).status_code == 200
    except httpx.TransportError:
        return False


async def joined(user: httpx.AsyncClient) -> None:
    """Somebody new on the server; `user` speaks for them from now on."""
    app = {"client_name": "reader", "redirect_uris": "urn:ietf:wg:oauth:2.0:oob", "scopes": "read write"}
    made = (await user.post("/api/v1/apps", data=app)).raise_for_status().json()
    keys = {name: made[name] for name in ("client_id", "client_secret")}
    asked = {"grant_type": "client_credentials", "scope": "read write", **keys}
    token = (await user.post("/oauth/token", data=asked)).raise_for_status().json()["access_token"]
    person = {"username": "lilei", "email": "li@user.example", "password": "long enough 1", "agreement": "true"}
    headers = {"Authorization": f"Bearer {token}"}
    account = await user.post("/api/v1/accounts", data={**person, "locale": "en"}, headers=headers)
    user.headers["Authorization"] = f"Bearer {account.raise_for_status().json()['access_token']}"


@pytest.mark.parametrize(
    ("words", "language"),
    [("my withdrawal of 3 BTC has been missing for days", "en"), ("我的提现三天了还没有到账，请处理", "zh")],
)
async def test_a_mention_is_heard_and_answered_once(server: str, tmp_path: Path, words: str, language: str) -> None:
    database = f"sqlite:///{tmp_path / 'redress.db'}"
    migrate(database)
    section = {"BASE_URL": server, "ACCESS_TOKEN": TOKEN, "POLL_SECONDS": "5"}
    async with serving(FakeRasa().app) as rasa_url, httpx.AsyncClient(trust_env=False, base_url=server) as user:
        await joined(user)
        said = {"status": f"@{OURS} {words}", "language": language}
        post = (await user.post("/api/v1/statuses", data=said)).raise_for_status().json()
        settings = {f"CHANNEL__MASTODON__{name}": value for name, value in section.items()}
        desk = DeskProcess(tmp_path, database, rasa_url, **settings)
        await desk.start()
        try:
            async with asyncio.timeout(PATIENCE_SECONDS):
                while not (replies := await _replies(user, post["id"])):
                    await asyncio.sleep(PAUSE_SECONDS)
        finally:
            assert await desk.stop() == 0
    start = catalogue.whole().say("mastodon.reply", language, link="|").partition("|")[0]
    assert [start.strip() in reply for reply in replies] == [True]
    store = Store(database)
    texts = await store.read(lambda connection: list(connection.execute(select(Inbox.text)).scalars()))
    store.close()
    assert texts == [words]


async def _replies(user: httpx.AsyncClient, post_id: str) -> list[str]:
    context = (await user.get(f"/api/v1/statuses/{post_id}/context")).raise_for_status().json()
    return [html.unescape(re.sub(r"<[^>]+>", "", each["content"])) for each in context["descendants"]]
