"""Answers as bytes: threading, marks, and nothing that a stranger could inject (reliability A10)."""

from __future__ import annotations

from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default

import pytest

from channels.contract import OutboundMessage
from channels.faults import Rejected
from channels.mail.addresses import AddressBook, new_conversation_key
from channels.mail.send import Letter, write
from tests.fakes.desk import SECRET
from tests.letters import plain_text
from tests.mail.harness import INBOX, answer

BOOK = AddressBook(INBOX, SECRET)
PAGES = "https://desk.example"
FIELDS = [
    "Message-ID",
    "Reply-To",
    "In-Reply-To",
    "References",
    "Auto-Submitted",
    "From",
    "To",
    "Subject",
    "Date",
    "MIME-Version",
    "Content-Type",
    "Content-Language",
]


def letter(message: OutboundMessage) -> Letter:
    return write(message, BOOK, "演示交易所" if message.language == "zh" else "Demo Exchange", "Your message", PAGES)


def parsed(of: Letter) -> EmailMessage:
    return message_from_bytes(of.content, policy=default)


def test_an_automatic_answer_in_english() -> None:
    key = new_conversation_key()
    sent = letter(answer(conversation_key=key))
    mail = parsed(sent)
    assert mail.keys() == FIELDS
    assert sent.sender == ""
    assert sent.recipient == mail["To"] == "li@user.example"
    assert mail["From"] == "Demo Exchange <complaints@exchange.example>"
    assert mail["Subject"] == "Re: Help"
    assert mail["In-Reply-To"] == "<1@user.example>"
    assert mail["References"] == "<0@user.example> <1@user.example>"
    assert mail["Auto-Submitted"] == "auto-replied"
    assert mail["Date"] == "Sun, 22 Nov 2026 08:30:00 +0000"
    assert BOOK.is_own_message_id(str(mail["Message-ID"]))
    assert BOOK.conversation_of(str(mail["Reply-To"]), "li@user.example") == key
    assert plain_text(mail) == "We have your message.\n"


def test_a_persons_answer_in_chinese() -> None:
    thread = {"subject": "回复：Re: 投诉：提现未到账", "message_id": "<1@user.example>"}
    sent = letter(answer(language="zh", text="您好，\n我们正在核实。", automatic=False, thread=thread))
    mail = parsed(sent)
    assert sent.sender == INBOX
    assert "Auto-Submitted" not in mail
    assert mail["From"].addresses[0].display_name == "演示交易所"
    assert mail["Subject"] == "Re: 投诉：提现未到账"
    assert mail["Content-Language"] == "zh-CN"
    assert plain_text(mail) == "您好，\n我们正在核实。\n"


def test_the_same_row_gives_the_same_bytes() -> None:
    assert letter(answer()) == letter(answer())


def test_without_a_thread_it_is_a_mail_of_our_own() -> None:
    mail = parsed(letter(answer(thread={})))
    assert (mail["Subject"], mail["Auto-Submitted"]) == ("Your message", "auto-generated")
    assert "In-Reply-To" not in mail
    assert parsed(letter(answer(thread={}, subject="Case update")))["Subject"] == "Case update"


def test_long_ids_stay_ids() -> None:
    parent, chain = f"<{'x' * 200}@y.example>", [f"<{n}{'z' * 60}@y.example>" for n in range(60)]
    mail = parsed(letter(answer(thread={"message_id": parent, "references": " ".join(chain)})))
    assert mail["In-Reply-To"] == parent
    assert str(mail["References"]).split() == [*chain[-20:], parent]


ATTACKS = [
    "a\r\nBcc: victim@x.example",
    "a\nBcc: victim@x.example",
    "a\rBcc: victim@x.example",
    "a\x00b",
    "a\u2028Bcc: victim@x.example",
    "=?utf-8?q?a=0D=0ABcc=3A_victim@x.example?=",
    "=?utf-8?q?=3D=3Futf-8=3Fq=3Fa=3D0D=3D0ABcc=3A_v@x.y=3F=3D?=",
    "=?utf-8?B?YQ0KQmNjOiB2aWN0aW1AeC5leGFtcGxl?=",
    "=?utf-8?q?" * 50,
    "x" * 10_000,
    "投" * 10_000,
    "\ud800\udfff",
    "",
]


