"""Bounces are recognised with and without a report, and tell which mail of ours did not arrive."""

from __future__ import annotations

import base64
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from channels.contract import Kind
from channels.mail.addresses import AddressBook
from channels.mail.channel import MailChannel
from channels.mail.parse import ParsedMail, parse
from tests.fakes.desk import SECRET, FakeDesk
from tests.mail.harness import INBOX, channel

OWN = AddressBook(INBOX, SECRET).message_id("01hzx3")
ORIGINAL = f"From: {INBOX}\nTo: li@user.example\nSubject: Re: Help\nMessage-ID: {OWN}\n"
FIELDS = "Final-Recipient: rfc822; li@user.example\nAction: failed\nStatus: 5.1.1\n"


def bounce(
    text: str, *, subject: str = "Undelivered Mail Returned to Sender", extra: str = "", sender: str = ""
) -> ParsedMail:
    author = "Mail Delivery System <mailer-daemon@mx.example>"
    head = f"From: {author}\nTo: {INBOX}\nSubject: {subject}\nMIME-Version: 1.0\n{extra}"
    return parse(f"{head}\n{text}".replace("\n", "\r\n").encode(), sender)


def report(
    fields: str, original: str = ORIGINAL, *, original_type: str = "message/rfc822", status_extra: str = ""
) -> bytes:
    parts = (
        f"--x\nContent-Type: text/plain\n\nIt did not arrive.\n\n"
        f"--x\nContent-Type: message/delivery-status\n{status_extra}\n{fields}\n"
        f"--x\nContent-Type: {original_type}\n\n{original}\n\n--x--\n"
    )
    head = "From: mailer-daemon@mx.example\nSubject: Undelivered\nMIME-Version: 1.0\n"
    type_ = "Content-Type: multipart/report; report-type=delivery-status; boundary=x\n"
    return f"{head}{type_}\n{parts}".replace("\n", "\r\n").encode()


@pytest.fixture
async def reader(tmp_path: Path) -> AsyncIterator[MailChannel]:
    built = channel(tmp_path, FakeDesk())
    yield built
    await built.stop()
    await built.close()


@pytest.mark.parametrize(
    "original_type", ["message/rfc822", "text/rfc822-headers", "message/rfc822-headers", "message/global"]
)
async def test_a_report_names_our_mail(reader: MailChannel, original_type: str) -> None:
    fields = f"Reporting-MTA: dns; mx.example\n\n{FIELDS}"
    read = await reader.read(report(fields, original_type=original_type), {"mail_from": ""})
    assert read.kind is Kind.BOUNCE
    assert read.thread["bounced_message_id"] == OWN
    assert read.thread["bounced_recipient"] == "li@user.example"
    assert read.thread["bounced_status"] == "5.1.1"


@pytest.mark.parametrize("foreign", ["<1@user.example>", OWN[:-20] + "x" * 19 + ">", OWN.replace("r.01", "r.02")])
async def test_an_id_that_we_did_not_sign_names_nothing(reader: MailChannel, foreign: str) -> None:
    read = await reader.read(report(FIELDS, ORIGINAL.replace(OWN, foreign)), {"mail_from": ""})
    assert read.kind is Kind.BOUNCE
    assert not any(key.startswith("bounced") for key in read.thread)


async def test_a_persons_mail_names_no_bounce(reader: MailChannel) -> None:
    raw = f"From: li@user.example\r\nSubject: Undelivered?\r\n\r\nMessage-ID: {OWN}\r\n550 5.1.1 no\r\n".encode()
    read = await reader.read(raw, {"mail_from": "li@user.example"})
    assert read.kind is Kind.MESSAGE
    assert "bounced_message_id" not in read.thread


@pytest.mark.parametrize(
    ("status", "english", "chinese"),
    [
        ("5.1.1", "permanent fault (status 5.1.1)", "永久性错误（状态码 5.1.1）"),
        ("4.2.2", "temporary fault (status 4.2.2)", "暂时性错误（状态码 4.2.2）"),
    ],
)
async def test_the_class_of_the_status_is_noted(reader: MailChannel, status: str, english: str, chinese: str) -> None:
    raw = report(FIELDS.replace("5.1.1", status))
    note = (await reader.read(raw, {"mail_from": ""})).note
    assert note is not None
    assert english in note
    assert "could not be confirmed" not in note
    note = (await reader.read(raw.replace(b"It did not arrive.", "未能投递。".encode()), {"mail_from": ""})).note
    assert note is not None
    assert chinese in note


