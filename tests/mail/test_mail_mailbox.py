"""Mails out of a mailbox: each stored once, marked only then, none passed over; a mailbox that is down shows."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from imapclient import IMAPClient

from channels.faults import NotStored
from channels.mail.channel import MailChannel
from channels.mail.settings import check
from tests.fakes.desk import FakeDesk
from tests.mail.harness import INBOX, channel, mail_bytes
from tests.mail.imap_server import PASSWORD, USER, FakeMailbox

SOON = 0.02


def mail(number: int, *fields: str) -> bytes:
    own = ["From: li@user.example", f"To: {INBOX}", f"Message-ID: <{number}@user.example>"]
    return "\r\n".join([*fields, *own, "", f"Mail {number}"]).encode()


@pytest.fixture
async def box() -> AsyncIterator[FakeMailbox]:
    async with FakeMailbox().open() as opened:
        yield opened


class Fetching:
    """A mail channel that looks into the mailbox."""

    def __init__(self, folder: Path, box: FakeMailbox) -> None:
        self.desk = FakeDesk()
        self._folder, self._box = folder, box
        self.channel: MailChannel | None = None

    async def __aenter__(self) -> Fetching:
        self.channel = channel(
            self._folder,
            self.desk,
            imap_host="127.0.0.1",
            imap_port=self._box.port,
            imap_user=USER,
            imap_password=PASSWORD,
            imap_tls="off",
            imap_seconds=SOON,
            authentication="off",
            max_message_bytes=64 * 1024,
        )
        await self.channel.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        assert self.channel is not None
        await self.channel.stop()
        await self.channel.close()

    async def stored(self, count: int) -> list[bytes]:
        async with asyncio.timeout(20):
            while len(self.desk.stored) < count or any(not one.seen for one in self._box.mails):
                await self.looked()
        return [message.raw for message in self.desk.stored]

    async def looked(self) -> None:
        """Until the next look that goes well."""
        assert self.channel is not None
        assert self.channel._fetcher is not None
        looked = self.channel._fetcher.looked
        looked.clear()
        await asyncio.wait_for(looked.wait(), 20)

    def trouble(self) -> str | None:
        assert self.channel is not None
        return self.channel.trouble()


async def test_each_mail_is_stored_as_it_is_and_then_marked(tmp_path: Path, box: FakeMailbox) -> None:
    sent = [mail(1, "Return-Path: <bounce+1@user.example>", "Delivered-To: " + INBOX), mail(2)]
    for raw in sent:
        box.put(raw)
    async with Fetching(tmp_path, box) as fetching:
        assert await fetching.stored(2) == sent
        first, second = fetching.desk.stored
        assert (first.sender, first.envelope["rcpt_to"]) == ("bounce+1@user.example", [INBOX])
        assert second.sender == "li@user.example"
        box.put(mail(3))
        assert (await fetching.stored(3))[2] == mail(3)
    assert box.fetched == [1, 2, 3]


async def test_what_somebody_read_meanwhile_is_taken_all_the_same(tmp_path: Path, box: FakeMailbox) -> None:
    """After the first look a mail counts by its number: a colleague who opens it must not hide it from the desk."""
    box.put(mail(1))
    async with Fetching(tmp_path, box) as fetching:
        await fetching.stored(1)
        box.put(mail(2), seen=True)
        assert len(await fetching.stored(2)) == 2


async def test_read_mails_from_before_are_left_alone(tmp_path: Path, box: FakeMailbox) -> None:
    box.put(mail(1), seen=True)
    box.put(mail(2))
    async with Fetching(tmp_path, box) as fetching:
        assert await fetching.stored(1) == [mail(2)]


async def test_a_mail_that_cannot_be_stored_stays_unread_and_holds_nothing_up(tmp_path: Path, box: FakeMailbox) -> None:
    box.put(mail(1))
    box.put(mail(2))
    fetching = Fetching(tmp_path, box)
    fetching.desk.fail_next = [NotStored("the disk is full", SOON)]
    async with fetching:
        assert await fetching.stored(2) == [mail(1), mail(2)]
    assert box.fetched == [1, 1, 2]


@pytest.mark.parametrize("command", ["LOGIN", "SELECT", "SEARCH", "FETCH", "STORE"])
async def test_a_line_that_breaks_loses_and_repeats_nothing(tmp_path: Path, box: FakeMailbox, command: str) -> None:
    box.put(mail(1))
    box.put(mail(2))
    box.hang_up_at = {command}
    async with Fetching(tmp_path, box) as fetching:
        assert await fetching.stored(2) == [mail(1), mail(2)]
        assert fetching.trouble() is None
    assert box.log_ins >= 2 - (command == "LOGIN")


async def test_after_a_restart_only_new_mails_are_fetched(tmp_path: Path, box: FakeMailbox) -> None:
    box.put(mail(1))
    async with Fetching(tmp_path, box) as fetching:
        await fetching.stored(1)
    box.put(mail(2))
    async with Fetching(tmp_path, box) as again:
        assert await again.stored(1) == [mail(2)]


async def test_a_mailbox_that_numbers_anew_gives_nothing_twice(tmp_path: Path, box: FakeMailbox) -> None:
    box.put(mail(1))
    async with Fetching(tmp_path, box) as fetching:
        await fetching.stored(1)
        box.number_anew()
        box.put(mail(2))
        assert await fetching.stored(2) == [mail(1), mail(2)]


async def test_a_mail_that_is_too_large_stays_there_and_is_told_of(tmp_path: Path, box: FakeMailbox) -> None:
    box.put(mail(1) + b"x" * 70_000)
    box.put(mail(2))
    async with Fetching(tmp_path, box) as fetching:
        async with asyncio.timeout(20):
            while not fetching.desk.stored:
                await fetching.looked()
        assert [message.raw for message in fetching.desk.stored] == [mail(2)]
        assert "1 mails in the mailbox are larger" in str(fetching.trouble())
        assert fetching.channel is not None
        assert fetching.channel.figures().refused == {"size": 1}
    assert box.fetched == [2]


async def test_a_mailbox_that_is_down_shows_and_comes_back(tmp_path: Path) -> None:
    box = FakeMailbox()
    async with box.open():
        pass
    async with Fetching(tmp_path, box) as fetching:
        assert fetching.channel is not None
        async with asyncio.timeout(20):
            while fetching.trouble() is None:
                await asyncio.sleep(SOON)
        assert "has not been reached since" in str(fetching.trouble())
        assert fetching.channel.deaf() is None
        box.put(mail(1))
        async with box.open():
            assert await fetching.stored(1) == [mail(1)]
            assert fetching.trouble() is None


async def test_a_refused_log_in_is_named(tmp_path: Path, box: FakeMailbox) -> None:
    box.bad_password = True
    async with Fetching(tmp_path, box) as fetching:
        async with asyncio.timeout(20):
            while fetching.trouble() is None:
                await asyncio.sleep(SOON)
        assert "the log-in was refused" in str(fetching.trouble())
        assert PASSWORD not in str(fetching.trouble())


async def test_a_mail_from_nobody_is_not_answered(tmp_path: Path, box: FakeMailbox) -> None:
    box.put(mail(1, "Return-Path: <>"))
    async with Fetching(tmp_path, box) as fetching:
        await fetching.stored(1)
    assert fetching.desk.stored[0].sender == ""


def test_settings_that_are_not_whole_are_named() -> None:
    with pytest.raises(ValueError, match="imap_host needs imap_user and imap_password"):
        check({"imap_host": "mail.example"})


async def test_the_fake_itself(box: FakeMailbox) -> None:
    """What a client library sees of it."""
    box.put(mail_bytes(), seen=True)
    box.put(mail(2))

    def use() -> tuple[object, ...]:
        with IMAPClient("127.0.0.1", box.port, ssl=False) as client:
            client.login(USER, PASSWORD)
            chosen = client.select_folder("INBOX")
            last = client.search(["UID", "9:*"])
            unread = client.search(["UNSEEN"])
            client.add_flags([2], [rb"\Seen"], silent=True)
            return chosen[b"UIDVALIDITY"], chosen[b"UIDNEXT"], last, unread, client.search(["UNSEEN"])

    assert await asyncio.to_thread(use) == (1, 3, [2], [2], [])
