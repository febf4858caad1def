"""STARTTLS on the listener: encrypted mail arrives, words in the clear are forgotten, certificates are renewed."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import trustme
import uvloop

from channels.mail.channel import MailChannel
from channels.mail.settings import check
from tests.fakes.desk import FakeDesk
from tests.mail.conftest import Start
from tests.mail.harness import INBOX, Client, channel, mail_bytes

TAIL = f"EHLO evil.example\r\nMAIL FROM:<eve@evil.example>\r\nRCPT TO:<{INBOX}>\r\nDATA\r\nx\r\n.\r\n".encode()


class Files:
    """A certificate and its key where the settings say that they are."""

    def __init__(self, folder: Path) -> None:
        self.certificate, self.key = folder / "mail.pem", folder / "mail.key"
        self.renew()

    def renew(self) -> None:
        self.authority = trustme.CA()
        issued = self.authority.issue_cert("127.0.0.1")
        self.key.write_bytes(issued.private_key_pem.bytes())
        self.certificate.write_bytes(b"".join(part.bytes() for part in issued.cert_chain_pems))

    @property
    def settings(self) -> dict[str, Any]:
        return {"tls_certificate": str(self.certificate), "tls_key": str(self.key)}

    @property
    def trusting(self) -> ssl.SSLContext:
        """A client's, that believes in this certificate only."""
        context = ssl.create_default_context()
        self.authority.configure_trust(context)
        return context


@pytest.fixture
def files(tmp_path: Path) -> Files:
    return Files(tmp_path)


async def encrypt(client: Client, context: ssl.SSLContext) -> None:
    assert (await client.reply()).startswith("220 ")
    assert "STARTTLS" in await client.say("EHLO user.example")
    assert await client.say("STARTTLS") == "220 2.0.0 Ready to start TLS"
    await client.writer.start_tls(context, server_hostname="127.0.0.1")


async def encrypted_mail(listener: MailChannel, files: Files) -> str:
    client = await Client.open(listener)
    await encrypt(client, files.trusting)
    offered = await client.say("EHLO user.example")
    assert offered.startswith("250-")
    assert "STARTTLS" not in offered
    assert await client.say("MAIL FROM:<li@user.example>") == "250 OK"
    assert await client.say(f"RCPT TO:<{INBOX}>") == "250 2.1.5 OK"
    assert (await client.say("DATA")).startswith("354 ")
    await client.send(mail_bytes() + b".\r\n")
    said = await client.reply()
    assert (await client.say("QUIT")).startswith("221 ")
    return said


@pytest.mark.parametrize("loop", [asyncio.new_event_loop, uvloop.new_event_loop], ids=["asyncio", "uvloop"])
def test_an_encrypted_mail_arrives(tmp_path: Path, files: Files, loop: Callable[[], asyncio.AbstractEventLoop]) -> None:
    """On the loop of the tests and on the one that the desk runs on."""
    desk = FakeDesk()

    async def whole() -> str:
        listener = channel(tmp_path, desk, **files.settings)
        await listener.start()
        try:
            return await encrypted_mail(listener, files)
        finally:
            await listener.stop()
            await listener.close()

    with asyncio.Runner(loop_factory=loop) as runner:
        assert runner.run(whole()).startswith("250 2.6.0 ")
    assert [message.raw for message in desk.stored] == [mail_bytes()]


async def test_a_tail_in_the_clear_is_never_carried_out(start: Start, desk: FakeDesk, files: Files) -> None:
    listener = await start(**files.settings)
    for tail in (TAIL, b"NOOP\r\n", b"N", b"\r\n"):
        client = await Client.open(listener)
        await client.reply()
        await client.say("EHLO user.example")
        await client.send(b"STARTTLS\r\n" + tail)
        assert (await client.reply()).startswith("554 5.5.1 ")
        assert await client.reply() == ""
    assert desk.attempts == 0
    assert listener.figures().refused["before_tls"] == 4


async def test_what_was_said_in_the_clear_is_forgotten(start: Start, desk: FakeDesk, files: Files) -> None:
    listener = await start(**files.settings)
    client = await Client.open(listener)
    await client.reply()
    await client.say("EHLO user.example")
    await client.say("MAIL FROM:<eve@evil.example>")
    await client.say(f"RCPT TO:<{INBOX}>")
    assert (await client.say("STARTTLS x")).startswith("501 ")
    assert (await client.say("STARTTLS")).startswith("220 ")
    await client.writer.start_tls(files.trusting, server_hostname="127.0.0.1")
    assert (await client.say("DATA")).startswith("503 ")
    assert (await client.say("MAIL FROM:<eve@evil.example>")).startswith("503 ")
    assert (await client.say("EHLO user.example")).startswith("250-")
    assert (await client.say("DATA")).startswith("503 ")
    assert (await client.say("STARTTLS")).startswith("503 ")
    assert desk.attempts == 0


async def test_no_tls_after_all_ends_the_session_alone(start: Start, desk: FakeDesk, files: Files) -> None:
    listener = await start(**files.settings)
    client = await Client.open(listener)
    await client.reply()
    await client.say("EHLO user.example")
    await client.say("STARTTLS")
    await client.send(TAIL)
    assert b"250" not in await client.reader.read()
    assert (await encrypted_mail(listener, files)).startswith("250 ")
    assert len(desk.stored) == 1
    await listener.stop()
    assert listener.figures().connections == 0
    assert listener.figures().refused["tls"] == 1


async def test_without_a_certificate_none_is_offered(inbox: MailChannel) -> None:
    client = await Client.open(inbox)
    await client.reply()
    assert "STARTTLS" not in await client.say("EHLO user.example")
    assert (await client.say("STARTTLS")).startswith("503 ")
    assert (await client.say("NOOP")).startswith("250 ")


async def test_where_tls_is_required_nothing_is_taken_without(start: Start, desk: FakeDesk, files: Files) -> None:
    listener = await start(require_tls=True, **files.settings)
    client = await Client.open(listener)
    await client.reply()
    await client.say("EHLO user.example")
    assert (await client.say("MAIL FROM:<li@user.example>")).startswith("530 5.7.0 ")
    assert (await encrypted_mail(listener, files)).startswith("250 ")
    assert len(desk.stored) == 1


async def test_a_renewed_certificate_is_taken_without_a_restart(start: Start, desk: FakeDesk, files: Files) -> None:
    listener = await start(**files.settings)
    await encrypted_mail(listener, files)
    files.renew()
    await encrypted_mail(listener, files)
    good = files.key.read_bytes()
    files.key.write_bytes(b"half a key")
    await encrypted_mail(listener, files)
    assert "tls_certificate" in (listener.trouble() or "")
    files.key.write_bytes(good)
    await encrypted_mail(listener, files)
    assert listener.trouble() is None


def test_files_that_are_none_stop_the_start(tmp_path: Path, files: Files) -> None:
    with pytest.raises(ValueError, match=r"channel mail: tls_certificate and tls_key .*missing\.pem"):
        channel(tmp_path, FakeDesk(), **(files.settings | {"tls_certificate": str(tmp_path / "missing.pem")}))
    files.key.write_bytes(trustme.CA().issue_cert("other.example").private_key_pem.bytes())
    with pytest.raises(ValueError, match="tls_key"):
        channel(tmp_path, FakeDesk(), **files.settings)
    for section in ({"tls_key": "x"}, {"tls_certificate": "x"}, {"require_tls": True}):
        with pytest.raises(ValueError, match="tls_certificate and tls_key"):
            check(section)