async def test_a_bounce_that_gives_no_reason(reader: MailChannel) -> None:
    read = await reader.read(report("Final-Recipient: rfc822; li@user.example\n"), {"mail_from": ""})
    assert read.thread["bounced_status"] == ""
    assert read.note is not None
    assert read.note.startswith("A mail of ours has not arrived. The other mail system does not say")


REPORTS = {
    "the address we wrote to, not where it went": (
        "Original-Recipient: rfc822;li@user.example\nFinal-Recipient: rfc822;box17@inner.example\n"
        "Action: failed\nStatus: 5.2.1\n",
        "li@user.example",
        "5.2.1",
    ),
    "angle brackets": ("Final-Recipient: RFC822; <li@user.example>\nStatus: 5.3.0 (no)\n", "li@user.example", "5.3.0"),
    "international": (
        "Final-Recipient: utf-8; 李@例子.example\nAction: failed\nStatus: 5.1.1\n",
        "李@例子.example",
        "5.1.1",
    ),
    "the one that failed": (
        "Final-Recipient: rfc822;a@x.example\nAction: delivered\nStatus: 2.0.0\n\n"
        "Final-Recipient: rfc822;b@x.example\nAction: failed\nStatus: 5.0.0\n",
        "b@x.example",
        "5.0.0",
    ),
    "no blank line between the groups": (
        "Final-Recipient: rfc822;a@x.example\nAction: delayed\nStatus: 4.0.0\n"
        "Final-Recipient: rfc822;b@x.example\nAction: failed\nStatus: 5.4.4\n",
        "b@x.example",
        "5.4.4",
    ),
    "no status but a diagnosis": (
        "Final-Recipient: rfc822;li@user.example\nAction: failed\nDiagnostic-Code: smtp; 550 5.7.1 not\n wanted\n",
        "li@user.example",
        "5.7.1",
    ),
    "a bare reply code": (
        "Final-Recipient: rfc822;li@user.example\nDiagnostic-Code: smtp; 452 too much from 10.5.1.1\n",
        "li@user.example",
        "4.0.0",
    ),
    "only an action": ("Final-Recipient: rfc822;li@user.example\nAction: delayed\n", "li@user.example", "4.0.0"),
    "not an address": (
        "Final-Recipient: x400; /c=cn/s=li\nAction: failed\nStatus: 5.0.0\n",
        "li@user.example",
        "5.0.0",
    ),
}


@pytest.mark.parametrize("name", REPORTS)
def test_fields_of_reports(name: str) -> None:
    fields, recipient, status = REPORTS[name]
    mail = parse(report(fields), "")
    assert (mail.kind, mail.bounced_recipient, mail.bounced_status) == ("bounce", recipient, status)


def test_a_report_in_base64() -> None:
    fields = base64.b64encode(FIELDS.encode()).decode() + "\n"
    mail = parse(report(fields, status_extra="Content-Transfer-Encoding: base64\n"), "")
    assert (mail.bounced_recipient, mail.bounced_status) == ("li@user.example", "5.1.1")


@pytest.mark.parametrize("action", ["delivered", "relayed", "expanded"])
def test_a_report_of_success_is_no_failure(action: str) -> None:
    mail = parse(report(FIELDS.replace("failed", action).replace("5.1.1", "2.0.0")), "")
    assert (mail.kind, mail.bounced_ids, mail.bounced_status) == ("bounce", [], "")


