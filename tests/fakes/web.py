"""A real HTTP server on port 0, inside the test's own event loop."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator, Generator, Sequence
from contextlib import asynccontextmanager, contextmanager
from typing import override

import uvicorn
from starlette.routing import BaseRoute, Router
from starlette.types import ASGIApp, Receive, Scope, Send


class _Server(uvicorn.Server):
    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.up = asyncio.Event()

    @override
    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self.up.set()

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
        timeout_graceful_shutdown=1,
        date_header=dated,
    )
    server = _Server(config)
    task = asyncio.create_task(server.serve(sockets=[listener]))
    await server.up.wait()
    try:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    finally:
        server.should_exit = True
        await task
        listener.close()
