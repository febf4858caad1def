"""A running desk, its real doors and its log: a secret that comes in by chat or by mail is in no line of it."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from email.message import EmailMessage
from email.policy import SMTP
from pathlib import Path

import pytest
from sqlalchemy import select

from actions.commands import HandToPerson, OpenCase
from bot.redacting import WARNINGS
from bot.store.migrate import migrate
from bot.store.store import Store
from bot.store.tables import Base, Inbox
from tests.fakes.rasa import FakeRasa
from tests.fakes.web import serving
from tests.process.desk import DeskProcess
from tests.process.people import Chatter
from tests.process.wire import offer
from tests.understanding.secrets_cases import EN, HEX, TOKEN, ZH

pytestmark = pytest.mark.timeout(300)
COMPLAINT = (OpenCase(label="scam_fraud_report"), HandToPerson(reasons=("scam",)))
SECRETS = (EN, ZH, HEX, TOKEN, "Hunter2hunter", "482913", "4111 1111 1111 1111")
CHAT = f"they took my coins, phrase {EN}, api secret {TOKEN}, password is Hunter2hunter"
MAIL = (
    f"验证码是482913，助记词：{ZH}。\n卡号 4111 1111 1111 1111 被盗刷。\n\nOn Monday Eve wrote:\n> private key: {HEX}\n"
)
SECONDS = 30


@pytest.fixture
async def rasa() -> FakeRasa:
    return FakeRasa(lambda _body: COMPLAINT)


@pytest.fixture
async def desk(rasa: FakeRasa, tmp_path: Path) -> AsyncIterator[DeskProcess]:
    database = f"sqlite:///{tmp_path / 'redress.db'}"
    migrate(database)
    async with serving(rasa.app) as url:
        made = DeskProcess(tmp_path, database, url)
        await made.start()
        yield made
        await made.stop()


def mail() -> bytes:
    """With the sender's name and a file's name that give something away too."""
    letter = EmailMessage(policy=SMTP)
    letter["From"], letter["To"] = f'"private key {HEX}" <li@mail.example>', "complaints@exchange.example"
    letter["Subject"], letter["Message-ID"] = "投诉 密码是Hunter2hunter", "<secrets.1@mail.example>"
    letter.set_content(MAIL)
    letter.add_attachment(b"png", maintype="image", subtype="png", filename=f"{EN}.png")
    return letter.as_bytes()


async def everything_but_raw(store: Store) -> str:
    columns = [[c for c in t.columns if c is not Inbox.__table__.c.raw] for t in Base.metadata.sorted_tables]
    return await store.read(lambda connection: repr([connection.execute(select(*each)).all() for each in columns]))


async def finished(store: Store) -> list[bytes]:
    """The original bytes of all messages, once they are dealt with."""
    async with asyncio.timeout(SECONDS):
        while True:
            rows = await store.read(lambda c: c.execute(select(Inbox.state, Inbox.raw).order_by(Inbox.id)).all())
            if [row.state for row in rows] == ["done"] * 3:
                return [row.raw for row in rows]
            await asyncio.sleep(0.1)


def shown(text: str) -> list[str]:
    """As it is, and as JSON writes it."""
    return [secret for secret in SECRETS if secret in text or json.dumps(secret)[1:-1] in text]


async def test_neither_chat_nor_mail_leaves_a_secret_anywhere(desk: DeskProcess, rasa: FakeRasa) -> None:
    await greeted(desk)
    chatter = Chatter(desk)
    await chatter.say(CHAT)
    said = await chatter.wait_for(4)
    assert (await offer(desk.smtp_port, mail(), "li@mail.example")).startswith("250")
    again = Chatter(desk, session=chatter.session)
    [mine] = [entry["text"] for entry in await history(again) if entry["author"] == "user"]
    assert shown(mine) == []
    assert "[seed phrase removed]" in mine
    store = Store(desk.env["REDRESS_DATABASE_URL"])
    raws = await finished(store)
    kept = await everything_but_raw(store)
    store.close()
    await desk.stop()
    log = desk.log.read_text(encoding="utf-8")
    assert shown(kept) == shown(repr(rasa.seen)) == shown(log) == []
    assert [body["inbox_id"] for body in rasa.seen][-2:] == [2, 3]
    assert EN.encode() in raws[1]
    assert HEX.encode() in raws[2]
    assert sum("Careful" in line for line in said) == len(
        {WARNINGS[kind] for kind in ("seed_phrase", "api_secret", "password")}
    )


async def greeted(desk: DeskProcess) -> None:
    """The first turn of a desk loads what the later ones find loaded, and may outlast the patience of a chat."""
    somebody = Chatter(desk)
    await somebody.say("hello")
    await somebody.wait_for(1)


async def history(chatter: Chatter) -> list[dict[str, str]]:
    """What somebody sees who loads the page anew."""
    async with chatter.connected():
        pass
    return [chatter.seen[seq] for seq in sorted(chatter.seen)]
