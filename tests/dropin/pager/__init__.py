"""Pagers: people send lines over TCP and hear answers on the same line. As small as a channel can be."""

from __future__ import annotations

import asyncio
import hmac
import json
from collections.abc import Mapping
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any, override

from channels.contract import (
    Capabilities,
    Channel,
    ChannelContext,
    InboundMessage,
    OutboundMessage,
    ReadMessage,
    SendReceipt,
)
from channels.faults import NotStored, RetryLater

MAX_LINE_BYTES = 1000


def build(context: ChannelContext) -> Channel:
    """Without a port the channel is off. Raises ValueError when a setting is wrong."""
    if unknown := set(context.settings) - {"port", "secret"}:
        raise ValueError(f"channel pager: there is no setting {', '.join(sorted(unknown))} (there are port, secret)")
    return Pager(context)


class Pager(Channel):
    name = "pager"
    capabilities = Capabilities(max_characters=500, patience_seconds=5, live=True)

    def __init__(self, context: ChannelContext) -> None:
        self._context = context
        self._port = context.settings.get("port")
        self._secret = str(context.settings.get("secret", "")).encode()
        self._lines: dict[str, asyncio.StreamWriter] = {}
        self._server: asyncio.Server | None = None
        self.address: tuple[str, int] = ("", 0)

    @override
    async def start(self) -> None:
        if self._port is not None:
            self._server = await asyncio.start_server(
                self._talk, self._context.host, int(self._port), limit=MAX_LINE_BYTES
            )
            self.address = self._server.sockets[0].getsockname()[:2]

    @override
    async def stop(self) -> None:
        if self._server is not None:
            self._server.close()

    @override
    async def close(self) -> None:
        for writer in self._lines.values():
            writer.close()

    @override
    async def read(self, raw: bytes, envelope: Mapping[str, Any]) -> ReadMessage:
        return ReadMessage(text=raw.decode(errors="replace"))

    @override
    async def send(self, message: OutboundMessage) -> SendReceipt:
        line = self._lines.get(message.recipient)
        if line is None or line.is_closing():
            raise RetryLater(self._context.words.say("pager.away", "en"))
        line.write(f"SAY {json.dumps(message.text)}\n".encode())
        await line.drain()
        return SendReceipt()

    async def _talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(ConnectionError, ValueError):  # ValueError: a line that is too long
            _, number, secret = (await reader.readline()).decode().split(maxsplit=2)
            if hmac.compare_digest(secret.strip().encode(), self._secret):
                self._lines[number] = writer
                while line := await reader.readline():
                    writer.write(await self._take(number, line) + b"\n")
        writer.write(b"BYE\n")
        writer.close()

    async def _take(self, number: str, line: bytes) -> bytes:
        """`PAGE <id> <text>`; OK only when it is stored. Raises ValueError for any other line."""
        word, own_id, text = line.rstrip(b"\n").split(b" ", 2)
        if word != b"PAGE":
            raise ValueError
        message = InboundMessage(
            channel=self.name,
            external_id=f"{number}:{own_id.decode()}",
            conversation_key=number,
            sender=number,
            raw=text,
            received_at=datetime.now(UTC),
        )
        try:
            await self._context.accept(message)
        except NotStored:
            return b"LATER"
        return b"OK"
