"""Bluesky in the contract suite: a server whose feeds are looked at."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import ClassVar, Self, override

from channels.bluesky.channel import BlueskyChannel
from channels.bluesky.settings import check
from channels.monitor.pace import ServerClock
from tests.bluesky.pds_api import HANDLE, PASSWORD, Pds, did_of
from tests.contract.desk import ContractDesk
from tests.contract.peer import Delivery, Heard
from tests.fakes.desk import PUBLIC_URL
from tests.monitor.harness import Time
from tests.monitor.network import Fault
from tests.monitor.peer import AGAIN_SECONDS, POLL_SECONDS, WatchingPeer

KEYWORD = "demo withdrawals"
FEEDS = ("mentions", "search")
OURSELVES = 0


class BlueskyPeer(WatchingPeer):
    channel_name = "bluesky"
    cap: ClassVar[int] = 4

    def __init__(self, desk: ContractDesk, time: Time, pds: Pds) -> None:
        super().__init__(desk, time)
        self._pds = pds

    @classmethod
    @asynccontextmanager
    @override
    async def open(cls, desk: ContractDesk) -> AsyncIterator[Self]:
        time = Time()
        async with Pds(now=time.wall).running() as pds:
            peer = cls(desk, time, pds)
            await peer.restart()
            yield peer
            await peer.channel.stop()
            await peer.channel.close()

    @override
    def build(self) -> BlueskyChannel:
        section = {
            "handle": HANDLE,
            "app_password": PASSWORD,
            "service": self._pds.url,
            "keywords": [KEYWORD],
            "request_seconds": 5,
            "poll_seconds": POLL_SECONDS,
            "messages_per_minute": self.cap,
            "files_per_hour": self.cap - 1,
            "look_again_minutes": AGAIN_SECONDS // 60,
        }
        context = self.desk.context("bluesky", section, public_url=PUBLIC_URL)
        clock = ServerClock(self.time.monotonic, self.time.wall)
        return BlueskyChannel(context, check(section, PUBLIC_URL), clock, self.time.sleep)

    @override
    def say(self, text: str, who: int, ago: float) -> str:
        return self._pds.say(f"@{HANDLE} {text}", author=1000 + who, ago=ago)

    @override
    async def own(self, text: str) -> None:
        """Nobody is told of their own posts, but a search finds them."""
        self._pds.say(f"{text} {KEYWORD}", author=OURSELVES)
        await self.skipped("own")

    @override
    async def automatic(self, text: str) -> None:
        did = did_of(1900)
        labels = [{"src": did, "uri": did, "val": "bot"}]
        self._pds.authors[did] = {"did": did, "handle": "robot.bsky.social", "labels": labels}
        assert (await self.deliver(text, who=900)).heard is Heard.STORED

    @override
    async def edit(self, delivery: Delivery, text: str) -> Heard:
        self._pds.edit(delivery.id, f"@{HANDLE} {text}")
        return await self.looked_again()

    @override
    async def delete(self, delivery: Delivery) -> Heard:
        self._pds.forget(delivery.id)
        return await self.looked_again()

    @override
    def sent(self) -> list[str]:
        return [reply["text"] for reply in self._pds.posted]

    @override
    async def refuse_next(self, seconds: float) -> None:
        self._pds.fail_next["post"] = [Fault(code=429, reset_in=seconds)]

    @override
    async def fall_silent(self) -> None:
        self._pds.fail_next["post"] = [Fault(code=503, done=True)]

    @override
    async def go_down(self) -> None:
        self._pds.fail_next |= {feed: [Fault(code=503)] * 100 for feed in FEEDS}
        await self.time.run(600)

    @override
    async def come_back(self) -> None:
        self._pds.fail_next.clear()
        await super().come_back()
