"""SMTP sessions over real sockets: what is said, word for word."""

from __future__ import annotations

import asyncio
import hashlib
import socket
from pathlib import Path

import pytest

from channels.mail import receive
from channels.mail.channel import MailChannel
from tests.fakes.desk import FakeDesk
from tests.mail.conftest import Start
from tests.mail.harness import INBOX, Client, channel, deliver, mail_bytes


async def test_whole_session_word_for_word(inbox: MailChannel, desk: FakeDesk) -> None:
    client = await Client.open(inbox)
    replies = [await client.reply()]
    lines = ["EHLO user.example", "MAIL FROM:<li@user.example> SIZE=120 BODY=8BITMIME", f"RCPT TO:<{INBOX}>", "DATA"]
    replies += [await client.say(line) for line in lines]
    await client.send(mail_bytes())
    replies += [await client.say("."), await client.say("NOOP"), await client.say("RSET"), await client.say("QUIT")]
    assert replies == [
        "220 exchange.example ESMTP complaint desk",
        "250-exchange.example\n250-SIZE 26214400\n250-8BITMIME\n250-SMTPUTF8\n250 HELP",
        "250 OK",
        "250 2.1.5 OK",
        "354 End data with <CR><LF>.<CR><LF>",
        "250 2.6.0 Your message is stored",
        "250 OK",
        "250 OK",
        "221 Bye",
    ]
    await client.close()
    (message,) = desk.stored
    assert message.channel == "mail"
    assert message.sender == "li@user.example"
    assert message.raw == mail_bytes()
    assert message.envelope == {
        "mail_from": "li@user.example",
        "rcpt_to": [INBOX],
        "peer": "127.0.0.1",
        "helo": "user.example",
        "smtputf8": False,
    }


@pytest.mark.parametrize(
    ("line", "reply"),
    [
        ("VRFY complaints", "252 2.1.5 Send the message and see"),
        ("EXPN staff", "502 5.5.1 EXPN is not offered"),
        ("AUTH PLAIN AGEAYg==", "502 5.5.1 AUTH is not offered"),
        ("HELP", "214 2.0.0 Complaints are welcome. See RFC 5321."),
        ("DATA", "503 5.5.1 Send RCPT first"),
        ("RCPT TO:<complaints@exchange.example>", "503 Error: need MAIL command"),
        ("MAIL FROM:<a@", "553 5.1.3 Error: malformed address"),
        (b"MAIL FROM:<\xff\xfe@b.example>", "553 5.1.3 Error: malformed address"),
        (b"MAIL FROM:<a\x00b@b.example>", "553 5.1.3 Error: malformed address"),
        ("MAIL FROM:<" + "[" * 400, "553 5.1.3 Error: malformed address"),
        ("MAIL FROM:<" + "(" * 400, "553 5.1.3 Error: malformed address"),
        ("NOOP " + "x" * 600, "500 Command line too long"),
        ("NOOP " + "x" * 200_000, "500 Command line too long"),
        (
            "MAIL FROM:<a@b.example> SIZE=99999999",
            "552 5.3.4 This message is larger than we can take. Please send large files in several messages.",
        ),
    ],
)
async def test_one_line_and_its_reply(inbox: MailChannel, line: str | bytes, reply: str) -> None:
    client = await Client.open(inbox)
    await client.reply()
    await client.say("EHLO user.example")
    assert await client.say(line) == reply
    await client.close()


