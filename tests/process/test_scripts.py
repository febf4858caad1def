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
from tests.process.people import Chatter

HANT = "zh-Hant"
SAID = [(HANT, "我的提現三天還沒到帳，請幫我查一下"), ("zh", "我的提现三天还没到账，请帮我查一下")]
PATIENCE_SECONDS = 30


class Whole:
    def __init__(self, desk: Desk, url: str, folder: Path) -> None:
        self.desk, self.url, self.folder = desk, url, folder
        self.smtp_port = next(c for c in desk.channels.values() if c.capabilities.reaches == "email").port  # type: ignore[attr-defined]

    async def answer(self) -> EmailMessage:
        async with asyncio.timeout(PATIENCE_SECONDS):
            while not (found := list((self.folder / "maildrop" / "new").glob("*"))):
                await asyncio.sleep(0.05)
        read = message_from_bytes(found[0].read_bytes(), policy=default)
        assert isinstance(read, EmailMessage)
        return read


@asynccontextmanager
async def whole(folder: Path, database_url: str) -> AsyncIterator[Whole]:
    listener = socket.create_server(("127.0.0.1", 0))
    port = listener.getsockname()[1]
    async with serving(FakeRasa(lambda _body: COMPLEX).app) as rasa_url:
        settings = Settings(
            data_dir=folder,
            database_url=database_url,
            http_port=port,
            smtp_port=0,
            rasa_url=rasa_url,
            rasa_secret=SECRET,
        )
        migrate(settings.database)
        desk = build(settings)
        async with running(desk, listener):
            yield Whole(desk, f"http://127.0.0.1:{port}", folder)


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
        async with asyncio.timeout(PATIENCE_SECONDS):
            while len([entry for entry in user.seen.values() if entry["author"] != "user"]) < 2:
                await user.look()
        answers = [entry["text"] for entry in user.seen.values() if entry["author"] != "user"]
        assert {script_of(answer) for answer in answers} == {script}
        page = await tracked("\n".join(answers))
    assert f'<html lang="{HANT if script == HANT else "zh-CN"}">' in page.text
    assert ("等待我們處理" in page.text) == (script == HANT)


@pytest.mark.parametrize(("script", "text"), SAID)
async def test_by_mail(tmp_path: Path, database_url: str, script: str, text: str) -> None:
    async with whole(tmp_path, database_url) as world:
        mail = EmailMessage(policy=SMTP)
        mail["From"], mail["To"] = "li@user.example", "complaints@exchange.example"
        mail["Message-ID"] = "<1@user.example>"
        mail.set_content(text)
        await aiosmtplib.send(mail, hostname="127.0.0.1", port=world.smtp_port, recipients=[world.desk_address()])
        answer = await world.answer()
        content = answer.get_body(("plain",))
        assert content is not None
        said = content.get_content()
        assert script_of(said) == script
        assert answer["content-language"] == (HANT if script == HANT else "zh-CN")
        assert script_of(str(answer["subject"])) in (script, None)
        page = await tracked(said)
    assert ("等待我們處理" in page.text) == (script == HANT)
