"""A client of the chat's uploads, as a native app would write it: plain HTTP by the tus protocol, nothing of ours."""

from __future__ import annotations

import base64
from collections.abc import AsyncGenerator, AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx

from bot.clock import Clock
from bot.files import Files
from bot.store.store import Store
from bot.uploads import ChannelUploads
from tests.webchat.client import new_session
from tests.webchat.desk import FakeDesk, RunningChat, running_chat

OFFSET_STREAM = "application/offset+octet-stream"


class FileDesk:
    """A chat whose uploads are the real ones, over a real database and a folder."""

    def __init__(self, chat: RunningChat, folder: Path, store: Store) -> None:
        self.chat = chat
        self.store = store
        self.uploads = folder / "uploads"
        self.evidence = Files(folder / "evidence")

    async def uploader(self) -> Uploader:
        return Uploader(self.chat, await new_session(self.chat))


@asynccontextmanager
async def file_desk(
    store: Store,
    clock: Clock,
    folder: Path,
    *,
    desk: FakeDesk | None = None,
    port: int = 0,
    scanning: bool = False,
    **settings: Any,
) -> AsyncGenerator[FileDesk]:
    desk = desk or FakeDesk()
    evidence = Files(folder / "evidence")
    desk.uploads = ChannelUploads("webchat", store, folder / "uploads", evidence, clock, scanning=scanning)
    async with running_chat(settings, desk=desk, port=port) as chat:
        yield FileDesk(chat, folder, store)


class Uploader:
    def __init__(self, chat: RunningChat, session: dict[str, str]) -> None:
        self.url = chat.url
        self.session = session
        self.authorization = f"Bearer {session['session']}.{session['secret']}"

    async def ask(
        self,
        method: str,
        path: str,
        headers: Mapping[str, str] | None = None,
        content: bytes | AsyncIterator[bytes] | None = None,
    ) -> httpx.Response:
        always = {"Authorization": self.authorization, "Tus-Resumable": "1.0.0"}
        async with httpx.AsyncClient(base_url=self.url, timeout=60) as client:
            return await client.request(method, path, headers={**always, **(headers or {})}, content=content)

    async def create(self, name: str, size: int) -> httpx.Response:
        encoded = base64.b64encode(name.encode()).decode()
        headers = {"Upload-Length": str(size), "Upload-Metadata": f"filename {encoded},filetype dGV4dC9odG1s"}
        return await self.ask("POST", "/chat/files", headers)

    async def patch(self, path: str, offset: int, content: bytes | AsyncIterator[bytes]) -> httpx.Response:
        return await self.ask("PATCH", path, {"Upload-Offset": str(offset), "Content-Type": OFFSET_STREAM}, content)

    async def offset(self, path: str) -> int:
        answer = await self.ask("HEAD", path)
        assert answer.status_code == 200, answer.status_code
        return int(answer.headers["upload-offset"])

    async def upload(self, name: str, data: bytes) -> str:
        """All of it at once; the path."""
        path = str((await self.create(name, len(data))).headers["location"])
        assert (await self.patch(path, 0, data)).status_code == 204
        return path


def id_of(path: str) -> str:
    return path.rpartition("/")[2]
