"""Mail in the contract suite: a sender that speaks SMTP, and a relay that follows a script."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from email.message import EmailMessage
from email.policy import SMTP
from typing import ClassVar, Self, override

from channels.mail.channel import MailChannel
from channels.mail.settings import check
from tests.contract.desk import ContractDesk
from tests.contract.peer import Delivery, Heard, Peer
from tests.mail.harness import INBOX, Client
from tests.mail.upstream import DROP, ScriptedRelay, scripted_relay

MAX_BYTES = 64 * 1024


class MailPeer(Peer):
    channel_name = "mail"
    max_file_bytes: ClassVar[int] = MAX_BYTES
    channel: MailChannel

    def __init__(self, desk: ContractDesk, relay: ScriptedRelay) -> None:
        super().__init__(desk)
        self._relay = relay
        self._written: dict[str, tuple[str, bytes]] = {}
        """Envelope sender and content by Message-ID."""

    @classmethod
    @asynccontextmanager
    @override
    async def open(cls, desk: ContractDesk) -> AsyncIterator[Self]:
        async with scripted_relay() as relay:
            peer = cls(desk, relay)
            await peer.restart()
            yield peer
            await peer.channel.stop()
            await peer.channel.close()

    @override
    async def restart(self) -> None:
        settings = {
            "relay_host": "127.0.0.1",
            "relay_port": self._relay.port,
            "relay_starttls": False,
            "max_message_bytes": MAX_BYTES,
        }
        context = self.desk.context("mail", settings)
        self.channel = self.desk.built(MailChannel(context, check(settings)))
        await self.channel.start()
        self.stopped.clear()

    @override
    async def deliver(self, text: str, who: int = 1) -> Delivery:
        return await self._write(self._letter(text, f"user{who}@user.example"), f"user{who}@user.example")

    @override
    async def again(self, delivery: Delivery) -> Heard:
        return await self._hand_over(*self._written[delivery.id])

    @override
    async def too_large(self, text: str) -> Sequence[Heard]:
        """One that says so at once, one that does not say, and one with too many lines."""
        announced = await self._hand_over("li@user.example", b"", options=f" SIZE={MAX_BYTES + 1}")
        letter = self._letter(text, "li@user.example")
        return [announced, await self._hand_over("li@user.example", letter.as_bytes() + b"x\r\n" * MAX_BYTES)]

    @override
    async def own(self, text: str) -> None:
        await self._write(self._letter(text, INBOX), INBOX)

    @override
    async def automatic(self, text: str) -> None:
        letter = self._letter(text, "li@user.example")
        letter["Auto-Submitted"] = "auto-replied"
        await self._write(letter, "")

    @override
    async def file(self, name: str, data: bytes) -> Delivery:
        letter = self._letter("See the file.", "li@user.example")
        letter.add_attachment(data, "application", "octet-stream", filename=name)
        return await self._write(letter, "li@user.example")

    @override
    def sent(self) -> list[str]:
        return [content.decode() for content in self._relay.taken]

    @override
    async def fall_silent(self) -> None:
        self._relay.script["DOT"] = DROP

    def _letter(self, text: str, author: str) -> EmailMessage:
        letter = EmailMessage(policy=SMTP)
        letter["From"], letter["To"], letter["Subject"] = author, INBOX, "Help"
        letter["Message-ID"] = f"<{len(self._written) + 1}@user.example>"
        letter.set_content(text)
        return letter

    async def _write(self, letter: EmailMessage, sender: str) -> Delivery:
        name = str(letter["Message-ID"])
        self._written[name] = (sender, letter.as_bytes())
        return Delivery(name, await self.again(Delivery(name, Heard.LATER)))

    async def _hand_over(self, sender: str, content: bytes, options: str = "") -> Heard:
        try:
            client = await Client.open(self.channel)
        except ConnectionError:
            return Heard.LATER
        try:
            return _heard(await self._talk(client, sender, content, options))
        except ConnectionError:
            return Heard.LATER
        finally:
            await client.close()

    async def _talk(self, client: Client, sender: str, content: bytes, options: str) -> str:
        """The first answer that is no invitation to go on, or the last."""
        said = await client.reply()
        for line in ("EHLO user.example", f"MAIL FROM:<{sender}>{options}", f"RCPT TO:<{INBOX}>", "DATA"):
            if not said.startswith(("2", "3")):
                return said
            said = await client.say(line)
        if said.startswith("3"):
            await client.send(content.replace(b"\r\n.", b"\r\n..") + b".\r\n")
            said = await client.reply()
        return said


def _heard(said: str) -> Heard:
    """RFC 5321 section 4.2.1; a server that hangs up without a word is asked again."""
    return {"2": Heard.STORED, "5": Heard.REFUSED}.get(said[:1], Heard.LATER)
