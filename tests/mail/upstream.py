"""A mail relay that follows a script: at each step it answers as told, hangs up, or says nothing more."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

DROP, SILENCE, LATE, STALL = "drop", "silence", "late", "stall"
"""Hangs up; reads on and answers nothing; answers when the client has left already; does not even read."""
_ANSWERS = {
    "CONNECT": "220 relay",
    "EHLO": "250-relay\r\n250-SIZE 50000000\r\n250 SMTPUTF8",
    "DATA": "354 go on",
    "DOT": "250 2.0.0 queued as 42",
}
_SOME = 10_000
LIMIT = 5_000_000


class ScriptedRelay:
    """`script`: what happens at a step, by its name: a reply or one of the four. `taken`: what it has in full.

    The steps are the commands, "CONNECT", "BODY" (in mid-letter) and "DOT" (the letter is here).
    """

    def __init__(self) -> None:
        self.script: dict[str, str] = {}
        self.taken: list[bytes] = []
        self.heard: list[str] = []
        self.port = 0
        self.finished = asyncio.Event()
        """A session has ended."""
        self.released = asyncio.Event()

    async def session(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.finished.clear()
        with suppress(ConnectionError, asyncio.IncompleteReadError):
            await self._talk(reader, writer)
        writer.transport.abort()
        self.finished.set()

    async def _talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if not await self._at("CONNECT", reader, writer):
            return
        while line := await reader.readline():
            command = line.decode().strip()
            self.heard.append(command)
            step = command[:4].upper()
            if not await self._at(step, reader, writer):
                return
            if step == "DATA" and "DATA" not in self.script:
                if "BODY" in self.script:
                    await reader.readexactly(_SOME)
                    if not await self._at("BODY", reader, writer):
                        return
                self.taken.append((await reader.readuntil(b"\r\n.\r\n"))[:-3])
                if not await self._at("DOT", reader, writer):
                    return

    async def _at(self, step: str, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        """False when the session is over."""
        told = self.script.get(step, _ANSWERS.get(step, "250 OK"))
        if told in (SILENCE, LATE):
            await reader.read()
        if told == STALL:
            await self.released.wait()
        if told in (DROP, SILENCE, STALL):
            return False
        writer.write(f"{_ANSWERS['DOT'] if told == LATE else told}\r\n".encode())
        await writer.drain()
        return told != LATE


@asynccontextmanager
async def scripted_relay() -> AsyncIterator[ScriptedRelay]:
    relay = ScriptedRelay()
    server = await asyncio.start_server(relay.session, "127.0.0.1", 0, limit=LIMIT)
    relay.port = server.sockets[0].getsockname()[1]
    yield relay
    relay.released.set()
    server.close()
