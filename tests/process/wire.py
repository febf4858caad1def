"""SMTP byte by byte, for what a mail library would not send."""

from __future__ import annotations

import asyncio
from typing import Self

INBOX = "complaints@exchange.example"
PATIENCE_SECONDS = 60.0


class Wire:
    """One connection to a desk's mail port."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader = reader
        self.writer = writer

    @classmethod
    async def open(cls, port: int, source: str = "127.0.0.1") -> Self:
        """`source` is the address to come from: any of 127.0.0.0/8 belongs to this machine."""
        return cls(*await asyncio.open_connection("127.0.0.1", port, local_addr=(source, 0)))

    async def reply(self) -> str:
        """One reply of one or more lines; an empty text when the desk has closed."""
        lines: list[str] = []
        async with asyncio.timeout(PATIENCE_SECONDS):
            while line := (await self.reader.readline()).decode():
                lines.append(line.rstrip("\r\n"))
                if line[3:4] != "-":
                    break
        return "\n".join(lines)

    async def say(self, line: str) -> str:
        await self.send(line.encode() + b"\r\n")
        return await self.reply()

    async def send(self, data: bytes) -> None:
        self.writer.write(data)
        await self.writer.drain()

    async def until_data(self, sender: str, recipient: str = INBOX) -> str:
        """Up to the invitation to send the message (354), or to the first reply that is none of 2xx."""
        said = await self.reply()
        for line in ("EHLO mail.example", f"MAIL FROM:<{sender}>", f"RCPT TO:<{recipient}>", "DATA"):
            if not said.startswith("2"):
                return said
            said = await self.say(line)
        return said

    async def message(self, content: bytes) -> str:
        """The whole message and the final dot; the desk's answer."""
        await self.send(stuffed(content) + b".\r\n")
        return await self.reply()

    async def close(self) -> None:
        self.writer.close()
        try:
            await self.writer.wait_closed()
        except (ConnectionError, TimeoutError):
            return

    def reset(self) -> None:
        """Gone without goodbye."""
        transport = self.writer.transport
        transport.abort()


async def offer(port: int, content: bytes, sender: str, recipient: str = INBOX, source: str = "127.0.0.1") -> str:
    """One attempt to hand over one mail: the desk's last reply, "" when it hung up or did not answer the door."""
    try:
        wire = await Wire.open(port, source)
    except OSError:
        return ""
    try:
        said = await wire.until_data(sender, recipient)
        return await wire.message(content) if said.startswith("354") else said
    except ConnectionError:
        return ""
    finally:
        await wire.close()


def stuffed(content: bytes) -> bytes:
    """RFC 5321 section 4.5.2. `content` ends with CR LF."""
    return (b"\r\n" + content).replace(b"\r\n.", b"\r\n..")[2:]
