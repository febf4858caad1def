"""A mail channel in front of a fake desk, and a client that speaks SMTP byte by byte."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, ClassVar, Self

from bot import wording
from channels import mail
from channels.contract import Author, ChannelContext, OutboundMessage
from channels.mail.channel import MailChannel
from channels.mail.resolver import Dns
from channels.mail.settings import check
from tests.fakes.desk import FakeDesk
from tests.fakes.desk import context as desk_context

WORDS = wording.load(wording.HERE, Path(mail.__file__).parent)
INBOX = "complaints@exchange.example"
PROVEN = {"authentication": "pass", "alignment": "dkim", "spf": "pass", "from": "li@user.example"}
"""Of a thread whose newest mail came from whom it names."""
FIXTURES = Path(__file__).parents[1] / "fixtures" / "mail"


def channel(
    folder: Path, desk: FakeDesk, port: int = 0, *, host: str = "127.0.0.1", dns: Dns | None = None, **settings: object
) -> MailChannel:
    return MailChannel(context(folder, desk, port, host, settings), check(settings), dns)


def context(folder: Path, desk: FakeDesk, port: int, host: str, settings: dict[str, object]) -> ChannelContext:
    return desk_context(folder, desk, WORDS, settings, host=host, ports={"smtp": port})


class Client:
    """One SMTP connection. Those that a failed test left open are closed by the fixture."""

    opened: ClassVar[list[Client]] = []

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader = reader
        self.writer = writer

    @classmethod
    async def open(cls, of: MailChannel) -> Self:
        assert of.address is not None
        client = cls(*await asyncio.open_connection(*of.address))
        cls.opened.append(client)
        return client

    async def reply(self) -> str:
        """One reply of one or more lines; an empty text when the server has closed."""
        lines: list[str] = []
        while line := (await asyncio.wait_for(self.reader.readline(), 20)).decode():
            lines.append(line.removesuffix("\r\n"))
            if line[3:4] != "-":
                break
        return "\n".join(lines)

    async def say(self, line: str | bytes) -> str:
        self.writer.write((line.encode() if isinstance(line, str) else line) + b"\r\n")
        await self.writer.drain()
        return await self.reply()

    async def begin(self, sender: str = "li@user.example", recipient: str = INBOX) -> None:
        """Up to the invitation to send the message."""
        assert (await self.reply()).startswith("220 ")
        assert (await self.say("EHLO user.example")).startswith("250-")
        assert await self.say(f"MAIL FROM:<{sender}>") == "250 OK"
        assert await self.say(f"RCPT TO:<{recipient}>") == "250 2.1.5 OK"
        assert (await self.say("DATA")).startswith("354 ")

    async def send(self, data: bytes) -> None:
        self.writer.write(data)
        await self.writer.drain()

    async def close(self) -> None:
        self.writer.close()
        try:
            await self.writer.wait_closed()
        except ConnectionError:
            return


async def deliver(of: MailChannel, content: bytes, sender: str = "li@user.example", recipient: str = INBOX) -> str:
    """Sends one mail, whose content needs no dot-stuffing, and returns the answer to the final dot."""
    client = await Client.open(of)
    try:
        await client.begin(sender, recipient)
        await client.send(content + b".\r\n")
        return await client.reply()
    finally:
        await client.close()


def mail_bytes(*, subject: str = "Help", body: str = "My withdrawal is stuck.", extra: str = "") -> bytes:
    head = f"From: Li <li@user.example>\r\nTo: {INBOX}\r\nSubject: {subject}\r\nMessage-ID: <1@user.example>\r\n"
    kind = "MIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\n"
    return (head + kind + extra + "\r\n" + body + "\r\n").encode()


def answer(**changes: Any) -> OutboundMessage:
    values: dict[str, Any] = {
        "outbox_id": 7,
        "message_id": "01hzx3",
        "conversation_id": 1,
        "conversation_key": "abcdefghijklmnopqrstuvwx",
        "recipient": "li@user.example",
        "seq": 2,
        "author": Author.BOT,
        "author_name": "",
        "text": "We have your message.",
        "language": "en",
        "thread": {"subject": "Help", "message_id": "<1@user.example>", "references": "<0@user.example>"} | PROVEN,
        "created_at": datetime(2026, 11, 22, 8, 30, tzinfo=UTC),
    }
    return OutboundMessage(**(values | changes))
