"""The whole desk as `redress run` starts it (app, Rasa, actions, demo exchange), on free ports and in a new folder."""

from __future__ import annotations

import asyncio
import json
import os
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from unittest.mock import patch
from uuid import uuid4

import httpx
from websockets.asyncio.client import ClientConnection, connect

from bench.frame import Missing
from bench.processes import READY_SECONDS, Running, free_port, running
from bot.settings import Settings, load
from bot.supervise import MODEL, RASA_PYTHON, Child, plan

PATIENCE_SECONDS = 30


@dataclass(frozen=True)
class WholeDesk:
    url: str
    rasa_url: str
    rasa_secret: str
    rasa_database: Path
    processes: Mapping[str, Running]


class Chat:
    """One visitor of the live chat, over a real WebSocket (docs/chat-protocol.md)."""

    def __init__(self, socket: ClientConnection, session: str) -> None:
        self._socket = socket
        self.session = session

    async def ask(self, text: str) -> None:
        """Sends a message and waits for the first word of the answer to it; what else is said is left for later."""
        await self._socket.send(json.dumps({"type": "message", "id": uuid4().hex, "text": text}))
        try:
            async with asyncio.timeout(PATIENCE_SECONDS):
                asked = (await self._next("stored"))["seq"]
                while True:
                    entry = await self._next("entry")
                    if entry["seq"] > asked and entry["author"] != "user":
                        return
        except TimeoutError:
            raise AssertionError(f"no answer in {PATIENCE_SECONDS} s: has a person been given the word?") from None

    async def _next(self, kind: str) -> dict[str, Any]:
        """The next frame of this kind; others are dropped, for the answer comes after `stored`."""
        while True:
            frame: dict[str, Any] = json.loads(await self._socket.recv())
            if frame["type"] == "error":
                raise AssertionError(f"the desk refused a message: {frame['code']}")
            if frame["type"] == kind:
                return frame


@asynccontextmanager
async def whole_desk(folder: Path, profile: Path | None = None) -> AsyncIterator[WholeDesk]:
    """Started, with Rasa answering. With `profile`, the app writes there where its time went, when it ends.

    Raises Missing when the set-up or the model is not there.
    """
    if not RASA_PYTHON.exists() or not MODEL.exists():
        raise Missing("the Rasa environment or the model is missing: `make setup`, then `redress train`")
    environment = _environment(folder)
    with patch.dict(os.environ, environment):
        settings = load()
        children, _ = plan(settings)
    async with AsyncExitStack() as stack:
        started = {
            child.name: await stack.enter_async_context(
                running(_command(child, profile), folder / f"{child.name}.log", "", {**environment, **child.env})
            )
            for child in children
        }
        await _until_ready(settings, started)
        app = _app(children)
        yield WholeDesk(
            url=settings.url,
            rasa_url=app["REDRESS_RASA_URL"],
            rasa_secret=app["REDRESS_RASA_SECRET"],
            rasa_database=settings.data_dir / "rasa" / "rasa.db",
            processes=started,
        )


@asynccontextmanager
async def chatting(desk: WholeDesk, language: str = "en") -> AsyncIterator[Chat]:
    """A new visitor."""
    async with httpx.AsyncClient(trust_env=False) as http:
        session = (await http.post(f"{desk.url}/chat/session", json={})).json()
    address = desk.url.replace("http", "ws", 1) + "/chat/ws"
    hello = {"type": "hello", "version": 1, "after": 0, "language": language}
    async with connect(address, max_size=2**21) as socket:
        await socket.send(json.dumps({**hello, "session": session["session"], "secret": session["secret"]}))
        welcome = json.loads(await socket.recv())
        if welcome["type"] != "welcome":
            raise AssertionError(f"the desk does not welcome a visitor: {welcome}")
        yield Chat(socket, session["session"])


def _environment(folder: Path) -> Mapping[str, str]:
    """No settings file, and no limit that one visitor who asks all the time would meet."""
    values = {
        "CONFIG": os.devnull,
        "DATA_DIR": str(folder / "data"),
        "HTTP_PORT": str(free_port()),
        "SMTP_PORT": str(free_port()),
        "SITE_PORT": str(free_port()),
        "ADMIN_PASSWORD": "the password of the benchmark",
        "CHANNEL__WEBCHAT__MESSAGES_PER_MINUTE": "100000",
        "CHANNEL__WEBCHAT__FRAMES_PER_MINUTE": "100000",
    }
    return {f"REDRESS_{name}": value for name, value in values.items()}


def _command(child: Child, profile: Path | None) -> Sequence[str]:
    if child.name != "app" or profile is None:
        return child.command
    python, *arguments = child.command
    return [python, "-m", "pyinstrument", "--show-all", "-r", "text", "-o", str(profile), *arguments]


def _app(children: list[Child]) -> Mapping[str, str]:
    return next(child.env for child in children if child.name == "app")


async def _until_ready(settings: Settings, started: Mapping[str, Running]) -> None:
    async with asyncio.timeout(READY_SECONDS), httpx.AsyncClient(trust_env=False, timeout=5) as http:
        while True:
            for name, one in started.items():
                if one.process.returncode is not None:
                    raise Missing(f"{name} did not start: {one.log.read_text(errors='replace')[-300:]}")
            try:
                if not (await http.get(f"{settings.url}/readyz")).json()["degraded"]:
                    return
            except (httpx.HTTPError, ValueError, KeyError):
                pass
            await asyncio.sleep(0.2)
