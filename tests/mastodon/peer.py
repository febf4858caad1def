"""Mastodon in the contract suite: a server whose feeds are looked at."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import ClassVar, Self, override

from channels.mastodon.channel import MastodonChannel
from channels.mastodon.settings import check
from channels.monitor.pace import ServerClock
from tests.contract.desk import ContractDesk
from tests.contract.peer import Delivery, Heard
from tests.fakes.desk import PUBLIC_URL
from tests.mastodon.mastodon_api import ACCOUNT, TOKEN, MastodonApi
from tests.monitor.harness import Time
from tests.monitor.media import MediaHost
from tests.monitor.network import Fault
from tests.monitor.peer import AGAIN_SECONDS, POLL_SECONDS, WatchingPeer

HASHTAG = "DemoExchangeHelp"
FEEDS = ("mentions", "hashtags")


class MastodonPeer(WatchingPeer):
    channel_name = "mastodon"
    cap: ClassVar[int] = 4
    max_file_bytes = 50_000

    def __init__(self, desk: ContractDesk, time: Time, api: MastodonApi, host: MediaHost) -> None:
        super().__init__(desk, time)
        self._host = host
        self._api = api

    @classmethod
    @asynccontextmanager
    @override
    async def open(cls, desk: ContractDesk) -> AsyncIterator[Self]:
        time = Time()
        async with MastodonApi(now=time.wall).running() as api, MediaHost().running() as host:
            peer = cls(desk, time, api, host)
            await peer.restart()
            yield peer
            await peer.channel.stop()
            await peer.channel.close()

    @override
    def build(self) -> MastodonChannel:
        section = {
            "access_token": TOKEN,
            "base_url": self._api.url,
            "hashtags": [HASHTAG],
            "request_seconds": 5,
            "poll_seconds": POLL_SECONDS,
            "messages_per_minute": self.cap,
            "files_per_hour": self.cap - 1,
            "look_again_minutes": AGAIN_SECONDS // 60,
            "media_origins": [self._host.url],
            "max_media_bytes": self.max_file_bytes,
        }
        context = self.desk.context("mastodon", section, public_url=PUBLIC_URL)
        clock = ServerClock(self.time.monotonic, self.time.wall)
        return MastodonChannel(context, check(section, PUBLIC_URL), clock, self.time.sleep)

    @override
    def say(self, text: str, who: int, ago: float) -> str:
        return self._api.say(f"@{ACCOUNT['username']} {text}", author=1000 + who, ago=ago)

    @override
    async def own(self, text: str) -> None:
        """Nobody is told of their own posts, but they show below a hashtag."""
        self._api.say(f"{text} #{HASHTAG}", author=int(ACCOUNT["id"]))
        await self.skipped("own")

    @override
    async def automatic(self, text: str) -> None:
        robot = 1900
        name = f"robot{robot}"
        self._api.accounts[str(robot)] = {
            "id": str(robot),
            "username": name,
            "acct": f"{name}@far.example",
            "bot": True,
        }
        assert (await self.deliver(text, who=robot - 1000)).heard is Heard.STORED

    @override
    async def edit(self, delivery: Delivery, text: str) -> Heard:
        await self.whole_second()
        self._api.edit(delivery.id, f"@{ACCOUNT['username']} {text}")
        return await self.heard(delivery.id)

    @override
    async def delete(self, delivery: Delivery) -> Heard:
        self._api.delete(delivery.id)
        return await self.looked_again()

    @override
    async def file(self, name: str, data: bytes) -> Delivery:
        await self.whole_second()
        self._host.files[name] = data
        item = {"id": "1", "type": "unknown", "url": f"{self._host.url}/{name}"}
        post_id = self._api.say(f"@{ACCOUNT['username']} look", author=1001, media_attachments=[item])
        return Delivery(post_id, await self.heard(post_id))

    @override
    def sent(self) -> list[str]:
        return [reply["text"] for reply in self._api.posted]

    @override
    async def refuse_next(self, seconds: float) -> None:
        self._api.fail_next["post"] = [Fault(code=429, reset_in=seconds)]

    @override
    async def fall_silent(self) -> None:
        self._api.fail_next["post"] = [Fault(code=503, done=True)]

    @override
    async def go_down(self) -> None:
        self._api.fail_next |= {feed: [Fault(code=503)] * 100 for feed in FEEDS}
        await self.time.run(600)

    @override
    async def come_back(self) -> None:
        self._api.fail_next.clear()
        await super().come_back()
