"""Somebody who chats: speaks the protocol of docs/chat-protocol.md over a real WebSocket."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any
from uuid import uuid4

import httpx
from websockets.asyncio.client import ClientConnection, connect

from bot.demo.stage import DemoFailed, Say

PATIENCE_SECONDS = 20.0


class Visitor:
    def __init__(self, socket: ClientConnection, name: str, say: Say) -> None:
        self._socket = socket
        self._name = name
        self._say = say

    async def write(self, text: str) -> None:
        """Sends a message and waits until the desk has it on disk."""
        await self._send({"type": "message", "id": uuid4().hex, "text": text}, text)

    async def press(self, button: str) -> None:
        await self._send({"type": "press", "id": uuid4().hex, "button": button}, f"[{button}]")

    async def hear(self, *, author: str | None = None) -> str:
        """The next thing somebody else says, or (with `author`) the next thing that one says."""
        frame = await self._heard()
        while author is not None and frame["author"] != author:
            frame = await self._heard()
        return str(frame["text"])

    async def hear_offer(self) -> str:
        """Everything that is said up to a line with quick replies."""
        frame = await self._heard()
        text = str(frame["text"])
        while not frame["buttons"]:
            frame = await self._heard()
            text += f"\n{frame['text']}"
        return text

    async def _heard(self) -> dict[str, Any]:
        while (frame := await self._next("entry"))["author"] == "user":
            pass
        titles = "".join(f"  [{button['title']}]" for button in frame["buttons"])
        self._say(frame["name"] or frame["author"], frame["text"] + titles)
        return frame

    async def _send(self, frame: dict[str, Any], shown: str) -> None:
        await self._socket.send(json.dumps(frame))
        await self._next("stored")
        self._say(self._name, shown)

    async def _next(self, kind: str) -> dict[str, Any]:
        try:
            async with asyncio.timeout(PATIENCE_SECONDS):
                while True:
                    frame: dict[str, Any] = json.loads(await self._socket.recv())
                    if frame["type"] == "error":
                        raise DemoFailed(f"the chat answered: {frame['message']}")
                    if frame["type"] == kind:
                        return frame
        except TimeoutError as error:
            raise DemoFailed(f"{self._name} heard nothing for {PATIENCE_SECONDS:g} s") from error


@asynccontextmanager
async def visiting(url: str, name: str, language: str, say: Say, token: str | None = None) -> AsyncIterator[Visitor]:
    """Opens a chat as `name`; with the app's signed `token` the desk knows which user it is."""
    async with httpx.AsyncClient(trust_env=False) as http:
        session = (await http.post(f"{url}/chat/session", json={})).raise_for_status().json()
    async with connect(url.replace("http", "ws", 1) + "/chat/ws") as socket:
        hello = {
            "type": "hello",
            "version": 1,
            "session": session["session"],
            "secret": session["secret"],
            "after": 0,
            "language": language,
            "token": token,
        }
        await socket.send(json.dumps(hello))
        yield Visitor(socket, name, say)
