"""A complaint by mail as a mail client of its own sends it: swaks in, bytes kept, the answer's thread out."""

from __future__ import annotations

import asyncio
import shutil
import sys
from collections.abc import AsyncIterator, Sequence
from email import message_from_bytes, policy
from email.message import EmailMessage
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from actions.commands import Command, HandToPerson, OpenCase, Say
from bot.store.migrate import migrate
from bot.store.store import Store
from bot.store.tables import Case, Evidence, Inbox, Outbox
from tests.fakes.rasa import FakeRasa
from tests.fakes.web import serving
from tests.letters import plain_text
from tests.process.desk import ROOT, DeskProcess

pytestmark = pytest.mark.skipif(shutil.which("swaks") is None, reason="swaks is not installed on this machine")

USER, STRANGER, INBOX = "li@mail.example", "eve@elsewhere.example", "complaints@exchange.example"
MESSAGE_ID = "<swaks.1@mail.example>"
SUBJECT = "投诉：提现三天未到账"
TEXT = "您好，我的 USDT 提现三天了还没到账。\n.这一行以点开头\n..\n...\n请尽快处理。\n"
SCREENSHOT = b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 40
RECEIVED = Inbox.id, Inbox.conversation_id, Inbox.outcome
SECONDS = 20


def complaint() -> bytes:
    mail = EmailMessage(policy=policy.default)
    mail["From"], mail["To"], mail["Subject"], mail["Message-ID"] = USER, INBOX, SUBJECT, MESSAGE_ID
    mail.set_content(TEXT, charset="utf-8", cte="8bit")
    mail.add_attachment(SCREENSHOT, maintype="image", subtype="png", filename="截图.png")
    return mail.as_bytes()


def reply(sender: str, answer: EmailMessage) -> bytes:
    mail = EmailMessage(policy=policy.default)
    mail["From"], mail["To"], mail["Subject"] = sender, str(answer["Reply-To"]), str(answer["Subject"])
    mail["Message-ID"] = f"<swaks.2.{sender}>"
    mail["In-Reply-To"] = str(answer["Message-ID"])
    mail.set_content("补充一下：到现在还是没有收到。\n", charset="utf-8")
    return mail.as_bytes()


def propose(body: dict[str, Any]) -> Sequence[Command]:
    if "提现" in body["text"]:
        return (OpenCase(label="withdrawal_issue", severity="high"), HandToPerson(reasons=("money_missing",)))
    return (Say(key="greeting"),)


@pytest.fixture
async def desk(tmp_path: Path) -> AsyncIterator[DeskProcess]:
    url = f"sqlite:///{tmp_path / 'redress.db'}"
    migrate(url)
    async with serving(FakeRasa(propose).app) as rasa_url:
        started = DeskProcess(tmp_path, url, rasa_url)
        await started.start()
        yield started
        assert await started.stop() == 0


@pytest.fixture
async def records(desk: DeskProcess, tmp_path: Path) -> AsyncIterator[Store]:
    """The running desk's database."""
    opened = Store(f"sqlite:///{tmp_path / 'redress.db'}")
    yield opened
    opened.close()


async def send(desk: DeskProcess, data: bytes, sender: str, recipient: str) -> str:
    """Sends `data` with swaks; the session as swaks shows it."""
    file = desk.folder / "swaks.eml"
    file.write_bytes(data)
    run = await asyncio.create_subprocess_exec(
        *("swaks", "--server", "127.0.0.1", "--port", str(desk.smtp_port), "--helo", "mail.example"),
        *("--from", sender, "--to", recipient, "--data", f"@{file}", "--suppress-data"),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    said, _ = await run.communicate()
    assert run.returncode == 0, said.decode()
    return said.decode()


def as_sent(data: bytes) -> bytes:
    """swaks makes CR LF of LF and ends the data with one more."""
    return data.replace(b"\n", b"\r\n") + b"\r\n"


async def raw(desk: DeskProcess, inbox_id: int) -> bytes:
    run = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "bot.cli", "raw", str(inbox_id)),
        cwd=ROOT,
        env=desk.env,
        stdout=asyncio.subprocess.PIPE,
    )
    original, _ = await run.communicate()
    assert run.returncode == 0
    return original


