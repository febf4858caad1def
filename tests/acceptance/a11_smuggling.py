"""A11: nothing but CR LF . CR LF ends a mail, so nobody hides a second one in it; nor commands behind STARTTLS.

python -m tests.acceptance.a11_smuggling --database both
"""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Sequence
from pathlib import Path

import trustme
from sqlalchemy import select

from bot.store.store import Store
from bot.store.tables import Inbox
from tests.acceptance.bar import Bar, main
from tests.acceptance.kept import damaged
from tests.fakes.rasa import FakeRasa
from tests.fakes.web import serving
from tests.process.desk import DeskProcess
from tests.process.people import letter
from tests.process.wire import INBOX, Wire

ENDS = [b"\n.\n", b"\n.\r\n", b"\r\n.\n", b"\r.\r", b"\r\n.\r"]
"""What other servers took for the end of a mail (CVE-2023-51764 to -51766, CVE-2024-27305)."""
ALSO = [b"\r.\r\n", b"\r\n\0.\r\n", b"\r\n.\0\r\n", b"\r\n. \r\n", b"\r\n.\r\r\n", b"\r\n\n.\r\n"]
FORGER = "forger@evil.example"
SECOND = f"MAIL FROM:<{FORGER}>\r\nRCPT TO:<{INBOX}>\r\nDATA\r\nSubject: smuggled\r\n\r\nPay me out.\r\n".encode()
PAUSE_SECONDS = 0.05


class Smuggler:
    def __init__(self, desk: DeskProcess) -> None:
        self._desk = desk
        self._count = 0
        self.accepted: list[bytes] = []

    async def session(self, end: bytes, *, torn: bool) -> list[str]:
        """One mail with `end` and a second one in its middle, in one packet or torn apart inside `end`. All replies,
        to the last that the desk has to give."""
        self._count += 1
        sender = f"writer{self._count}@mail.example"
        mail = letter(sender, "A complaint", "My withdrawal is missing.").rstrip(b"\r\n") + end + SECOND
        wire = await Wire.open(self._desk.smtp_port)
        assert (await wire.until_data(sender)).startswith("354")
        middle = mail.index(end + SECOND) + len(end) // 2 if torn else 0
        await wire.send(mail[:middle])
        await asyncio.sleep(PAUSE_SECONDS if torn else 0)
        await wire.send(mail[middle:] + b".\r\nQUIT\r\n")
        replies = await _to_the_end(wire)
        if replies[0].startswith("250"):
            self.accepted.append(unstuffed(mail))
        return [reply[:3] for reply in replies]

    async def honest(self) -> list[str]:
        """Two mails of which the second is sent ahead, after a real end: pipelining (RFC 2920)."""
        mails = [letter(f"honest{n}@mail.example", "A complaint", "My deposit is missing.") for n in range(2)]
        head = f"MAIL FROM:<honest1@mail.example>\r\nRCPT TO:<{INBOX}>\r\nDATA\r\n".encode()
        wire = await Wire.open(self._desk.smtp_port)
        assert (await wire.until_data("honest0@mail.example")).startswith("354")
        await wire.send(mails[0] + b".\r\n" + head + mails[1] + b".\r\nQUIT\r\n")
        self.accepted += mails
        return [reply[:3] for reply in await _to_the_end(wire)]


def unstuffed(content: bytes) -> bytes:
    """RFC 5321 section 4.5.2: what a server that goes by the book keeps of it."""
    return (b"\r\n" + content).replace(b"\r\n.", b"\r\n")[2:]


async def _to_the_end(wire: Wire) -> list[str]:
    replies = []
    while reply := await wire.reply():
        replies.append(reply)
    await wire.close()
    return replies


async def run(bar: Bar, folder: Path, database_url: str) -> None:
    async with serving(FakeRasa().app) as rasa_url:
        authority = trustme.CA()
        desk = DeskProcess(folder, database_url, rasa_url, **_certificate(folder, authority))
        await desk.start()
        smuggler, store = Smuggler(desk), Store(database_url)
        try:
            for what, ends in (("the five variants", ENDS), ("others", ALSO)):
                await _one_each(bar, smuggler, store, what, ends)
            before = len(await _senders(store))
            said = await smuggler.honest()
            stored = len(await _senders(store)) - before
            bar.require(said == ["250", "250", "250", "354", "250", "221"], "two mails pipelined", " ".join(said))
            bar.require(stored == 2, "of those stored", stored)
            wrong = await damaged(desk, store, smuggler.accepted)
            bar.require(not wrong, "kept byte for byte", f"{len(smuggler.accepted) - len(wrong)}")
            await _plaintext_tails(bar, desk, store)
            await _encrypted(bar, desk, store, authority)
        finally:
            store.close()
            await desk.stop()


