"""A pager in the contract suite. The test of the drop-in puts it where the suite looks for it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from importlib import import_module
from typing import Any, Self, override

from tests.contract.desk import ContractDesk
from tests.contract.peer import Delivery, Heard, Peer

SECRET = "a secret of all pagers"
HEARD = {b"OK\n": Heard.STORED, b"LATER\n": Heard.LATER, b"BYE\n": Heard.REFUSED}


class PagerPeer(Peer):
    channel_name = "pager"

    def __init__(self, desk: ContractDesk) -> None:
        super().__init__(desk)
        self._written: dict[str, tuple[int, str]] = {}

    @classmethod
    @asynccontextmanager
    @override
    async def open(cls, desk: ContractDesk) -> AsyncIterator[Self]:
        peer = cls(desk)
        context = desk.context("pager", {"port": 0, "secret": SECRET})
        peer.channel = desk.built(import_module("channels.pager").build(context))
        await peer.channel.start()
        yield peer
        await peer.channel.stop()
        await peer.channel.close()

    @override
    async def deliver(self, text: str, who: int = 1) -> Delivery:
        name = str(len(self._written) + 1)
        self._written[name] = (who, text)
        return Delivery(name, await self.again(Delivery(name, Heard.LATER)))

    @override
    async def again(self, delivery: Delivery) -> Heard:
        who, text = self._written[delivery.id]
        return await self._page(f"{who}", SECRET, f"PAGE {delivery.id} {text}")

    @override
    async def forge(self, text: str) -> Sequence[Heard]:
        return [await self._page("1", secret, f"PAGE 9 {text}") for secret in ("wrong", SECRET[:-1], SECRET + "x")]

    @override
    async def too_large(self, text: str) -> Sequence[Heard]:
        return [await self._page("1", SECRET, f"PAGE 9 {text * 1000}")]

    async def _page(self, number: str, secret: str, line: str) -> Heard:
        address: Any = getattr(self.channel, "address")  # noqa: B009 - of a class that is not there for the type checker
        reader, writer = await asyncio.open_connection(*address)
        writer.write(f"HELLO {number} {secret}\n{line}\n".encode())
        said = await asyncio.wait_for(reader.readline(), 10)
        writer.close()
        return HEARD.get(said, Heard.LATER)
