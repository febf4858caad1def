"""A chat client as a native app would write it from docs/chat-protocol.md: a real WebSocket, nothing of ours."""

from __future__ import annotations

import asyncio
import json
import urllib.request
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Any
from uuid import uuid4

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

from tests.webchat.desk import RunningChat

PATIENCE_SECONDS = 5.0
Frame = dict[str, Any]


class Client:
    def __init__(self, socket: ClientConnection) -> None:
        self.socket = socket
        self._skipped: list[Frame] = []

    async def send(self, **frame: Any) -> None:
        await self.socket.send(json.dumps(frame))

    async def next(self) -> Frame:
        if self._skipped:
            return self._skipped.pop(0)
        return await self._receive()

    async def _receive(self) -> Frame:
        frame: Frame = json.loads(await asyncio.wait_for(self.socket.recv(), PATIENCE_SECONDS))
        return frame

    async def next_of(self, *kinds: str) -> Frame:
        """The next frame of one of these kinds; those before it stay for later."""
        for frame in self._skipped:
            if frame["type"] in kinds:
                self._skipped.remove(frame)
                return frame
        while (frame := await self._receive())["type"] not in kinds:
            self._skipped.append(frame)
        return frame

    async def write(self, text: str, client_id: str | None = None) -> str:
        client_id = client_id or uuid4().hex
        await self.send(type="message", id=client_id, text=text)
        return client_id

    async def closed(self) -> int:
        """Reads to the end; the close code that the server gave."""
        try:
            async with asyncio.timeout(PATIENCE_SECONDS):
                while True:
                    await self.socket.recv()
        except ConnectionClosed:
            assert self.socket.close_code is not None
            return self.socket.close_code

    async def settle(self) -> list[Frame]:
        """Everything that the server had to say up to now: what comes before the answer to a ping."""
        await self.send(type="ping")
        frames = []
        while (frame := await self.next())["type"] != "pong":
            frames.append(frame)
        return frames


async def new_session(chat: RunningChat) -> dict[str, str]:
    def ask() -> dict[str, str]:
        headers = {"Content-Type": "application/json"}
        request = urllib.request.Request(f"{chat.url}/chat/session", b"{}", headers, method="POST")
        with urllib.request.urlopen(request, timeout=PATIENCE_SECONDS) as answer:
            content = json.load(answer)
        return {"session": content["session"], "secret": content["secret"]}

    return await asyncio.to_thread(ask)


@asynccontextmanager
async def open_socket(chat: RunningChat, origin: str | None = None) -> AsyncGenerator[Client]:
    headers = {} if origin is None else {"Origin": origin}
    async with connect(chat.socket_url, additional_headers=headers, max_size=2**21) as socket:
        yield Client(socket)


@asynccontextmanager
async def greeted(
    chat: RunningChat, session: dict[str, str], *, after: int = 0, language: str = "en", token: str | None = None
) -> AsyncGenerator[tuple[Client, Frame]]:
    async with open_socket(chat) as client:
        await client.send(type="hello", version=1, **session, after=after, language=language, token=token)
        welcome = await client.next()
        assert welcome["type"] == "welcome", welcome
        yield client, welcome
