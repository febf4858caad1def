"""The whole desk over real channels: mail, chat and Telegram become one person with one case; X needs a code."""

from __future__ import annotations

import asyncio
import re
import socket
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import httpx
import pytest
from sqlalchemy import select

from actions.commands import Command, OpenCase, Say
from bot import catalogue
from bot.bootstrap import Desk, build
from bot.serve import running
from bot.settings import Settings
from bot.store.migrate import migrate
from bot.store.tables import Case, Conversation
from tests.acceptance.relay import FakeRelay
from tests.fakes.rasa import SECRET, FakeRasa
from tests.fakes.web import serving
from tests.letters import plain_text
from tests.process.people import Chatter, letter, post
from tests.telegram.bot_api import TOKEN as BOT_TOKEN
from tests.telegram.bot_api import BotApi
from tests.twitter.x_api import CREDENTIALS, XApi

pytestmark = pytest.mark.timeout(300)
WORDS = catalogue.whole()
LINK = re.compile(r"https?://\S+")
TOKEN = re.compile(r"(?:join|start)=([A-Za-z0-9_-]{43})")
COMPLAINT = {"en": "My withdrawal is stuck", "zh": "我的提現一直沒有到帳"}
GO_ON = {"en": "continue on Telegram", "zh": "在Telegram繼續"}
CHAT = {"en": "continue in live chat", "zh": "转到在线客服"}
WAIT_SECONDS = 60
WRITER = "li@mail.example"


def propose(body: dict[str, Any]) -> Sequence[Command]:
    complains = any(word in body["text"] for word in ("stuck", "到帐"))
    return (OpenCase(label="withdrawal_issue"),) if complains else (Say(key="greeting"),)


@dataclass
class Doors:
    url: str
    smtp_port: int


@dataclass
class Scene:
    desk: Desk
    doors: Doors
    relay: FakeRelay

    async def mail_to(self, address: str, count: int) -> EmailMessage:
        async with asyncio.timeout(WAIT_SECONDS):
            while len(found := [mail for mail in self.relay.mails if mail["To"] == address]) < count:
                await asyncio.sleep(0.05)
        return found[count - 1]

    async def cases(self) -> list[tuple[str, str]]:
        query = select(Case.number, Case.status).order_by(Case.id)
        return await self.desk.store.read(lambda c: [(row.number, row.status) for row in c.execute(query)])

    async def conversations(self) -> set[tuple[str, int | None]]:
        query = select(Conversation.channel, Conversation.case_id)
        return await self.desk.store.read(lambda c: {(row.channel, row.case_id) for row in c.execute(query)})


@asynccontextmanager
async def scene_of(folder: Path, database_url: str, channel: dict[str, Any]) -> AsyncIterator[Scene]:
    relay = FakeRelay()
    async with serving(FakeRasa(propose).app) as rasa_url, relay.listening() as relay_port:
        listener, smtp = socket.create_server(("127.0.0.1", 0)), socket.create_server(("127.0.0.1", 0))
        smtp_port = smtp.getsockname()[1]
        smtp.close()
        mail = {"relay_host": "127.0.0.1", "relay_port": relay_port, "relay_starttls": False}
        settings = Settings(
            data_dir=folder,
            database_url=database_url,
            http_port=listener.getsockname()[1],
            smtp_port=smtp_port,
            rasa_url=rasa_url,
            rasa_secret=SECRET,
            channel={"mail": mail, **channel},
        )
        migrate(settings.database)
        desk = build(settings)
        async with running(desk, listener):
            yield Scene(desk, Doors(settings.url, smtp_port), relay)


async def follow(chatter: Chatter, link: str) -> None:
    """What the widget does when the user opens the link and says yes."""
    [token] = TOKEN.findall(link)
    async with chatter.connected(), httpx.AsyncClient(base_url=chatter.desk.url, trust_env=False) as http:
        bearer = {"Authorization": f"Bearer {chatter.session['session']}.{chatter.session['secret']}"}
        assert (await http.get(link)).status_code == 200, "a machine that looks at links"
        for path in ("/chat/invitation", "/chat/invitation/follow"):
            path = f"{path}?lang={chatter.language}"
            assert (await http.post(path, json={"token": token}, headers=bearer)).status_code == 200


