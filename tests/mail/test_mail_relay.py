"""The way out: a relay that fails in every way, and the Maildir."""

from __future__ import annotations

import asyncio
import mailbox
import ssl
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from datetime import UTC, datetime
from email import message_from_bytes, policy
from pathlib import Path
from typing import Any

import pytest
import trustme
from aiosmtpd.smtp import SMTP, Envelope, Session

from channels.faults import OutcomeUnknown, Rejected, RetryLater
from channels.mail.maildrop import Maildrop
from channels.mail.relay import Relay
from channels.mail.send import Letter
from channels.mail.settings import check
from tests.fakes.desk import FakeDesk
from tests.letters import html_text, plain_text
from tests.mail.harness import answer, channel

LETTER = Letter(
    "", "li@user.example", "<r.1.x@exchange.example>", datetime(2026, 11, 22, tzinfo=UTC), b"A: b\r\n\r\n.\r\nx\r\n"
)


class Upstream:
    """A real SMTP server that answers each step as told."""

    def __init__(self) -> None:
        self.taken: list[tuple[str | None, list[str], bytes]] = []
        self.options: list[str] = []
        self.say: dict[str, str] = {}
        self.port = 0

    async def handle_MAIL(
        self, server: Any, session: Session, envelope: Envelope, sender: str, options: list[str]
    ) -> str:
        envelope.mail_from = sender
        self.options = options
        return self.say.get("MAIL", "250 OK")

    async def handle_RCPT(self, server: Any, session: Session, envelope: Envelope, to: str, options: list[str]) -> str:
        envelope.rcpt_tos.append(to)
        return self.say.get("RCPT", "250 OK")

    async def handle_DATA(self, server: Any, session: Session, envelope: Envelope) -> str:
        assert isinstance(envelope.content, bytes)
        if self.say.get("DATA") == "drop":
            server.transport.abort()
        status = self.say.get("DATA", "250 2.0.0 queued as 42")
        if status.startswith("250"):
            self.taken.append((envelope.mail_from, envelope.rcpt_tos, envelope.content))
        return status


@pytest.fixture
async def upstream() -> AsyncIterator[Upstream]:
    relay = Upstream()
    loop = asyncio.get_running_loop()
    server = await loop.create_server(
        lambda: SMTP(relay, enable_SMTPUTF8=True, hostname="relay", loop=loop), "127.0.0.1", 0
    )
    relay.port = server.sockets[0].getsockname()[1]
    yield relay
    server.close()


@pytest.fixture
def certificate(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ssl.SSLContext:
    """Of a server at 127.0.0.1, trusted by this process."""
    authority = trustme.CA()
    authority.cert_pem.write_to_path(tmp_path / "authority.pem")
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "authority.pem"))
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    authority.issue_cert("127.0.0.1").configure_cert(context)
    return context


def relay_to(port: int, now: Callable[[], float] | None = None) -> Relay:
    settings = check({"relay_host": "127.0.0.1", "relay_port": port, "relay_starttls": False, "relay_seconds": 5})
    return Relay(settings, now) if now else Relay(settings)


async def test_a_letter_arrives_with_its_envelope(upstream: Upstream) -> None:
    receipt = await relay_to(upstream.port).deliver(LETTER)
    assert "queued as 42" in receipt.peer_id
    assert upstream.taken == [("<>", ["li@user.example"], LETTER.content)]


async def test_an_address_outside_ascii_uses_smtputf8(upstream: Upstream) -> None:
    letter = Letter(
        "", "李雷@user.example", "<r.1.x@exchange.example>", LETTER.written_at, "To: 李雷\r\n\r\nx\r\n".encode()
    )
    await relay_to(upstream.port).deliver(letter)
    assert "SMTPUTF8" in upstream.options
    assert upstream.taken[0][1:] == (["李雷@user.example"], letter.content)


@pytest.mark.parametrize(
    ("step", "said", "error"),
    [
        ("RCPT", "450 4.2.0 greylisted", RetryLater),
        ("RCPT", "421 4.3.2 closing", RetryLater),
        ("RCPT", "550 5.1.1 no such user", Rejected),
        ("DATA", "451 4.3.0 later", RetryLater),
        ("DATA", "452 4.3.1 full", RetryLater),
        ("DATA", "554 5.7.1 spam", Rejected),
        ("MAIL", "451 4.3.0 later", RetryLater),
        ("MAIL", "550 5.7.1 sender not allowed", RetryLater),
    ],
)
async def test_refusals_and_what_they_mean(upstream: Upstream, step: str, said: str, error: type[Exception]) -> None:
    upstream.say[step] = said
    relay = relay_to(upstream.port)
    with pytest.raises(error) as raised:
        await relay.deliver(LETTER)
    assert "li@user.example" not in str(raised.value)
    assert upstream.taken == []
    upstream.say.clear()
    await relay.deliver(LETTER)
    assert len(upstream.taken) == 1


