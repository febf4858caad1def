"""A clamd on port 0 that speaks the real protocol (clamd(8): PING, VERSION, INSTREAM; `n` and `z` commands).

It finds EICAR and nothing else. `script` says what it does next instead: "error", "drop" (hangs up), "hang" (says
nothing more until released), "nonsense".
"""

from __future__ import annotations

import asyncio
import struct
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

# In two halves, or a scanner on the developer's own machine takes this file away.
EICAR = rb"X5O!P%@AP[4\PZX54(P^)7CC)7}$EICAR" + rb"-STANDARD-ANTIVIRUS-TEST-FILE!$H+H*"
FOUND = "Win.Test.EICAR_HDB-1"
VERSION = "ClamAV 1.4.6/27000/Sun Nov 22 09:00:00 2026"
_SIZE = struct.Struct("!L")


class FakeClamd:
    """`scanned`: every stream it has had in full. `heard`: its commands."""

    def __init__(self, max_stream: int = 25 * 1024 * 1024) -> None:
        self.max_stream = max_stream
        self.script: list[str] = []
        self.hung = False
        """Takes connections and answers none, PING neither."""
        self.scanned: list[bytes] = []
        self.heard: list[str] = []
        self.port = 0
        self.released = asyncio.Event()
        self._server: asyncio.Server | None = None
        self._open: set[asyncio.StreamWriter] = set()

    @property
    def address(self) -> str:
        return f"127.0.0.1:{self.port}"

    async def start(self) -> None:
        """On the port it had before, if it had one."""
        self._server = await asyncio.start_server(self._session, "127.0.0.1", self.port)
        self.port = self._server.sockets[0].getsockname()[1]

    async def stop(self) -> None:
        """As when it is killed: its port is closed and nobody gets an answer."""
        if self._server is not None:
            self._server.close()
            for writer in list(self._open):
                writer.transport.abort()
            await self._server.wait_closed()
            self._server = None

    async def _session(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._open.add(writer)
        try:
            with suppress(ConnectionError, asyncio.IncompleteReadError, asyncio.LimitOverrunError):
                await self._one(reader, writer)
        finally:
            self._open.discard(writer)
            writer.close()

    async def _one(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One command; then clamd closes, for no session was begun."""
        mark = await reader.readexactly(1)
        if mark not in (b"n", b"z"):
            writer.write(b"UNKNOWN COMMAND\n")
            return
        end = b"\n" if mark == b"n" else b"\0"
        command = (await reader.readuntil(end))[:-1].decode()
        self.heard.append(command)
        if self.hung:
            await self.released.wait()
            return
        if (answer := await self._answer(command, reader)) is not None:
            writer.write(answer.encode() + end)
            await writer.drain()

    async def _answer(self, command: str, reader: asyncio.StreamReader) -> str | None:
        """None: it hangs up without a word."""
        if command == "INSTREAM":
            return await self._instream(reader)
        return {"PING": "PONG", "VERSION": VERSION}.get(command, "UNKNOWN COMMAND")

    async def _instream(self, reader: asyncio.StreamReader) -> str | None:
        data = bytearray()
        while size := _SIZE.unpack(await reader.readexactly(_SIZE.size))[0]:
            data += await reader.readexactly(size)
        if len(data) > self.max_stream:
            return "INSTREAM size limit exceeded. ERROR"
        self.scanned.append(bytes(data))
        match self.script.pop(0) if self.script else "":
            case "error":
                return "stream: Can't allocate memory ERROR"
            case "drop":
                return None
            case "nonsense":
                return "what?"
            case "hang":
                await self.released.wait()
                return None
        return f"stream: {FOUND} FOUND" if EICAR in data else "stream: OK"


@asynccontextmanager
async def clamd(**settings: int) -> AsyncIterator[FakeClamd]:
    fake = FakeClamd(**settings)
    await fake.start()
    try:
        yield fake
    finally:
        fake.released.set()
        await fake.stop()
