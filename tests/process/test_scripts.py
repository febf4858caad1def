"""The whole app: a complaint in 繁體 by chat and by mail comes back in 繁體, one in 简体 in 简体; and the pages too."""

from __future__ import annotations

import asyncio
import re
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import SMTP, default
from pathlib import Path

import aiosmtplib
import httpx
import pytest

from bot.bootstrap import Desk, build
from bot.script import script_of
from bot.serve import running
from bot.settings import Settings
from bot.store.migrate import migrate
from tests.fakes.rasa import SECRET, FakeRasa
from tests.fakes.web import serving
from tests.flow.conftest import COMPLEX
from tests.process.desk import free_port
from tests.process.people import Chatter

HANT = "zh-Hant"
SAID = [(HANT, "我的提現三天還沒到帳，請幫我查一下"), ("zh", "我的提现三天还没到账，请帮我查一下")]
PATIENCE_SECONDS = 30


class Whole:
    def __init__(self, desk: Desk, url: str, smtp_port: int, folder: Path) -> None:
        self.url, self.smtp_port, self.folder = url, smtp_port, folder
        self.inbox = next(one.door() for one in desk.channels.values() if one.capabilities.reaches == "email")

    async def answer(self) -> EmailMessage:
        async with asyncio.timeout(PATIENCE_SECONDS):
            while not (found := list((self.folder / "maildrop" / "new").glob("*"))):
                await asyncio.sleep(0.05)
        read = message_from_bytes(found[0].read_bytes(), policy=default)
        assert isinstance(read, EmailMessage)
        return read


@pytest.fixture(autouse=True)
def _no_other_configuration(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("REDRESS_CONFIG", str(tmp_path / "none.toml"))


@asynccontextmanager
async def whole(folder: Path, database_url: str) -> AsyncIterator[Whole]:
    listener = socket.create_server(("127.0.0.1", 0))
    async with serving(FakeRasa(lambda _body: COMPLEX).app) as rasa_url:
        settings = Settings(
            data_dir=folder,
            database_url=database_url,
            http_port=listener.getsockname()[1],
            smtp_port=(smtp_port := free_port()),
            rasa_url=rasa_url,
            rasa_secret=SECRET,
        )
        migrate(settings.database)
        desk = build(settings)
        async with running(desk, listener):
            yield Whole(desk, settings.url, smtp_port, folder)


async def tracked(text: str) -> httpx.Response:
    """The page behind the link of an answer, for a browser of another language."""
    [link] = re.findall(r"http://[^\s<>]+/track/[^\s<>]+", text)
    async with httpx.AsyncClient(headers={"accept-language": "de"}) as client:
        return await client.get(link)


@pytest.mark.parametrize(("script", "text"), SAID)
async def test_by_chat(tmp_path: Path, database_url: str, script: str, text: str) -> None:
    async with whole(tmp_path, database_url) as world:
        user = Chatter(world, language="zh")
        await user.say(text)
        answers = await user.wait_for(2)
        assert {script_of(answer) for answer in answers} == {script}
        page = await tracked("\n".join(answers))
    assert f'<html lang="{HANT if script == HANT else "zh-CN"}">' in page.text
    assert ("等待我們處理" in page.text) == (script == HANT)


@pytest.mark.parametrize(("script", "text"), SAID)
async def test_by_mail(tmp_path: Path, database_url: str, script: str, text: str) -> None:
    async with whole(tmp_path, database_url) as world:
        mail = EmailMessage(policy=SMTP)
        mail["From"], mail["To"] = "li@user.example", world.inbox
        mail["Message-ID"] = "<1@user.example>"
        mail.set_content(text)
        await aiosmtplib.send(mail, hostname="127.0.0.1", port=world.smtp_port, timeout=PATIENCE_SECONDS)
        answer = await world.answer()
        content = answer.get_body(("plain",))
        assert content is not None
        said = content.get_content()
        assert script_of(said) == script
        assert answer["content-language"] == (HANT if script == HANT else "zh-CN")
        assert script_of(str(answer["subject"])) in (script, None)
        page = await tracked(said)
    assert ("等待我們處理" in page.text) == (script == HANT)