async def _one_each(bar: Bar, smuggler: Smuggler, store: Store, what: str, ends: Sequence[bytes]) -> None:
    before = await _senders(store)
    replies = [await smuggler.session(end, torn=torn) for end in ends for torn in (False, True)]
    stored = (await _senders(store))[len(before) :]
    once = all(said == ["250", "221"] for said in replies)
    bar.require(once, f"{what}: heard one 250 and the goodbye", f"{len(replies)} sessions")
    bar.require(len(set(stored)) == len(stored) == len(replies), f"{what}: messages stored", len(stored))
    bar.require(FORGER not in stored, f"{what}: stored from the forger", stored.count(FORGER))


async def _senders(store: Store) -> list[str]:
    return await store.read(lambda c: list(c.execute(select(Inbox.sender).order_by(Inbox.id)).scalars()))


def _certificate(folder: Path, authority: trustme.CA) -> dict[str, str]:
    """The settings of a desk with a certificate of the authority."""
    issued = authority.issue_cert("127.0.0.1")
    files = {"TLS_CERTIFICATE": folder / "mail.pem", "TLS_KEY": folder / "mail.key"}
    files["TLS_CERTIFICATE"].write_bytes(b"".join(part.bytes() for part in issued.cert_chain_pems))
    files["TLS_KEY"].write_bytes(issued.private_key_pem.bytes())
    return {f"CHANNEL__MAIL__{name}": str(file) for name, file in files.items()}


async def _plaintext_tails(bar: Bar, desk: DeskProcess, store: Store) -> None:
    """What comes in one packet with STARTTLS, in the clear, is carried out neither before nor after the handshake
    (CVE-2011-0411, CVE-2024-34083)."""
    before, heard = await _senders(store), []
    tails = [SECOND + b".\r\n", b"EHLO evil.example\r\n" + SECOND + b".\r\n", b"MAIL FROM:<forger@evil.example>\r\n"]
    for tail in [*tails, b"NOOP\r\n", b"M"]:
        wire = await Wire.open(desk.smtp_port)
        await wire.reply()
        assert "STARTTLS" in await wire.say("EHLO mail.example")
        await wire.send(b"STARTTLS\r\n" + tail)
        heard.append(await _to_the_end(wire))
    refused = all(len(said) == 1 and said[0].startswith("554 5.5.1") for said in heard)
    bar.require(refused, "a plaintext tail behind STARTTLS: one 554, and the session ends", f"{len(heard)} sessions")
    stored = len(await _senders(store)) - len(before)
    bar.require(stored == 0, "messages stored from such tails", stored)


async def _encrypted(bar: Bar, desk: DeskProcess, store: Store, authority: trustme.CA) -> None:
    """A mail that is sent as it should be; and nothing that was said before the handshake holds after it."""
    context, before = ssl.create_default_context(), len(await _senders(store))
    authority.configure_trust(context)
    wire = await Wire.open(desk.smtp_port)
    await wire.reply()
    for line in ("EHLO mail.example", f"MAIL FROM:<{FORGER}>", f"RCPT TO:<{INBOX}>", "STARTTLS"):
        assert (await wire.say(line)).startswith("2")
    await wire.writer.start_tls(context, server_hostname="127.0.0.1")
    forgotten = [(await wire.say(line))[:3] for line in ("DATA", "EHLO mail.example", "DATA")]
    bar.require(forgotten == ["503", "250", "503"], "what was said in the clear is forgotten", " ".join(forgotten))
    sender = "encrypted@mail.example"
    for line in (f"MAIL FROM:<{sender}>", f"RCPT TO:<{INBOX}>", "DATA"):
        await wire.say(line)
    said = await wire.message(letter(sender, "A complaint", "My withdrawal is missing."))
    await wire.close()
    stored = (await _senders(store))[before:]
    bar.require(said.startswith("250") and stored == [sender], "an encrypted mail is taken", said)


if __name__ == "__main__":
    main("A11", run)