TEXTS = {
    "qmail": (
        "failure notice",
        "Hi. This is the qmail-send program at mx.example.\nI could not deliver your mail.\n\n<li@user.example>:\n"
        "Remote host said: 550 5.1.1 unknown user\n\n--- Below this line is a copy of the message.\n\n" + ORIGINAL,
        "5.1.1",
    ),
    "qmail with its own code": (
        "failure notice",
        "Hi. This is the deliver program at mx.example.\n\n<li@user.example>:\n10.4.2.1 gave up. (#5.4.4)\n\n"
        "--- Below this line is a copy of the message.\n\n" + ORIGINAL,
        "5.4.4",
    ),
    "exim": (
        "Mail delivery failed: returning message to sender",
        "This message was created automatically by mail delivery software.\n\n  li@user.example\n"
        "    host mx.example [192.0.2.1]\n    550 no such mailbox\n\n"
        "------ This is a copy of the message, including all the headers. ------\n\n" + ORIGINAL,
        "5.0.0",
    ),
    "gmail": (
        "Delivery Status Notification (Failure)",
        "Delivery to the following recipient failed permanently:\n\n     li@user.example\n\n"
        "The error was:\n550 5.2.1 disabled\n\n"
        "----- Original message -----\n\n" + ORIGINAL,
        "5.2.1",
    ),
    "exchange": (
        "Undeliverable: Re: Help",
        "Delivery has failed to these recipients or groups:\n\nli@user.example\nThe mailbox is full.\n\n"
        "Remote Server returned '452 4.2.2 full'\n\nOriginal message headers:\n\n" + ORIGINAL,
        "4.2.2",
    ),
    "exchange zh": (
        "未送达: Re: 提现",
        "您发送给 li@user.example 的邮件未能送达。\n\n#550 5.1.10 RESOLVER\n\n邮件原文：\n" + ORIGINAL,
        "5.1.10",
    ),
    "qq": (
        "系统退信",
        "很抱歉您发送的邮件被退回，以下是该邮件的相关信息：\n\n"
        "收件人 <li@user.example>\n退信原因 收件人邮箱不存在\n\n原邮件\n" + ORIGINAL,
        "5.0.0",
    ),
    "163": (
        "系统退信/Systems bounce",
        "抱歉，您的邮件被退回来了……\n收件人：li@user.example\n退信代码：552 5.2.2 邮箱已满\n\n原始邮件\n" + ORIGINAL,
        "5.2.2",
    ),
    "traditional": (
        "郵件無法投遞",
        "很抱歉，您的郵件無法投遞。\n\n<li@user.example>: 暫時無法連線，稍後重試\n\n原始郵件\n" + ORIGINAL,
        "4.0.0",
    ),
    "quoted headers": (
        "Returned mail",
        "Your message could not be delivered.\n<li@user.example>: user unknown\n\n> " + ORIGINAL.replace("\n", "\n> "),
        "5.0.0",
    ),
}


@pytest.mark.parametrize("name", TEXTS)
@pytest.mark.parametrize("sender", ["", "mailer-daemon@mx.example", "someone@relay.example"])
def test_texts_without_a_report(name: str, sender: str) -> None:
    subject, text, status = TEXTS[name]
    mail = bounce(text, subject=subject, extra="Content-Type: text/plain; charset=utf-8\n", sender=sender)
    assert mail.kind == "bounce"
    assert (mail.bounced_ids[0], mail.bounced_recipient, mail.bounced_status) == (OWN, "li@user.example", status)


def test_the_thread_names_the_mail_when_the_bounce_does_not() -> None:
    mail = bounce("It is full: 4.2.2", extra=f"X-Failed-Recipients: li@user.example\nReferences: <0@x.example> {OWN}\n")
    assert (mail.bounced_ids[0], mail.bounced_recipient, mail.bounced_status) == (OWN, "li@user.example", "4.2.2")


@pytest.mark.parametrize(
    ("subject", "text"),
    [
        ("Undeliverable: my withdrawal", "My withdrawal could not be delivered."),
        ("退信", "您发送的邮件被退回。这是我收到的，请问为什么？"),
        ("Returned mail", "Your message could not be delivered, says my provider. Why?"),
        ("Help", "Hi. This is the third time I write."),
        ("failure notice", "Hi. This is the notice I got from you."),
        ("无法送达", "您的邮件我没有收到，地址写错了吗？"),
    ],
)
def test_people_who_write_about_bounces(subject: str, text: str) -> None:
    raw = f"From: Li <li@user.example>\r\nSubject: {subject}\r\n\r\n{text}\r\n".encode()
    assert parse(raw, "li@user.example").kind == "message"


def test_a_person_who_forwards_a_report() -> None:
    head = b"From: li@user.example\r\nSubject: Fwd: Undelivered\r\nContent-Type: multipart/mixed; boundary=x\r\n\r\n"
    raw = head + report(FIELDS).partition(b"\r\n\r\n")[2]
    assert parse(raw, "li@user.example").kind == "message"


@pytest.mark.timeout(10)
@pytest.mark.parametrize(
    "piece", ["<", "a@", "Message-ID: ", "recipient ", "5.1", "\n\n> ", "收件人", " " * 50, "To: <"]
)
def test_the_cost_is_bounded(piece: str) -> None:
    text = piece * (200_000 // len(piece))
    assert bounce(text).kind == "bounce"
    assert parse(report(text), "").kind == "bounce"


@pytest.mark.parametrize(
    ("status", "own", "undelivered"),
    [("5.1.1", True, "01hzx3"), ("4.2.2", True, None), ("5.1.1", False, None)],
)
async def test_only_what_we_signed_and_comes_back_for_good_is_undelivered(
    reader: MailChannel, status: str, own: bool, undelivered: str | None
) -> None:
    original = ORIGINAL if own else ORIGINAL.replace(OWN, "<r.01hzx3@exchange.example>")
    read = await reader.read(report(FIELDS.replace("5.1.1", status), original), {"mail_from": ""})
    assert (read.kind, read.undelivered) == (Kind.BOUNCE, undelivered)
