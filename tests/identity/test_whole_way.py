"""The whole way through a real desk: a real WebSocket, real SMTP in and out, a real back office; both languages."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, closing
from dataclasses import dataclass
from email.message import EmailMessage
from email.policy import SMTP
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from actions.commands import Command, Say
from bot import catalogue
from bot.identity.digits import MASK
from bot.store.store import Store
from bot.store.tables import Evidence, Inbox
from tests.acceptance.relay import FakeRelay
from tests.fakes.exchange import EMMA, TOKEN, XIAOWEN, FakeExchange
from tests.fakes.rasa import FakeRasa
from tests.fakes.web import serving
from tests.letters import plain_text
from tests.process.desk import DeskProcess
from tests.process.people import Chatter, letter, post

pytestmark = pytest.mark.timeout(400)
WORDS = catalogue.whole()
CODE = re.compile(r"(?<![0-9])[0-9]{6}(?![0-9])")
ACCOUNT = {"en": EMMA, "zh": XIAOWEN}
QUESTION = {
    "en": "Where is my withdrawal? It has been in review since yesterday.",
    "zh": "请问我的提现审核到哪一步了？",
}
START = {"en": "verify me", "zh": "验证身份"}
CODE_SENT = {"minutes": "10", "limit": "3"}
WAIT_SECONDS = 60


def propose(body: dict[str, Any]) -> Sequence[Command]:
    account = body["metadata"]["account"]
    return (Say(key="prove_hint") if account is None else Say(key="withdrawal_status_none"),)


@dataclass
class Scene:
    desk: DeskProcess
    rasa: FakeRasa
    relay: FakeRelay

    async def mail_to(self, address: str, count: int) -> EmailMessage:
        """The mail number `count` that the relay got for this address."""
        async with asyncio.timeout(WAIT_SECONDS):
            while len(found := [mail for mail in self.relay.mails if mail["To"] == address]) < count:
                await asyncio.sleep(0.1)
        return found[count - 1]


@pytest.fixture
async def scene(tmp_path: Path, database_url: str) -> AsyncIterator[Scene]:
    rasa, relay, exchange = FakeRasa(propose), FakeRelay(), FakeExchange(tmp_path)
    async with AsyncExitStack() as stack:
        rasa_url = await stack.enter_async_context(serving(rasa.app))
        exchange_url = await stack.enter_async_context(serving(exchange))
        relay_port = await stack.enter_async_context(relay.listening())
        desk = DeskProcess(
            tmp_path,
            database_url,
            rasa_url,
            BACKOFFICE_URL=exchange_url,
            BACKOFFICE_TOKEN=TOKEN,
            IDENTITY__BACKOFFICE_SECONDS="20",
            CHANNEL__MAIL__RELAY_HOST="127.0.0.1",
            CHANNEL__MAIL__RELAY_PORT=str(relay_port),
            CHANNEL__MAIL__RELAY_STARTTLS="false",
        )
        await desk.start()
        yield Scene(desk, rasa, relay)
        await desk.stop()


def plain(text: str) -> str:
    return " ".join(text.split())


async def test_proof_by_chat_and_by_mail_in_both_languages(scene: Scene) -> None:
    codes = []
    for language in ("en", "zh"):
        codes.append(await prove_on_chat(scene, language))
        codes.append(await prove_by_mail(scene, language))
    logged = scene.desk.log.read_text(encoding="utf-8")
    heard_by_rasa = str(scene.rasa.seen)
    for private in (*codes, EMMA["email"], XIAOWEN["email"]):
        assert private not in logged
        assert private not in heard_by_rasa
    code, book = await scene.desk.redress("reconcile")
    assert code == 0, book


async def prove_on_chat(scene: Scene, language: str) -> str:
    account = ACCOUNT[language]
    chatter = Chatter(scene.desk, language=language)
    await chatter.say(QUESTION[language])
    await chatter.wait_for(1, seconds=WAIT_SECONDS)
    await chatter.say(START[language])
    await chatter.wait_for(2, seconds=WAIT_SECONDS)
    await chatter.say(account["email"])
    heard = await chatter.wait_for(3, seconds=WAIT_SECONDS)
    assert heard[1:] == [
        WORDS.say("identity.which_account", language),
        WORDS.say("identity.code_sent", language, **CODE_SENT),
    ]
    mail = await scene.mail_to(account["email"], 1)
    assert mail["Subject"] == WORDS.say("identity.letter_subject", language)
    [code] = CODE.findall(plain_text(mail))
    await chatter.say(code)
    heard = await chatter.wait_for(5, seconds=WAIT_SECONDS)
    assert heard[3:] == [
        WORDS.say("identity.proven", language, name=account["name"]),
        WORDS.say("bot.withdrawal_status_none", language),
    ]
    assert chatter.shown_twice == 0
    return str(code)


async def prove_by_mail(scene: Scene, language: str) -> str:
    """From an address that is not the registered one: what counts is who reads the registered mailbox."""
    account, writer = ACCOUNT[language], f"writer.{language}@mail.example"
    subject = {"en": "A question", "zh": "请教一个问题"}[language]
    await post(scene.desk, letter(writer, subject, QUESTION[language]), writer)
    answer = await scene.mail_to(writer, 1)
    wish = f"{START[language]} UID {account['uid']}"
    await post(scene.desk, letter(writer, f"Re: {subject}", wish), writer, str(answer["Reply-To"]))
    answer = await scene.mail_to(writer, 2)
    assert plain(WORDS.say("identity.code_sent", language, **CODE_SENT)) in plain(plain_text(answer))
    [code] = CODE.findall(plain_text(await scene.mail_to(account["email"], 2)))
    await post(scene.desk, letter(writer, f"Re: {subject}", str(code)), writer, str(answer["Reply-To"]))
    told = plain(plain_text(await scene.mail_to(writer, 3)))
    assert plain(WORDS.say("identity.proven", language, name=account["name"])) in told
    assert plain(WORDS.say("bot.withdrawal_status_none", language)) in told
    return str(code)


async def test_a_bounce_of_the_letter_shows_its_code_to_nobody(scene: Scene, database_url: str) -> None:
    """A real mail server's: the letter is quoted in its text and enclosed (RFC 3464)."""
    await Chatter(scene.desk, language="en").say("verify me, UID 10001")
    mail = await scene.mail_to(EMMA["email"], 1)
    [code] = CODE.findall(plain_text(mail))
    await post(scene.desk, bounced(mail), "", str(mail["Reply-To"]))
    with closing(Store(database_url)) as store:
        kept = await finished(store, "bounce")
        files = await store.read(lambda c: list(c.execute(select(Evidence.filename)).scalars()))
    assert code not in kept
    assert MASK in kept
    assert files == []


def bounced(mail: EmailMessage) -> bytes:
    report = EmailMessage(policy=SMTP)
    report["From"], report["To"] = "MAILER-DAEMON@mail.example", str(mail["Reply-To"])
    report["Subject"] = "Undelivered Mail Returned to Sender"
    report.set_content(f"The mailbox is full. You wrote:\n\n{plain_text(mail)}")
    report.add_attachment(mail)
    return report.as_bytes()


async def finished(store: Store, kind: str) -> str:
    """The text that is kept of the message of this kind."""
    query = select(Inbox.text).where(Inbox.kind == kind)
    async with asyncio.timeout(WAIT_SECONDS):
        while (text := await store.read(lambda c: c.execute(query).scalar_one_or_none())) is None:
            await asyncio.sleep(0.1)
    return str(text)