@pytest.mark.parametrize("attack", ATTACKS)
@pytest.mark.parametrize(
    "where", ["thread_subject", "subject", "message_id", "references", "exchange", "own_id", "key"]
)
def test_nothing_is_injected_and_an_answer_is_made(attack: str, where: str) -> None:
    thread = {"subject": "Help", "message_id": "<1@user.example>", "references": "<0@user.example>"}
    message = answer(thread=thread)
    exchange = "Demo Exchange"
    match where:
        case "thread_subject":
            message = answer(thread=thread | {"subject": attack})
        case "subject":
            message = answer(thread=thread | {"subject": ""}, subject=attack)
        case "exchange":
            exchange = attack
        case "own_id":
            message = answer(thread=thread, message_id=attack)
        case "key":
            message = answer(thread=thread, conversation_key=attack)
        case _:
            message = answer(thread=thread | {where: attack})
    sent = write(message, BOOK, exchange, "Your message", PAGES)
    head = sent.content.partition(b"\r\n\r\n")[0]
    names = [line.partition(b":")[0].decode() for line in head.split(b"\r\n") if line[:1] not in b" \t"]
    assert set(names) <= set(FIELDS)
    assert len(names) == len(set(names))
    assert b"\r" not in head.replace(b"\r\n", b"")
    assert b"\n" not in head.replace(b"\r\n", b"")
    assert plain_text(parsed(sent)) == "We have your message.\n"
    forms = [part.items() for part in parsed(sent).iter_parts()]
    assert forms == [
        [("Content-Type", f'text/{form}; charset="utf-8"'), ("Content-Transfer-Encoding", "7bit")]
        for form in ("plain", "html")
    ]
    assert len(str(parsed(sent)["Subject"])) <= 210


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("one\n.\ntwo", "one\n.\ntwo\n"),
        ("From here", "From here\n"),
        ("bare\rCR and\x00NUL and\x1b[2J", "bare\nCR andNUL and[2J\n"),
        ("y" * 5000, "y" * 5000 + "\n"),
        ("长" * 5000, "长" * 5000 + "\n"),
        ("mostly English with one 字", "mostly English with one 字\n"),
        ("", "\n"),
    ],
)
def test_bodies_arrive_as_written(text: str, shown: str) -> None:
    sent = letter(answer(text=text))
    assert plain_text(parsed(sent)) == shown
    body = sent.content.partition(b"\r\n\r\n")[2]
    assert b"\n" not in body.replace(b"\r\n", b"")
    assert b"\r" not in body.replace(b"\r\n", b"")
    assert max(map(len, sent.content.split(b"\r\n"))) <= 998


@pytest.mark.parametrize(
    "recipient",
    [
        "",
        "nobody",
        "a@b.example\r\nRCPT TO:<evil@x.y>",
        "a@b.example\x00",
        "a@b.example, c@d.example",
        "A <a@b.example>",
        "=?utf-8?q?a=0D=0AB?=@b.example",
        "a@" + "b" * 70 + "é.example",
        INBOX,
        f"complaints+x@{INBOX.partition('@')[2]}",
    ],
)
def test_recipients_that_are_refused(recipient: str) -> None:
    with pytest.raises(Rejected):
        letter(answer(recipient=recipient))


def test_addresses_outside_ascii() -> None:
    assert letter(answer(recipient="li@例子.公司")).recipient == "li@xn--fsqu00a.xn--55qx5d"
    sent = letter(answer(recipient="李雷@例子.公司"))
    assert sent.recipient == "李雷@xn--fsqu00a.xn--55qx5d"
    assert "To: 李雷@xn--fsqu00a.xn--55qx5d".encode() in sent.content
