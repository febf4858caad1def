"""The Bot API as others have understood it: text comes in by polling, and the answer goes out in its language."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest

from bench.processes import free_port
from bot import catalogue
from bot.store.migrate import migrate
from tests.fakes.rasa import FakeRasa
from tests.fakes.web import serving
from tests.peers.installed import PEERS
from tests.process.desk import DeskProcess

TOKEN = "4242:a-token-of-the-test-bot"
SCRIPT = Path(__file__).parent / "telegram_test_api.cjs"
PATIENCE_SECONDS = 40


@pytest.fixture
async def telegram() -> AsyncIterator[str]:
    """The address of the emulator."""
    modules = PEERS / "node_modules"
    assert modules.is_dir(), "telegram-test-api is missing: run `make test-peers`, which installs it"
    process = await asyncio.create_subprocess_exec(
        *("node", str(SCRIPT), TOKEN, str(free_port())),
        stdout=asyncio.subprocess.PIPE,
        env={**os.environ, "NODE_PATH": str(modules)},
    )
    assert process.stdout is not None
    port = (await asyncio.wait_for(process.stdout.readline(), 30)).decode().strip()
    yield f"http://127.0.0.1:{port}"
    process.terminate()
    await process.wait()


@pytest.mark.parametrize(("text", "language"), [("Good morning to you all, my friends", "en"), ("大家早上好", "zh")])
async def test_text_is_answered_in_its_language(telegram: str, tmp_path: Path, text: str, language: str) -> None:
    url = f"sqlite:///{tmp_path / 'redress.db'}"
    migrate(url)
    section = {"TOKEN": TOKEN, "API_URL": telegram, "POLL_SECONDS": "1"}
    async with serving(FakeRasa().app) as rasa_url, httpx.AsyncClient(trust_env=False, base_url=telegram) as user:
        settings = {f"CHANNEL__TELEGRAM__{name}": value for name, value in section.items()}
        desk = DeskProcess(tmp_path, url, rasa_url, **settings)
        await desk.start()
        try:
            await user.post("/user/say", json={"text": text})
            async with asyncio.timeout(PATIENCE_SECONDS):
                while not (heard := (await user.get("/user/heard")).json()):
                    await asyncio.sleep(0.1)  # the emulator tells nobody when it has got something
        finally:
            assert await desk.stop() == 0
    assert heard == [catalogue.whole().say("bot.greeting", language)]