@pytest.mark.parametrize(
    ("recipient", "reply"),
    [
        (INBOX, "250 2.1.5 OK"),
        ("Complaints@Exchange.Example", "250 2.1.5 OK"),
        ("complaints+anything@exchange.example", "250 2.1.5 OK"),
        ("postmaster", "250 2.1.5 OK"),
        ("Postmaster", "250 2.1.5 OK"),
        ("postmaster@exchange.example", "250 2.1.5 OK"),
        ("nobody@exchange.example", "550 5.1.1 There is no such mailbox here"),
        ("complaints@elsewhere.example", "550 5.1.1 There is no such mailbox here"),
        ("complaintsx@exchange.example", "550 5.1.1 There is no such mailbox here"),
    ],
)
async def test_recipients(inbox: MailChannel, recipient: str, reply: str) -> None:
    client = await Client.open(inbox)
    await client.reply()
    await client.say("EHLO user.example")
    await client.say("MAIL FROM:<li@user.example>")
    assert await client.say(f"RCPT TO:<{recipient}>") == reply
    await client.close()


async def test_too_many_recipients_is_temporary(start: Start, desk: FakeDesk) -> None:
    client = await Client.open(await start(max_recipients=2))
    await client.reply()
    await client.say("EHLO user.example")
    await client.say("MAIL FROM:<li@user.example>")
    replies = [await client.say(f"RCPT TO:<complaints+{n}@exchange.example>") for n in range(3)]
    assert replies == ["250 2.1.5 OK", "250 2.1.5 OK", "452 4.5.3 Too many recipients"]
    await client.say("DATA")
    await client.send(mail_bytes())
    assert await client.say(".") == "250 2.6.0 Your message is stored"
    assert len(desk.stored) == 1
    await client.close()


async def test_chinese_address_with_smtputf8(inbox: MailChannel, desk: FakeDesk) -> None:
    client = await Client.open(inbox)
    await client.reply()
    await client.say("EHLO user.example")
    assert await client.say("MAIL FROM:<李雷@用户.example> SMTPUTF8") == "250 OK"
    assert await client.say(f"RCPT TO:<{INBOX}>") == "250 2.1.5 OK"
    await client.say("DATA")
    await client.send("Subject: 投诉：提现未到账\r\n\r\n请尽快处理。\r\n".encode())
    assert await client.say(".") == "250 2.6.0 Your message is stored"
    assert desk.stored[0].sender == "李雷@用户.example"
    assert desk.stored[0].envelope["smtputf8"] is True
    await client.close()


async def test_null_sender_is_taken(inbox: MailChannel, desk: FakeDesk) -> None:
    assert await deliver(inbox, mail_bytes(), sender="") == "250 2.6.0 Your message is stored"
    assert desk.stored[0].sender == ""


async def test_what_a_client_calls_itself_is_made_harmless(inbox: MailChannel, desk: FakeDesk) -> None:
    client = await Client.open(inbox)
    await client.reply()
    await client.say(b"HELO \xffa\x1b[2J\x00" + b"x" * 400)
    await client.say("MAIL FROM:<li@user.example>")
    await client.say(f"RCPT TO:<{INBOX}>")
    await client.say("DATA")
    await client.send(mail_bytes())
    assert (await client.say(".")).startswith("250 ")
    assert desk.stored[0].envelope["helo"].startswith("?a?[2J?xx")
    assert len(desk.stored[0].envelope["helo"]) == 255
    await client.close()


RAW_BODIES = {
    "dots": b".\r\n..\r\n...\r\n.a\r\na.\r\n",
    "bare-line-ends": b"one\ntwo\rthree\n\rfour\r\r\n",
    "eight-bit": bytes(range(1, 256)) + b"\r\n",
    "long-line": b"x" * 20_000 + b"\r\n",
    "very-long-line": b"." + b"y" * 700_000 + b"\r\n",
    "line-at-the-buffer": b"z" * (64 * 1024) + b"\r\n" + b"z" * (64 * 1024 - 1) + b"\r\n",
    "empty-lines": b"\r\n" * 5000,
    "nul": b"a\x00b\r\n\x00.\r\n",
}


@pytest.mark.parametrize("name", RAW_BODIES)
async def test_stored_bytes_are_the_sent_bytes(inbox: MailChannel, desk: FakeDesk, name: str) -> None:
    sent = b"Subject: x\r\n\r\n" + RAW_BODIES[name]
    stuffed = (b"\r\n" + sent).replace(b"\r\n.", b"\r\n..")[2:]
    assert await deliver(inbox, stuffed) == "250 2.6.0 Your message is stored"
    assert hashlib.sha256(desk.stored[0].raw).digest() == hashlib.sha256(sent).digest()