async def test_a_relay_without_starttls_needs_a_person(upstream: Upstream) -> None:
    relay = Relay(check({"relay_host": "127.0.0.1", "relay_port": upstream.port}))
    with pytest.raises(RetryLater, match="relay_starttls"):
        await relay.deliver(LETTER)


async def test_a_large_letter_over_tls(upstream: Upstream, certificate: ssl.SSLContext) -> None:
    loop = asyncio.get_running_loop()
    server = await loop.create_server(
        lambda: SMTP(upstream, tls_context=certificate, require_starttls=True, hostname="relay", loop=loop),
        "127.0.0.1",
        0,
    )
    relay = Relay(check({"relay_host": "127.0.0.1", "relay_port": server.sockets[0].getsockname()[1]}))
    large = replace(LETTER, content=b"A: b\r\n\r\n" + b".line\r\n" * 200_000)
    await relay.deliver(large)
    assert upstream.taken == [("<>", ["li@user.example"], large.content)]
    upstream.say["DATA"] = "drop"
    with pytest.raises(OutcomeUnknown):
        await relay.deliver(LETTER)
    server.close()


async def test_trouble_is_named_after_a_minute_and_ends_with_success(upstream: Upstream) -> None:
    clock = [1000.0]
    relay = relay_to(upstream.port, lambda: clock[0])
    upstream.say["MAIL"] = "451 4.3.0 later"
    for seconds, troubled in ((0, False), (59, False), (2, True)):
        clock[0] += seconds
        with pytest.raises(RetryLater):
            await relay.deliver(LETTER)
        assert (relay.trouble() is not None) is troubled
    assert relay.trouble() == f"the mail relay 127.0.0.1:{upstream.port} does not take our answers: it answered 451"
    upstream.say.clear()
    await relay.deliver(LETTER)
    assert relay.trouble() is None


async def test_a_relay_that_is_not_there(upstream: Upstream) -> None:
    with pytest.raises(RetryLater, match="could not be used"):
        await relay_to(1).deliver(LETTER)


async def test_a_relay_that_says_nothing() -> None:
    gone = asyncio.Event()

    async def silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()
        writer.close()
        await writer.wait_closed()
        gone.set()

    server = await asyncio.start_server(silent, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    relay = Relay(check({"relay_host": "127.0.0.1", "relay_port": port, "relay_starttls": False, "relay_seconds": 0.3}))
    with pytest.raises(RetryLater):
        await relay.deliver(LETTER)
    await asyncio.wait_for(gone.wait(), 5)
    server.close()


async def test_maildir_shows_a_threaded_mail_once(tmp_path: Path) -> None:
    built = channel(tmp_path, FakeDesk())
    assert built.capabilities.repeat_harmless
    for _ in range(3):
        await built.send(answer(language="zh", text="我们正在核实。"))
    await built.send(answer(message_id="another"))
    box = mailbox.Maildir(tmp_path / "maildrop", create=False)
    assert len(box) == 2
    mails = sorted(box, key=lambda mail: str(mail["Content-Language"]))
    assert [mail["Content-Language"] for mail in mails] == ["en", "zh-CN"]
    assert mails[1]["In-Reply-To"] == "<1@user.example>"
    assert mails[1]["Return-Path"] == "<>"
    assert mails[1]["Delivered-To"] == "li@user.example"
    read = message_from_bytes(mails[1].as_bytes(), policy=policy.default)
    assert plain_text(read) == "我们正在核实。\n"
    assert "我们正在核实。" in html_text(read)


async def test_a_mail_that_was_read_is_not_delivered_again(tmp_path: Path) -> None:
    drop = Maildrop(tmp_path)
    name = (await drop.deliver(LETTER)).peer_id
    (tmp_path / "new" / name).rename(tmp_path / "cur" / f"{name}:2,S")
    await drop.deliver(LETTER)
    assert [path.name for path in tmp_path.rglob("*") if path.is_file()] == [f"{name}:2,S"]


async def test_a_folder_that_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "new").write_text("in the way")
    with pytest.raises(RetryLater, match="could not be written"):
        await Maildrop(tmp_path).deliver(LETTER)
    assert (tmp_path / "new").read_text() == "in the way"


def test_only_the_maildir_recognises_repeats(tmp_path: Path) -> None:
    assert not channel(tmp_path, FakeDesk(), relay_host="relay.example").capabilities.repeat_harmless
