"""A real HTTP server on port 0, inside the test's own event loop."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator, Generator, Sequence
from contextlib import asynccontextmanager, contextmanager, suppress
from typing import override

import uvicorn
from starlette.routing import BaseRoute, Router
from starlette.types import ASGIApp, Receive, Scope, Send

GRACE_SECONDS = 1.0
"""For answers that are under way when a server is closed."""


class _Server(uvicorn.Server):
    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.up = asyncio.Event()
        self.leave = asyncio.Event()

    @override
    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self.up.set()

    @override
    async def main_loop(self) -> None:
        """Ticks as uvicorn's own does, but ends at once when it is told to."""
        ticks = 0
        while not await self.on_tick(ticks) and not self.leave.is_set():
            ticks += 1
            with suppress(TimeoutError):
                await asyncio.wait_for(self.leave.wait(), 0.1)

    @override
    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """As uvicorn's own, which sleeps for a tenth of a second at each step."""
        for listening in (*self.servers, *(sockets or ())):
            listening.close()
        for connection in list(self.server_state.connections):
            connection.shutdown()
        with suppress(TimeoutError):
            async with asyncio.timeout(GRACE_SECONDS):
                while self.server_state.connections or self.server_state.tasks:
                    await asyncio.sleep(0.005)
        for task in self.server_state.tasks:
            task.cancel()

    @contextmanager
    @override
    def capture_signals(self) -> Generator[None]:
        yield


class Exchangeable:
    """An app for a server that outlives the channel whose routes it serves."""

    def __init__(self) -> None:
        self.routes: Sequence[BaseRoute] = ()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await Router(self.routes)(scope, receive, send)


@asynccontextmanager
async def serving(app: ASGIApp, port: int = 0, *, dated: bool = True) -> AsyncIterator[str]:
    """Yields the server's address, for example "http://127.0.0.1:40123". `dated`: it says the time in every answer."""
    listener = socket.socket()
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.bind(("127.0.0.1", port))
    config = uvicorn.Config(
        app,
        lifespan="off",
        log_config=None,
        access_log=False,
        ws="websockets-sansio",
        date_header=dated,
    )
    server = _Server(config)
    task = asyncio.create_task(server.serve(sockets=[listener]))
    await server.up.wait()
    try:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    finally:
        server.leave.set()
        await task
        listener.close()