async def test_empty_message_and_one_that_begins_with_a_dot(inbox: MailChannel, desk: FakeDesk) -> None:
    assert (await deliver(inbox, b"")).startswith("250 ")
    assert (await deliver(inbox, b"..hidden\r\n")).startswith("250 ")
    assert [message.raw for message in desk.stored] == [b"", b".hidden\r\n"]


async def test_too_big_is_refused_for_good_and_the_session_goes_on(start: Start, desk: FakeDesk) -> None:
    client = await Client.open(await start(max_message_bytes=100_000))
    await client.begin()
    await client.send(b"x" * 100_001 + b"\r\n.\r\n")
    assert (await client.reply()).startswith("552 5.3.4 ")
    assert await client.say("MAIL FROM:<li@user.example>") == "250 OK"
    assert desk.attempts == 0
    await client.close()


async def test_exactly_the_limit_is_taken(start: Start, desk: FakeDesk) -> None:
    listener = await start(max_message_bytes=100_000)
    assert (await deliver(listener, b"x" * 99_998 + b"\r\n")).startswith("250 ")
    assert len(desk.stored[0].raw) == 100_000


async def test_too_many_lines_are_refused(start: Start) -> None:
    listener = await start(max_lines=1000)
    assert (await deliver(listener, b"\r\n" * 1000)).startswith("250 ")
    assert (await deliver(listener, b"\n" * 1001 + b"\r\n")).startswith("552 5.3.4 ")


async def test_no_room_for_all_sessions_together_is_temporary(start: Start, desk: FakeDesk) -> None:
    listener = await start(max_bytes_in_hand=100_000)
    first, second = await Client.open(listener), await Client.open(listener)
    await first.begin()
    await second.begin()
    desk.door.clear()
    await first.send(b"x" * 80_000 + b"\r\n.\r\n")
    await desk.knocked.wait()
    await second.send(b"x" * 80_000 + b"\r\n.\r\n")
    assert (await second.reply()).startswith("452 4.3.1 ")
    desk.door.set()
    assert (await first.reply()).startswith("250 ")
    await first.close()
    await second.close()
    assert (await deliver(listener, b"y" * 80_000 + b"\r\n")).startswith("250 ")


async def test_mail_that_runs_in_a_circle(inbox: MailChannel, desk: FakeDesk) -> None:
    hop = "Received: from a by b; Sun, 22 Nov 2026 08:00:00 +0000\r\n"
    assert (await deliver(inbox, mail_bytes(extra=hop * 50))).startswith("250 ")
    assert (await deliver(inbox, mail_bytes(extra=hop * 51))).startswith("554 5.4.6 ")
    assert (await deliver(inbox, mail_bytes(body=hop * 60))).startswith("250 ")
    assert len(desk.stored) == 2


async def test_connections_per_address_are_capped(start: Start) -> None:
    listener = await start(max_sessions_per_address=2)
    clients = [await Client.open(listener) for _ in range(3)]
    greetings = [await client.reply() for client in clients]
    assert [greeting[:3] for greeting in greetings] == ["220", "220", "421"]
    assert greetings[2] == "421 4.7.0 Too many connections. Please try again later."
    assert await clients[0].say("QUIT") == "221 Bye"
    assert await clients[0].reader.read() == b""
    again = await Client.open(listener)
    assert (await again.reply()).startswith("220 ")
    for client in [*clients, again]:
        await client.close()


async def test_connections_in_all_are_capped(start: Start) -> None:
    listener = await start(max_sessions=5)
    clients = [await Client.open(listener) for _ in range(40)]
    greetings = [(await client.reply())[:3] for client in clients]
    assert greetings == ["220"] * 5 + ["421"] * 35
    for client in clients:
        await client.close()


