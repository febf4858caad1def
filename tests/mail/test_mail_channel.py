"""The channel as the desk sees it: read, notes, own mail, trouble."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from channels import mail
from channels.contract import Kind
from channels.mail.addresses import AddressBook
from channels.mail.channel import MailChannel
from tests.fakes.desk import SECRET, FakeDesk
from tests.mail.conftest import Start
from tests.mail.harness import FIXTURES, INBOX, answer, channel, deliver, mail_bytes

BOOK = AddressBook(INBOX, SECRET)
FROM_LI = {"mail_from": "li@user.example", "rcpt_to": [INBOX]}


@pytest.fixture
async def reader(tmp_path: Path) -> AsyncIterator[MailChannel]:
    built = channel(tmp_path, FakeDesk())
    yield built
    await built.stop()
    await built.close()


async def test_a_chinese_complaint_with_a_screenshot(reader: MailChannel) -> None:
    read = await reader.read((FIXTURES / "gb2312_with_screenshot.eml").read_bytes(), FROM_LI)
    assert read.kind is Kind.MESSAGE
    assert read.urgent
    assert read.note is None
    assert read.text.startswith("您好，我的 USDT 提现三天了还没到账。")
    assert [(a.filename, a.content_type) for a in read.attachments] == [("截图.png", "image/png")]
    assert read.thread == {
        "message_id": "<gb@user.example>",
        "references": "",
        "subject": "投诉：提现三天未到账，请尽快处理",
        "from": "li@user.example",
        "to": INBOX,
        "authentication": "none",
        "alignment": "",
        "spf": "none",
    }


async def test_a_sender_that_cannot_be_confirmed_is_noted_in_the_language_of_the_mail(reader: MailChannel) -> None:
    english = await reader.read(mail_bytes(), {"mail_from": "eve@evil.example"})
    assert english.note is not None
    assert english.note.startswith("The sender could not be confirmed")
    chinese = await reader.read(mail_bytes(body="我的钱呢"), {"mail_from": "eve@evil.example"})
    assert chinese.note is not None
    assert chinese.note.startswith("无法确认发件人")
    two = await reader.read(mail_bytes(extra="From: other@user.example\r\n"), FROM_LI)
    assert two.note is not None
    assert (await reader.read(mail_bytes(), {"mail_from": "prvs=123456789=LI@user.example"})).note is None


async def test_parts_that_were_left_out_are_noted(reader: MailChannel) -> None:
    body = "--x\r\n\r\nThe first words.\r\n" + "--x\r\n\r\n.\r\n" * 300 + "--x--"
    raw = b"From: li@user.example\r\nContent-Type: multipart/mixed; boundary=x\r\n\r\n" + body.encode()
    read = await reader.read(raw, FROM_LI)
    assert read.text.startswith("The first words.")
    assert read.note is not None
    assert read.note.startswith("Parts of this mail could not be read")


async def test_our_own_mail_is_recognised(reader: MailChannel) -> None:
    own_id = BOOK.message_id("01hzx3")
    returned = mail_bytes().replace(b"<1@user.example>", own_id.encode())
    assert (await reader.read(returned, FROM_LI)).kind is Kind.OWN
    from_us = mail_bytes().replace(b"li@user.example", INBOX.encode())
    assert (await reader.read(from_us, FROM_LI)).kind is Kind.OWN
    assert (await reader.read(mail_bytes(), {"mail_from": "complaints+x@exchange.example"})).kind is Kind.OWN
    reply = mail_bytes(extra=f"In-Reply-To: {own_id}\r\n")
    assert (await reader.read(reply, FROM_LI)).kind is Kind.MESSAGE


async def test_two_desks_that_write_to_each_other_stop_at_once(start: Start, desk: FakeDesk, tmp_path: Path) -> None:
    listener = await start()
    other = channel(tmp_path / "other", FakeDesk(), address="help@other.example")
    await other.send(answer(recipient=INBOX))
    (letter,) = (tmp_path / "other" / "maildrop" / "new").iterdir()
    await deliver(listener, letter.read_bytes().replace(b"\n", b"\r\n"), sender="")
    read = await listener.read(desk.stored[0].raw, desk.stored[0].envelope)
    assert read.kind is Kind.AUTOMATIC


async def test_a_reply_to_our_answer_comes_back_to_its_conversation(
    start: Start, desk: FakeDesk, tmp_path: Path
) -> None:
    listener = await start()
    await deliver(listener, mail_bytes())
    key = desk.stored[0].conversation_key
    await listener.send(answer(conversation_key=key))
    (letter,) = (tmp_path / "maildrop" / "new").iterdir()
    reply_to = next(line for line in letter.read_text().splitlines() if line.startswith("Reply-To: "))
    await deliver(listener, mail_bytes(subject="Re: Help"), recipient=reply_to.removeprefix("Reply-To: "))
    assert [message.conversation_key for message in desk.stored] == [key, key]


async def test_trouble_and_address(start: Start) -> None:
    listener = await start()
    assert listener.address is not None
    assert listener.address[0] == "127.0.0.1"
    assert listener.deaf() is None
    assert listener._receiver._server is not None
    listener._receiver._server.close()
    assert listener.deaf() == "the listener does not take messages; restart the desk"


def test_importing_the_package_is_light() -> None:
    assert "aiosmtpd" not in Path(mail.__file__).read_text(encoding="utf-8")


def test_what_the_channel_can_do(tmp_path: Path) -> None:
    can = channel(tmp_path, FakeDesk()).capabilities
    assert (can.max_characters, can.patience_seconds, can.one_reply) == (20_000, 120, True)
    assert (can.live, can.buttons) == (False, False)
