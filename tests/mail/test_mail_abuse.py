"""Nobody makes us write to others: forged senders get nothing of the forger's, and robots get nothing (A7 c, A8)."""

from __future__ import annotations

from email import message_from_bytes
from email.policy import default
from pathlib import Path
from typing import Any

import pytest

from channels.contract import Kind
from channels.faults import Rejected
from channels.mail.addresses import new_conversation_key
from channels.mail.channel import MailChannel
from tests.fakes.desk import FakeDesk
from tests.letters import html_text, plain_text
from tests.mail.harness import INBOX, PROVEN, answer, channel, mail_bytes
from tests.mail.zone import Zone, domain

ADVERT = "Casino-Bonus"
FORGED = 1000
ENVELOPE = {"rcpt_to": [INBOX], "peer": "198.51.100.7", "helo": f"{ADVERT}.test"}


def forged(victim: str) -> bytes:
    """Every place that a stranger fills in says the advert."""
    head = f"From: {ADVERT} <{victim}>\r\nTo: {INBOX}\r\nSubject: {ADVERT} https://x.test/{ADVERT}\r\n"
    ids = f"Message-ID: <{ADVERT}@x.test>\r\nReferences: <{ADVERT}.0@x.test>\r\nReply-To: {ADVERT}@x.test\r\n"
    kind = 'MIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary="b"\r\n\r\n'
    text = f"--b\r\nContent-Type: text/plain\r\n\r\n{ADVERT}\r\n"
    file = (
        f'--b\r\nContent-Type: text/plain\r\nContent-Disposition: attachment; filename="{ADVERT}.txt"\r\n\r\nx\r\n--b--'
    )
    return (head + ids + kind + text + file + "\r\n").encode()


async def answered(desk: MailChannel, raw: bytes, sender: str, **changes: Any) -> None:
    """What the desk does with a new conversation: it acknowledges, unless the channel says that nobody is answered."""
    read = await desk.read(raw, ENVELOPE | {"mail_from": sender})
    if read.kind is Kind.MESSAGE:
        key = new_conversation_key()
        values = {"message_id": key, "conversation_key": key, "recipient": sender, "subject": read.subject}
        await desk.send(answer(thread=read.thread, **(values | changes)))


def written(folder: Path) -> list[bytes]:
    box = folder / "maildrop" / "new"
    return [path.read_bytes() for path in box.iterdir()] if box.exists() else []


async def test_a_thousand_victims_without_a_policy_get_one_mail_each_without_a_word_of_the_advert(
    tmp_path: Path,
) -> None:
    desk = channel(tmp_path, FakeDesk(), authentication="verify", dns=Zone(), automatic_per_hour=FORGED)
    for number in range(FORGED):
        await answered(desk, forged(f"victim{number}@x{number % 7}.example"), f"victim{number}@x{number % 7}.example")
    letters = [message_from_bytes(raw, policy=default) for raw in written(tmp_path)]
    assert len({str(letter["To"]) for letter in letters}) == len(letters) == FORGED
    for letter in letters:
        assert letter["Subject"] == "Re: Your message to Demo Exchange"
        shown = {name: value for name, value in letter.items() if name not in ("In-Reply-To", "References")}
        assert ADVERT not in str(shown)
        assert ADVERT not in plain_text(letter) + html_text(letter)
        assert (letter["Return-Path"], letter["Auto-Submitted"]) == ("<>", "auto-replied")
    await desk.close()


async def test_a_thousand_victims_whose_domain_has_a_policy_get_nothing(tmp_path: Path) -> None:
    desk = channel(tmp_path, FakeDesk(), authentication="verify", dns=Zone(domain("victims.example")))
    for number in range(FORGED):
        with pytest.raises(Rejected, match="probably forged"):
            await answered(desk, forged(f"v{number}@victims.example"), f"v{number}@victims.example")
    assert written(tmp_path) == []
    assert desk.trouble() is None
    await desk.close()


@pytest.mark.parametrize("authentication", ["none", "temperror", "", "off"])
@pytest.mark.parametrize(
    ("language", "subject"), [("en", "Re: Your message to Demo Exchange"), ("zh", "Re: 关于您给演示交易所的来信")]
)
async def test_an_unproven_sender_reads_our_words_only(
    tmp_path: Path, authentication: str, language: str, subject: str
) -> None:
    desk = channel(tmp_path, FakeDesk())
    thread = {"subject": ADVERT, "message_id": "<1@x.test>", "from": "li@user.example"}
    thread |= {"authentication": authentication}
    await desk.send(answer(thread=thread, subject=f"Re: {ADVERT}", language=language))
    (raw,) = written(tmp_path)
    mail = message_from_bytes(raw, policy=default)
    assert (mail["Subject"], mail["In-Reply-To"], mail["References"]) == (subject, "<1@x.test>", "<1@x.test>")
    await desk.close()


async def test_a_proven_author_is_not_whoever_the_envelope_names(tmp_path: Path) -> None:
    """The forger's own domain proves itself; the answer would go to the victim in the envelope."""
    desk = channel(tmp_path, FakeDesk(), authentication="verify", dns=Zone(domain("user.example")))
    await desk.send(answer(message_id="a", recipient="victim@x.test", thread=PROVEN | {"subject": ADVERT}))
    (raw,) = written(tmp_path)
    assert ADVERT.encode() not in raw
    forged_envelope = PROVEN | {"subject": ADVERT, "spf": "fail"}
    with pytest.raises(Rejected):
        await desk.send(answer(message_id="b", recipient="victim@x.test", thread=forged_envelope))
    await desk.send(answer(message_id="c", thread=forged_envelope))  # forwarded mail: the author is who is answered
    assert sum(ADVERT.encode() in raw for raw in written(tmp_path)) == 1
    await desk.close()


async def test_a_person_may_answer_whom_they_like(tmp_path: Path) -> None:
    desk = channel(tmp_path, FakeDesk())
    await desk.send(answer(automatic=False, thread={"authentication": "fail", "subject": "Help"}))
    (raw,) = written(tmp_path)
    assert b"Subject: Re: Help\n" in raw
    await desk.close()


ROBOTS = [
    *(f"Auto-Submitted: {value}" for value in ("auto-replied", "auto-generated", "auto-notified")),
    *(f"Precedence: {value}" for value in ("bulk", "list", "junk", "auto_reply")),
    "List-Id: <x.list.test>",
    "X-Auto-Response-Suppress: All",
    "X-Loop: y",
    "Content-Type: multipart/report; report-type=delivery-status; boundary=b",
    "Content-Type: multipart/report; report-type=disposition-notification; boundary=b",
]


@pytest.mark.parametrize("field", ROBOTS)
async def test_robots_get_no_answer(tmp_path: Path, field: str) -> None:
    raw = mail_bytes(extra=f"{field}\r\n")
    if field.startswith("Content-Type"):
        raw = raw.replace(b"Content-Type: text/plain; charset=utf-8\r\n", b"")
    await _silent(tmp_path, raw, "li@user.example")


@pytest.mark.parametrize("sender", ["", "mailer-daemon@user.example", "noreply@user.example", INBOX])
async def test_senders_that_nobody_reads_get_no_answer(tmp_path: Path, sender: str) -> None:
    await _silent(tmp_path, mail_bytes().replace(b"li@user.example", sender.encode() or b"li@user.example"), sender)


async def _silent(folder: Path, raw: bytes, sender: str) -> None:
    zone = Zone()
    desk = channel(folder, FakeDesk(), authentication="verify", dns=zone)
    await answered(desk, raw, sender)
    assert written(folder) == []
    assert zone.asked == []
    await desk.close()
