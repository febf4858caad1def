"""250 means stored: storage faults, clients that hang up, repeats, memory."""

from __future__ import annotations

import asyncio
import errno
import logging
import socket
import struct
import time
from pathlib import Path

import pytest

from channels.faults import NotStored
from channels.mail import receive
from channels.mail.channel import MailChannel
from tests.fakes.desk import FakeDesk
from tests.mail.conftest import Start
from tests.mail.harness import Client, deliver, mail_bytes


def _caused(fault: NotStored, cause: Exception) -> NotStored:
    fault.__cause__ = cause
    return fault


FAULTS = {
    "database gone": (NotStored("the database is gone"), "451 4.3.0 "),
    "disk full": (_caused(NotStored("x"), OSError(errno.ENOSPC, "No space left on device")), "452 4.3.1 "),
    "quota": (_caused(NotStored("x"), OSError(errno.EDQUOT, "over")), "452 4.3.1 "),
    "SQLite full": (_caused(NotStored("x"), RuntimeError("database or disk is full")), "452 4.3.1 "),
    "our bug": (RuntimeError("secret path /srv/db.sqlite locked"), "451 4.3.0 "),
    "unicode": (UnicodeEncodeError("utf-8", "x", 0, 1, "surrogates not allowed"), "451 4.3.0 "),
}


@pytest.mark.parametrize("name", FAULTS)
async def test_faults_of_ours_are_temporary_and_tell_nothing(inbox: MailChannel, desk: FakeDesk, name: str) -> None:
    fault, expected = FAULTS[name]
    desk.fail_next.append(fault)
    reply = await deliver(inbox, mail_bytes())
    assert reply.startswith(expected)
    for inside in ("secret", "srv", "Error", "sqlite", "space left"):
        assert inside not in reply
    assert (await deliver(inbox, mail_bytes())).startswith("250 ")
    assert len(desk.stored) == 1


async def test_a_slow_commit_is_answered_in_time_and_still_counts(
    inbox: MailChannel, desk: FakeDesk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(receive, "ANSWER_SECONDS", 0.1)
    desk.door.clear()
    assert (await deliver(inbox, mail_bytes())).startswith("451 4.3.0 ")
    desk.door.set()
    await asyncio.wait_for(desk.finished.wait(), 5)
    assert (await deliver(inbox, mail_bytes())).startswith("250 ")
    assert len(desk.stored) == 1


@pytest.mark.parametrize("reset", [True, False], ids=["reset", "closed"])
async def test_hanging_up_after_the_final_dot_does_not_stop_the_commit(
    inbox: MailChannel, desk: FakeDesk, reset: bool
) -> None:
    for number in range(10):
        desk.door.clear()
        desk.knocked.clear()
        desk.finished.clear()
        content = mail_bytes(subject=f"number {number}")
        client = await Client.open(inbox)
        await client.begin()
        await client.send(content + b".\r\n")
        await desk.knocked.wait()
        if reset:
            raw = client.writer.get_extra_info("socket")
            raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        await client.close()
        await deliver_nothing(inbox)  # the listener has noticed the hang-up by the time it greets another client
        desk.door.set()
        await asyncio.wait_for(desk.finished.wait(), 5)
        assert (await deliver(inbox, content)).startswith("250 ")
    assert [m.raw for m in desk.stored] == [mail_bytes(subject=f"number {n}") for n in range(10)]


async def deliver_nothing(listener: MailChannel) -> None:
    client = await Client.open(listener)
    await client.reply()
    await client.say("QUIT")
    await client.close()


async def test_hanging_up_before_the_final_dot_stores_nothing(inbox: MailChannel, desk: FakeDesk) -> None:
    client = await Client.open(inbox)
    await client.begin()
    await client.send(mail_bytes() + b".")
    await client.close()
    await deliver_nothing(inbox)
    assert desk.attempts == 0


async def test_what_makes_a_mail_the_same(inbox: MailChannel, desk: FakeDesk) -> None:
    await deliver(inbox, mail_bytes())
    await deliver(inbox, mail_bytes())
    await deliver(inbox, mail_bytes(), sender="other@user.example")
    await deliver(inbox, mail_bytes(body="The same Message-ID, other words."))
    assert len(desk.stored) == 3
    assert len({message.external_id for message in desk.stored}) == 3
    assert len({message.conversation_key for message in desk.stored}) == 3


async def test_a_signed_reply_address_names_the_conversation(inbox: MailChannel, desk: FakeDesk) -> None:
    await deliver(inbox, mail_bytes())
    key = desk.stored[0].conversation_key
    address = inbox._book.reply_address(key, "li@user.example")
    await deliver(inbox, mail_bytes(body="One more thing."), recipient=address.upper())
    await deliver(inbox, mail_bytes(body="I am somebody else."), sender="eve@evil.example", recipient=address)
    await deliver(inbox, mail_bytes(body="I have no sender."), sender="", recipient=address)
    keys = [message.conversation_key for message in desk.stored]
    assert keys[1] == key
    assert len(set(keys)) == 3


async def test_logs_hold_nothing_of_the_user(
    inbox: MailChannel, desk: FakeDesk, caplog: pytest.LogCaptureFixture, capsys: pytest.CaptureFixture[str]
) -> None:
    caplog.set_level(logging.DEBUG)
    desk.fail_next.append(RuntimeError("li@user.example My withdrawal is stuck."))
    await deliver(inbox, mail_bytes())
    await deliver(inbox, mail_bytes())
    client = await Client.open(inbox)
    await client.reply()
    await client.say("MYSEEDPHRASE is apple")
    await client.close()
    out, err = capsys.readouterr()
    for word in ("li@user", "withdrawal", "SEEDPHRASE", "apple"):
        assert word not in caplog.text + out + err


def _resident_mib() -> float:
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * 4096 / 2**20


async def test_floods_of_empty_lines_cost_little_memory_and_delay_nobody(start: Start, desk: FakeDesk) -> None:
    listener = await start()
    before = _resident_mib()
    clients = [await Client.open(listener) for _ in range(4)]
    for client in clients:
        await client.begin()

    async def flood(client: Client) -> str:
        for _ in range(24):
            await client.send(b"\r\n" * 2**19)
        await client.send(b".\r\n")
        return await client.reply()

    floods = [asyncio.create_task(flood(client)) for client in clients]
    began = time.monotonic()
    assert (await deliver(listener, mail_bytes())).startswith("250 ")
    assert time.monotonic() - began < 3
    replies = await asyncio.gather(*floods)
    assert [reply[:9] for reply in replies] == ["552 5.3.4"] * 4
    assert _resident_mib() - before < 200
