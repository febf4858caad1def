"""The whole app process around the chat: a file becomes evidence, a person answers, who left hears of it."""

from __future__ import annotations

import asyncio
import json
import socket
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from email import message_from_bytes
from email.policy import default
from pathlib import Path

import jwt
import pytest
from sqlalchemy import insert, select, update

from bot.bootstrap import Desk, build
from bot.repository import attention
from bot.serve import running
from bot.settings import Settings
from bot.store.migrate import migrate
from bot.store.tables import Agent, Conversation, Evidence
from channels.contract import Channel
from escalation.handling import AgentRef
from tests.conftest import MovedClock
from tests.fakes.rasa import SECRET, FakeRasa
from tests.fakes.web import serving
from tests.letters import plain_text
from tests.webchat.client import Client, new_session, open_socket
from tests.webchat.desk import APP_SECRET, FakeDesk, RunningChat, in_an_hour
from tests.webchat.filing import Uploader, id_of

ANNA = AgentRef(id=1, name="Anna", role="agent")
PATIENCE_SECONDS = 30
ADDRESS = "li.mei@mail.example"


@dataclass
class Whole:
    desk: Desk
    chat: RunningChat
    clock: MovedClock
    folder: Path

    @asynccontextmanager
    async def connected(self, session: dict[str, str], after: int = 0) -> AsyncGenerator[Client]:
        async with open_socket(self.chat) as client:
            await client.send(type="hello", version=1, **session, live=True, language="zh", after=after)
            yield client

    async def conversation(self, session: dict[str, str]) -> int:
        query = select(Conversation.id).where(Conversation.key == session["session"])
        return await self.desk.store.read(lambda c: int(c.execute(query).scalar_one()))


@asynccontextmanager
async def whole(folder: Path, database_url: str = "", app_secret: str = "") -> AsyncGenerator[Whole]:
    clock = MovedClock()
    listener = socket.create_server(("127.0.0.1", 0))
    port = listener.getsockname()[1]
    async with serving(FakeRasa().app) as rasa_url:
        settings = Settings(
            data_dir=folder,
            database_url=database_url,
            http_port=port,
            smtp_port=0,
            rasa_url=rasa_url,
            rasa_secret=SECRET,
            app_token_secret=app_secret,
        )
        migrate(settings.database)
        desk = build(settings, clock)
        async with running(desk, listener):
            channel: Channel = next(each for each in desk.channels.values() if each.capabilities.live)
            yield Whole(desk, RunningChat(FakeDesk(), channel, port), clock, folder)


async def state_where(client: Client, **wanted: object) -> None:
    while True:
        state = await client.next_of("state")
        if wanted.items() <= state.items():
            return


async def test_a_file_becomes_evidence_and_is_there_after_a_restart(tmp_path: Path) -> None:
    async with whole(tmp_path) as before:
        session = await new_session(before.chat)
        user = Uploader(before.chat, session)
        path = await user.upload("转账凭证.png", b"\x89PNG\r\n\x1a\n proof")
        async with before.connected(session) as client:
            await client.send(type="message", id="with-a-file", text="看凭证", files=[id_of(path)])
            await client.next_of("stored")
            answers = [await client.next_of("entry") for _ in range(2)]
        assert [entry["author"] for entry in answers] == ["user", "bot"]
        rows = await before.desk.store.read(lambda c: c.execute(select(Evidence)).all())
        assert [(row.filename, row.content_type, row.ordinal) for row in rows] == [("转账凭证.png", "image/png", 0)]
    async with whole(tmp_path) as after:
        async with after.connected(session) as client:
            welcome = await client.next_of("welcome")
        [file] = welcome["entries"][0]["files"]
        assert (file["name"], file["size"]) == ("转账凭证.png", 14)
        again = Uploader(after.chat, session)
        assert (await again.ask("GET", f"/chat/files/{file['id']}")).content == b"\x89PNG\r\n\x1a\n proof"


async def test_a_person_comes_sees_answers_and_the_user_who_left_is_told(tmp_path: Path) -> None:
    async with whole(tmp_path) as world:
        session = await new_session(world.chat)
        person = {"id": 1, "login": "anna", "name": "Anna", "role": "agent", "password_hash": "-"}
        await world.desk.store.write(
            lambda c: c.execute(insert(Agent).values(**person, disabled=False, created_at=world.clock()))
        )
        async with world.connected(session) as client:
            await state_where(client, **{"with": "bot"})
            await client.write("我的提现没到账")
            await client.next_of("stored")
            conversation_id = await world.conversation(session)
            where = (world.chat.channel.name, session["session"])
            with world.desk.presence.inside(*where, ANNA.owner):
                await world.desk.console.handling.take_over(ANNA, conversation_id)
                await state_where(client, **{"with": "agent", "name": "Anna", "here": True})
                assert attention.USER in await present(world, where)
            await state_where(client, here=False)
        await prove(world, conversation_id)
        async with asyncio.timeout(PATIENCE_SECONDS):
            while attention.USER in await present(world, where):
                await asyncio.sleep(0.05)
        await world.desk.console.handling.reply(ANNA, conversation_id, "已经在查 3200 USDT 了", "n1")
        world.clock.move(minutes=16)
        await world.desk.alarm.ring_due()
        [mail] = await mails(world.folder)
        read = message_from_bytes(mail.read_bytes(), policy=default)
        assert read["to"] == ADDRESS
        assert read["auto-submitted"] == "auto-generated"
        text = plain_text(read)
        assert "一条答复" in text
        assert f"{world.chat.url}/chat?lang=zh" in text
        assert "3200" not in text


async def test_a_user_whose_name_the_app_cut_can_write(tmp_path: Path, database_url: str) -> None:
    """Half an emoji is no UTF-8, and PostgreSQL takes no NUL: neither may shut its user out."""
    claims = {"sub": "10001", "name": "小明\x00\ud83d", "aud": "redress", "exp": int(in_an_hour().timestamp())}
    token = jwt.api_jws.encode(json.dumps(claims).encode(), APP_SECRET, "HS256")
    async with whole(tmp_path, database_url, APP_SECRET) as world:
        session = await new_session(world.chat)
        async with open_socket(world.chat) as client:
            await client.send(type="hello", version=1, **session, token=token)
            assert (await client.next())["account"] == {"uid": "10001", "name": "小明"}
            await client.write("你好")
            await client.next_of("stored")
        query = select(Conversation.account).where(Conversation.key == session["session"])
        account = await world.desk.store.read(lambda c: c.execute(query).scalar_one())
        assert account is not None
        assert account["name"] == "小明"


async def present(world: Whole, where: tuple[str, str]) -> frozenset[str]:
    return await world.desk.store.read(lambda c: attention.present(c, *where, world.clock()))


async def prove(world: Whole, conversation_id: int) -> None:
    account = {"uid": "10001", "name": "Li Mei", "proven_by": "code", "email": ADDRESS}
    change = update(Conversation).where(Conversation.id == conversation_id).values(account=account)
    await world.desk.store.write(lambda c: c.execute(change))


async def mails(folder: Path) -> list[Path]:
    """What lies in the Maildir once the first mail has come."""
    async with asyncio.timeout(PATIENCE_SECONDS):
        while not (found := list((folder / "maildrop" / "new").glob("*"))):
            await asyncio.sleep(0.05)
    return found


@pytest.fixture(autouse=True)
def _no_other_configuration(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("REDRESS_CONFIG", str(tmp_path / "none.toml"))