async def rows(records: Store, *columns: Any) -> list[tuple[Any, ...]]:
    return await records.read(lambda c: [tuple(row) for row in c.execute(select(*columns).order_by(columns[0]))])


async def settled(records: Store, received: int) -> None:
    """Until so many messages have come, and they and every answer are done with."""
    async with asyncio.timeout(SECONDS):
        while True:
            inbox, outbox = await rows(records, Inbox.id, Inbox.state), await rows(records, Outbox.id, Outbox.state)
            if [state for _, state in inbox] == ["done"] * received and {state for _, state in outbox} <= {"sent"}:
                return
            await asyncio.sleep(0.05)


def letters(desk: DeskProcess) -> list[EmailMessage]:
    files = (desk.maildrop / "new").iterdir()
    return [mail for file in files if isinstance(mail := _mail(file.read_bytes()), EmailMessage)]


def _mail(data: bytes) -> Any:
    return message_from_bytes(data, policy=policy.default)


async def test_what_was_sent_is_kept_and_becomes_one_case(desk: DeskProcess, records: Store) -> None:
    mail = complaint()
    said = await send(desk, mail, USER, INBOX)
    assert "<-  250 2.6.0 Your message is stored" in said
    await settled(records, 1)
    ((inbox_id, digest),) = await rows(records, Inbox.id, Inbox.raw_sha256)
    assert sha256(await raw(desk, inbox_id)).hexdigest() == sha256(as_sent(mail)).hexdigest() == digest
    ((opened_by, label),) = await rows(records, Case.opened_by_inbox, Case.label)
    assert (opened_by, label) == (inbox_id, "withdrawal_issue")
    ((name, kept),) = await rows(records, Evidence.filename, Evidence.sha256)
    assert (name, kept) == ("截图.png", sha256(SCREENSHOT).hexdigest())
    assert (desk.folder / "data" / "evidence" / kept[:2] / kept).read_bytes() == SCREENSHOT


async def test_the_answer_is_chinese_and_threaded(desk: DeskProcess, records: Store) -> None:
    await send(desk, complaint(), USER, INBOX)
    await settled(records, 1)
    (answer,) = letters(desk)
    assert answer["To"] == USER
    assert answer["Subject"] == "Re: 关于您给演示交易所的来信"  # the sender is not proven: none of their own words
    assert answer["In-Reply-To"] == MESSAGE_ID
    assert answer["References"].split()[-1] == MESSAGE_ID
    assert answer["Auto-Submitted"] == "auto-replied"
    assert answer["Content-Language"] == "zh-CN"
    ((number,),) = await rows(records, Case.number)
    text = plain_text(answer)
    assert number in text
    assert sum("\u4e00" <= character <= "\u9fff" for character in text) > 20


async def test_only_the_sender_may_reply_into_the_conversation(desk: DeskProcess, records: Store) -> None:
    await send(desk, complaint(), USER, INBOX)
    await settled(records, 1)
    (answer,) = letters(desk)
    await send(desk, reply(USER, answer), USER, str(answer["Reply-To"]))
    await settled(records, 2)
    ((_, first, opened), (_, second, joined)) = await rows(records, *RECEIVED)
    assert (opened, joined) == ("opened", "joined")
    assert first == second
    ((number,),) = await rows(records, Case.number)
    await send(desk, reply(STRANGER, answer), STRANGER, str(answer["Reply-To"]))
    await settled(records, 3)
    (_, _, (_, third, _)) = await rows(records, *RECEIVED)
    assert third != first
    to_stranger = [plain_text(mail) for mail in letters(desk) if mail["To"] == STRANGER]
    assert len(to_stranger) == 1
    assert number not in to_stranger[0]
