"""What the tests of the back office talk to: a demo exchange, and peers that send whatever a test wants."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from actions.backoffice.http import HttpBackOffice

WIDGET_URL = "https://desk.example:8443"
LONG_AGO = datetime(2000, 1, 1, tzinfo=UTC)


@dataclass(frozen=True)
class Demo:
    """A running demo exchange."""

    url: str
    data: Path

    @property
    def api_token(self) -> str:
        return (self.data / "api-token").read_text()

    @property
    def app_token_secret(self) -> str:
        return (self.data / "app-token-secret").read_text()

    def office(self, token: str | None = None) -> HttpBackOffice:
        """A client; generous with time, for test machines are slow."""
        return HttpBackOffice(self.url, self.api_token if token is None else token, timeout_seconds=20)


@asynccontextmanager
async def talking_to(
    answer: bytes, *, close: bool = True, timeout_seconds: float = 20
) -> AsyncIterator[HttpBackOffice]:
    """A client of a server that sends `answer` to every request, then closes or stays silent."""
    over = asyncio.Event()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(answer)
        if not close:
            await over.wait()
        writer.close()
        await writer.wait_closed()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    try:
        async with HttpBackOffice(f"http://127.0.0.1:{port}", "t" * 40, timeout_seconds) as office:
            yield office
    finally:
        over.set()
        server.close()
        await server.wait_closed()
