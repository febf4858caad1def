"""A channel that looks at feeds, in the contract suite: time goes by only when the suite moves it."""

from __future__ import annotations

import math
from abc import abstractmethod
from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path
from typing import ClassVar, override

from channels.contract import Channel
from channels.monitor.durable import read_json
from channels.monitor.positions import MICROSECONDS
from tests.contract.desk import ContractDesk
from tests.contract.peer import Delivery, Heard, Peer
from tests.monitor.harness import Time

POLL_SECONDS = 60
AGAIN_SECONDS = 300
PATIENCE_SECONDS = 1800.0
"""Longer than any pause that a channel makes after faults."""


class WatchingPeer(Peer):
    """Everything but the network's own shapes and the calls that answer."""

    feed: ClassVar[str] = "mentions"
    """Which brings what the suite delivers."""

    def __init__(self, desk: ContractDesk, time: Time) -> None:
        super().__init__(desk)
        self.time = time
        self._positions: dict[str, int] = {}

    @abstractmethod
    def build(self) -> Channel:
        """The channel, over `desk` and `time`."""

    @abstractmethod
    def say(self, text: str, who: int, ago: float) -> str:
        """Person number `who` wrote to us `ago` seconds ago. Returns the peer's name of it."""

    @override
    async def restart(self) -> None:
        self.channel = self.desk.built(self.build())
        self.time.stopped()
        await self.channel.start()
        self.stopped.clear()
        await self.time.run(1)

    @override
    async def deliver(self, text: str, who: int = 1) -> Delivery:
        await self.whole_second()
        name = self.say(text, who, ago=0)
        return Delivery(name, await self.heard(name))

    @override
    async def again(self, delivery: Delivery) -> Heard:
        """What a mark has passed is seen again only by a desk that has lost its marks."""
        if self.passed(delivery.id):
            await self.channel.stop()
            await self.channel.close()
            self._marks.unlink()
            self.forget(delivery.id)
            await self.restart()
        while not self.passed(delivery.id):
            await self.time.run(POLL_SECONDS)
        return Heard.STORED

    @override
    async def pass_time(self, seconds: float) -> None:
        await self.time.run(seconds)

    @override
    async def come_back(self) -> None:
        until = self.time.seconds + PATIENCE_SECONDS
        while self.channel.deaf() or self.channel.trouble():
            assert self.time.seconds < until
            await self.time.run(POLL_SECONDS)

    @override
    async def outage(self, away: timedelta, texts: Sequence[str]) -> None:
        await self.channel.stop()
        await self.channel.close()
        await self.time.skip(away.total_seconds())
        for number, text in enumerate(texts):
            self.say(text, 1, ago=away.total_seconds() * (len(texts) - number) / (len(texts) + 1))
        await self.restart()
        await self.time.run(2 * POLL_SECONDS)

    async def looked_again(self) -> Heard:
        """Time goes by until the channel has looked again at every post."""
        before = len(await self.desk.rows())
        await self.time.run(2 * AGAIN_SECONDS)
        return Heard.STORED if len(await self.desk.rows()) > before else Heard.LATER

    async def skipped(self, reason: str) -> None:
        """Time goes by until the channel has seen something that it does not store."""
        until = self.time.seconds + PATIENCE_SECONDS
        while not self.channel.figures().refused.get(reason):
            assert self.time.seconds < until
            await self.time.run(POLL_SECONDS)

    async def whole_second(self) -> None:
        """Servers tell the time in seconds, and no mark moves beyond it. Later than whatever was looked at before."""
        if not self.stopped.is_set():
            await self.time.run(math.floor(self.time.seconds) + 1 - self.time.seconds)

    async def heard(self, name: str) -> Heard:
        """Time goes by until the mark has passed it, or an attempt to store it has failed."""
        self._positions[name] = MICROSECONDS.at(self.time.wall())
        before = self.desk.attempts, self.desk.failures
        while not (self.stopped.is_set() or self.passed(name) or self.desk.ended_badly_since(*before)):
            await self.first_of(self.time.run(1))
        return Heard.STORED if self.passed(name) else Heard.LATER

    def forget(self, name: str) -> None:
        """The marks are gone."""

    def passed(self, name: str) -> bool:
        mark = read_json(self._marks).get("feeds", {}).get(self.feed, "0")
        return int(mark) >= self._positions[name]

    @property
    def _marks(self) -> Path:
        return self.desk.folder / self.channel_name / "feeds.json"
