"""The phone desk in the contract suite: an agent who keys in, as the console's page does it through the recorder."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import ClassVar, Self, override
from uuid import uuid4

from channels import phone_desk
from channels.faults import NotStored
from channels.live_contract import UploadRefused
from channels.record_contract import Arrived, KeyedIn, Recorder, Way
from tests.contract.desk import ContractDesk
from tests.contract.peer import Delivery, Heard, Peer


@dataclass(frozen=True, kw_only=True)
class Call:
    told: KeyedIn
    upload_ids: Sequence[str] = ()


class PhoneDeskPeer(Peer):
    """A call is a conversation of its own. Who may key in, and how much, is the console's affair (`tested_by`)."""

    channel_name = "phone_desk"
    max_file_bytes: ClassVar[int] = 100_000

    def __init__(self, desk: ContractDesk) -> None:
        super().__init__(desk)
        self._calls: dict[str, Call] = {}
        """By the key of the form in which they were keyed in."""

    @classmethod
    @asynccontextmanager
    @override
    async def open(cls, desk: ContractDesk) -> AsyncIterator[Self]:
        peer = cls(desk)
        await peer.restart()
        yield peer
        await peer.channel.stop()
        await peer.channel.close()

    @override
    async def restart(self) -> None:
        settings = {"max_file_bytes": self.max_file_bytes, "min_free_disk_bytes": 0}
        self.channel = self.desk.built(phone_desk.build(self.desk.context("phone_desk", settings)))
        await self.channel.start()
        self.stopped.clear()

    @override
    async def deliver(self, text: str, who: int = 1) -> Delivery:
        return await self._key_in(uuid4().hex, Call(told=self._told(text, who)))

    @override
    async def again(self, delivery: Delivery) -> Heard:
        call = self._calls[delivery.id]
        try:
            await self._recorder.record(delivery.id, call.told, call.upload_ids)
        except UploadRefused:
            return Heard.REFUSED
        except (NotStored, RuntimeError):
            return Heard.LATER
        return Heard.STORED

    @override
    async def too_large(self, text: str) -> Sequence[Heard]:
        """A file that says how large it is, and one that is larger than it says."""
        data = text.encode() * self.max_file_bytes
        return [await self._kept(data, len(data)), await self._kept(data, len(text))]

    @override
    async def file(self, name: str, data: bytes) -> Delivery:
        key = uuid4().hex
        try:
            kept = await self._recorder.keep(key, name, len(data), _pieces(data))
        except UploadRefused:
            return Delivery(key, Heard.REFUSED)
        return await self._key_in(key, Call(told=self._told("Hear the recording.", 1), upload_ids=[kept.id]))

    @property
    def _recorder(self) -> Recorder:
        recorder = self.channel.recorder()
        assert recorder is not None
        return recorder

    def _told(self, text: str, who: int) -> KeyedIn:
        return KeyedIn(
            arrived=Arrived.CALL,
            at=self.desk.clock(),
            words=text,
            language="en",
            label="unclassified",
            way=Way.TOLD,
            taken_by="Li Wei",
            keyed_in_by="agent:1",
            phone=f"+852 5555 010{who}",
        )

    async def _key_in(self, key: str, call: Call) -> Delivery:
        self._calls[key] = call
        return Delivery(key, await self.again(Delivery(key, Heard.LATER)))

    async def _kept(self, data: bytes, size: int) -> Heard:
        try:
            await self._recorder.keep(uuid4().hex, "film.mp4", size, _pieces(data))
        except UploadRefused:
            return Heard.REFUSED
        return Heard.STORED


async def _pieces(data: bytes) -> AsyncIterator[bytes]:
    yield data
