"""Live chat in the contract suite: clients that speak WebSocket and tus to a real web server."""

from __future__ import annotations

import json
import socket
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any, ClassVar, Self, cast, override
from uuid import uuid4

from websockets.exceptions import ConnectionClosed, InvalidStatus

from channels import webchat
from tests.contract.desk import ContractDesk
from tests.contract.peer import Delivery, Heard, Peer
from tests.fakes.web import Exchangeable
from tests.webchat.client import greeted, new_session, open_socket
from tests.webchat.desk import FakeDesk, RunningChat, serving
from tests.webchat.filing import Uploader, id_of

PERMANENT = (1008, 1009)
"""Close codes of RFC 6455: against the policy, too big."""
NOT_NOW = ("not_saved", "too_fast")


class WebchatPeer(Peer):
    channel_name = "webchat"
    max_file_bytes: ClassVar[int] = 100_000

    def __init__(self, desk: ContractDesk, port: int) -> None:
        super().__init__(desk)
        self._port = port
        self._app = Exchangeable()
        self._sessions: dict[int, dict[str, str]] = {}
        self._written: dict[str, tuple[int, dict[str, Any]]] = {}

    @classmethod
    @asynccontextmanager
    @override
    async def open(cls, desk: ContractDesk) -> AsyncIterator[Self]:
        listener = socket.create_server(("127.0.0.1", 0))
        peer = cls(desk, listener.getsockname()[1])
        await peer.restart()
        async with serving(cast(Any, peer._app), listener):
            yield peer
            await peer.channel.stop()
            await peer.channel.close()

    @override
    async def restart(self) -> None:
        settings = {"max_file_bytes": self.max_file_bytes, "min_free_disk_bytes": 0}
        context = self.desk.context("webchat", settings, public_url=self._chat.url)
        self.channel = self.desk.built(webchat.build(context))
        await self.channel.start()
        self._app.routes = self.channel.routes()
        self.stopped.clear()

    @override
    async def deliver(self, text: str, who: int = 1) -> Delivery:
        return await self._write(who, text=text)

    @override
    async def again(self, delivery: Delivery) -> Heard:
        who, frame = self._written[delivery.id]
        try:
            async with greeted(self._chat, await self._session(who)) as (client, _):
                await client.send(**frame)
                said = await client.next_of("stored", "error")
        except InvalidStatus:
            return Heard.LATER
        except ConnectionClosed as closed:
            return _closed(closed)
        if said["type"] == "stored":
            return Heard.STORED
        return Heard.LATER if said["code"] in NOT_NOW else Heard.REFUSED

    @override
    async def forge(self, text: str) -> Sequence[Heard]:
        """A session without its secret, with another's, one that we never gave out, and a page of a stranger."""
        mine, other = await self._session(1), await self._session(2)
        shown = [mine | {"secret": ""}, mine | {"secret": other["secret"]}, {"session": "made-up", "secret": "made-up"}]
        heard = [await self._intrude(session, text) for session in shown]
        heard.append(await self._intrude(mine, text, origin="https://stranger.example"))
        upload = await Uploader(self._chat, shown[1]).create("a.pdf", 10)
        return [*heard, Heard.REFUSED if upload.status_code in (401, 403) else Heard.STORED]

    @override
    async def too_large(self, text: str) -> Sequence[Heard]:
        """A text over the limit in characters, and a frame over the limit in bytes."""
        lengths = (self.channel.capabilities.max_characters + 1, 70_000)
        return [(await self._write(1, text=(text * (n // len(text) + 1))[:n])).heard for n in lengths]

    @override
    async def file(self, name: str, data: bytes) -> Delivery:
        uploader = Uploader(self._chat, await self._session(1))
        begun = await uploader.create(name, len(data))
        if begun.status_code != 201:
            return Delivery("", Heard.REFUSED)
        path = str(begun.headers["location"])
        assert (await uploader.patch(path, 0, data)).status_code == 204
        return await self._write(1, text="See the file.", files=[id_of(path)])

    @property
    def _chat(self) -> RunningChat:
        """What the clients need to know; they never look at its desk."""
        return RunningChat(cast(FakeDesk, None), cast(Any, None), self._port)

    async def _session(self, who: int) -> dict[str, str]:
        if who not in self._sessions:
            self._sessions[who] = await new_session(self._chat)
        return self._sessions[who]

    async def _write(self, who: int, **frame: Any) -> Delivery:
        name = uuid4().hex
        self._written[name] = (who, {"type": "message", "id": name, **frame})
        return Delivery(name, await self.again(Delivery(name, Heard.LATER)))

    async def _intrude(self, session: dict[str, str], text: str, origin: str | None = None) -> Heard:
        try:
            async with open_socket(self._chat, origin) as client:
                await client.send(type="hello", version=1, **session, after=0, language="en")
                await client.socket.send(json.dumps({"type": "message", "id": uuid4().hex, "text": text}))
                return _closed_with(await client.closed())
        except InvalidStatus as refused:
            return Heard.REFUSED if refused.response.status_code == 403 else Heard.LATER
        except ConnectionClosed as closed:
            return _closed(closed)


def _closed(closed: ConnectionClosed) -> Heard:
    return _closed_with(closed.rcvd.code if closed.rcvd else 1006)


def _closed_with(code: int) -> Heard:
    return Heard.REFUSED if code in PERMANENT else Heard.LATER