@pytest.mark.parametrize("language", ["en", "zh"])
async def test_mail_chat_and_telegram_are_one_person_with_one_case(
    database_url: str, tmp_path: Path, language: str
) -> None:
    async with BotApi().running() as api:
        telegram = {"token": BOT_TOKEN, "api_url": api.url, "poll_seconds": 1}
        async with scene_of(tmp_path, database_url, {"telegram": telegram}) as scene:
            answered = await complain_by_mail(scene, language)
            [(number, _)] = await scene.cases()
            chatter = await go_on_in_chat(scene, language, answered, number)
            await go_on_in_telegram(api, chatter, language, number)
            assert await scene.cases() == [(number, "open")]
            in_case = {channel for channel, case in await scene.conversations() if case is not None}
            assert in_case == {"mail", "webchat", "telegram"}


async def complain_by_mail(scene: Scene, language: str) -> EmailMessage:
    await post(scene.doors, letter(WRITER, "Hello", COMPLAINT[language]), WRITER)
    return await scene.mail_to(WRITER, 1)


async def go_on_in_chat(scene: Scene, language: str, answered: EmailMessage, number: str) -> Chatter:
    """By a link that is asked for in a reply, and used once."""
    await post(scene.doors, letter(WRITER, "Re: Hello", CHAT[language]), WRITER, str(answered["Reply-To"]))
    [link] = [each for each in LINK.findall(plain_text(await scene.mail_to(WRITER, 2))) if "join=" in each]
    chatter = Chatter(scene.doors, language=language)
    await follow(chatter, link)
    [bound] = await chatter.wait_for(1, WAIT_SECONDS)
    assert number in bound
    assert WORDS.say("webchat.title", language) in plain_text(await scene.mail_to(WRITER, 3))
    await chatter.say(COMPLAINT[language])
    assert number in (await chatter.wait_for(2, WAIT_SECONDS))[1]
    return chatter


async def go_on_in_telegram(api: BotApi, chatter: Chatter, language: str, number: str) -> None:
    await chatter.say(GO_ON[language])
    [token] = TOKEN.findall((await chatter.wait_for(3, WAIT_SECONDS))[2])
    await api.say(f"/start {token}")
    await api.until(1, api.sent)
    assert number in api.sent[0]["text"]
    await api.say(f"/start {token}", chat=99)
    await api.until(2, api.sent)
    assert number not in api.sent[1]["text"], "the link is used up"
    await api.say(COMPLAINT[language])
    await api.until(3, api.sent)
    assert number in api.sent[2]["text"]


async def test_the_author_of_a_post_on_x_is_bound_by_the_code_alone(database_url: str, tmp_path: Path) -> None:
    async with XApi().running() as api:
        x = {**CREDENTIALS, "poll_seconds": 5, "api_url": api.url}
        api.say(f"@DemoExchange {COMPLAINT['en']}", ago=30, lang="en")
        async with scene_of(tmp_path, database_url, {"twitter": x}) as scene:
            await api.until(posted=1)
            [link] = LINK.findall(api.posted[0]["text"])
            [(number, _)] = await scene.cases()
            thief, author = Chatter(scene.doors), Chatter(scene.doors)
            for each in (thief, author):
                await follow(each, link)
            [shown] = await author.wait_for(1, WAIT_SECONDS)
            [code] = re.findall(r"^[A-Z0-9]{6}$", shown, re.MULTILINE)
            api.say(f"@DemoExchange {code}", ago=0, lang="en")
            assert number in (await author.wait_for(2, WAIT_SECONDS))[1]
            assert number not in " ".join(await thief.wait_for(1, WAIT_SECONDS))
            assert len(api.posted) == 1
            assert await scene.cases() == [(number, "open")]