async def test_a_session_ends_by_its_deadline(start: Start) -> None:
    client = await Client.open(await start(session_seconds=0.3))
    await client.begin()
    await client.send(b"slowly")
    assert await client.reply() == "421 4.4.2 This session took too long. Please try again."
    assert await client.reply() == ""
    await client.close()


async def test_stopping_says_so_and_finishes_the_mail_in_hand(start: Start, desk: FakeDesk) -> None:
    listener = await start()
    idle, busy = await Client.open(listener), await Client.open(listener)
    await idle.reply()
    await busy.begin()
    desk.door.clear()
    await busy.send(mail_bytes() + b".\r\n")
    await desk.knocked.wait()
    stopping = asyncio.create_task(listener.stop())
    assert (await idle.reply()).startswith("421 4.3.2 ")
    desk.door.set()
    assert (await busy.reply()).startswith("250 ")
    assert (await busy.reply()).startswith("421 4.3.2 ")
    await stopping
    assert len(desk.stored) == 1
    await idle.close()
    await busy.close()


async def test_stopping_cuts_off_a_mail_that_is_still_arriving(start: Start, desk: FakeDesk) -> None:
    listener = await start()
    slow = await Client.open(listener)
    await slow.begin()
    room = listener._receiver._room
    free = room._free
    await slow.send(b"Subject: half a ma")
    async with asyncio.timeout(5):
        while room._free == free:  # until it was read: closing with unread bytes would be a reset
            await asyncio.sleep(0)
    await asyncio.wait_for(listener.stop(), 2)
    assert await slow.reply() == "421 4.3.2 The service is being restarted. Please try again later."
    assert await slow.reply() == ""
    assert desk.attempts == 0
    await slow.close()


async def test_stopping_waits_for_the_store_but_not_for_ever(
    start: Start, desk: FakeDesk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(receive, "STOP_SECONDS", 0.3)
    listener = await start()
    busy = await Client.open(listener)
    await busy.begin()
    desk.door.clear()
    await busy.send(mail_bytes() + b".\r\n")
    await desk.knocked.wait()
    await asyncio.wait_for(listener.stop(), 2)
    assert (await busy.reply()).startswith("421 4.3.2 ")
    desk.door.set()
    await asyncio.wait_for(desk.finished.wait(), 2)
    assert len(desk.stored) == 1
    await busy.close()


async def test_stopping_waits_for_a_commit_whose_client_has_left(start: Start, desk: FakeDesk) -> None:
    listener = await start()
    gone = await Client.open(listener)
    await gone.begin()
    desk.door.clear()
    await gone.send(mail_bytes() + b".\r\n")
    await desk.knocked.wait()
    gone.writer.transport.abort()
    stopping = asyncio.create_task(listener.stop())
    for _ in range(20):
        await asyncio.sleep(0)
    assert not stopping.done()
    desk.door.set()
    await asyncio.wait_for(stopping, 2)
    assert len(desk.stored) == 1


async def test_who_comes_in_while_the_door_closes_is_sent_away(inbox: MailChannel) -> None:
    await inbox.stop()
    ours, theirs = socket.socketpair()
    loop = asyncio.get_running_loop()
    await loop.connect_accepted_socket(inbox._receiver._session, ours)
    client = Client(*await asyncio.open_connection(sock=theirs))
    assert (await client.reply()).startswith("421 4.3.2 ")
    assert await client.reply() == ""
    await client.close()


def test_stopping_leaves_the_desk_most_of_its_twenty_seconds() -> None:
    assert receive.STOP_SECONDS < 5


async def test_a_port_in_use_is_an_os_error(inbox: MailChannel, desk: FakeDesk, tmp_path: Path) -> None:
    assert inbox.address is not None
    second = channel(tmp_path, desk, port=inbox.address[1])
    with pytest.raises(OSError, match="in use"):
        await second.start()
