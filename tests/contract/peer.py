"""The other side of one channel, as the contract suite drives it: how to add a channel to the suite.

Write `tests/<channel>/peer.py` with a subclass of `Peer` per way in which the channel receives (most have one). It
brings up the fake server, builds the channel against the desk that it is given and starts it. Three methods must be
there: `open`, `deliver` and `again`. Every other one is an ability: define it, and the suite tests the rows of
`checklist.yml` that need it (`tests/contract/rows.py` says which); leave it out where the channel has none. A row that
says `done` must be tested: by an ability, or by the test that its `tested_by` names.
"""

from __future__ import annotations

import asyncio
from abc import ABC, abstractmethod
from collections.abc import Coroutine, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from typing import Any, ClassVar, Self

from channels.contract import Channel
from tests.contract.desk import ContractDesk


class Heard(StrEnum):
    """What the peer was told of a message."""

    STORED = "stored"
    """It may forget the message: 250, 200, the next offset, a mark that has moved."""
    LATER = "later"
    """A temporary failure, or no answer yet: it will come again."""
    REFUSED = "refused"
    """A permanent one: it will not."""


@dataclass(frozen=True)
class Delivery:
    """One message that the peer handed over."""

    id: str
    """The peer's own name of it, for `again`, `edit` and `delete`."""
    heard: Heard


class Unsupported(Exception):
    """The suite asked for an ability that this peer does not define."""


class Peer(ABC):
    """A real fake server, and a started channel between it and `desk`."""

    channel_name: ClassVar[str]
    """The folder of the channel."""
    way: ClassVar[str] = ""
    """Which way of receiving, where the channel has several."""
    lacks: ClassVar[Mapping[str, str]] = {}
    """Abilities that another way of the same channel has and this one cannot have, each with the reason."""
    stop_seconds: ClassVar[float] = 5.5
    """How long `stop` may take: the desk waits no longer (`bot/serve.py`)."""
    max_file_bytes: ClassVar[int] = 0
    """The largest file that the channel of this peer takes; set it with `file`."""
    cap: ClassVar[int] = 0
    """Messages of one person within a minute about which the bot is asked, where the channel has `Capabilities.caps`;
    set both that low. Where it fetches files, their cap is one less."""
    reach: ClassVar[timedelta | None] = None
    """How far back the channel can read what it missed; None: as far as it likes. For `outage`."""

    def __init__(self, desk: ContractDesk) -> None:
        self.desk = desk
        self.channel: Channel
        self.stopped = asyncio.Event()
        """Set by `stop`, cleared by `restart`."""

    @classmethod
    @abstractmethod
    def open(cls, desk: ContractDesk) -> AbstractAsyncContextManager[Self]:
        """The server is up and the channel started and listening; at the end both are gone."""

    @abstractmethod
    async def deliver(self, text: str, who: int = 1) -> Delivery:
        """Person number `who` says something new, to us and in a private talk where there is one. Returns when the
        peer has heard STORED, LATER or REFUSED; for a channel that fetches: when it has looked, and stored or failed.
        On a channel that is stopped, LATER."""

    @abstractmethod
    async def again(self, delivery: Delivery) -> Heard:
        """The very same message once more, as the peer repeats one whose answer it lost or that failed before."""

    async def stop(self) -> None:
        """As the desk stops it. Nobody waits any longer for a channel that fetches."""
        await self.channel.stop()
        self.stopped.set()

    async def restart(self) -> None:
        """After `stop`: another channel over the same settings, folder and desk, started and listening."""
        raise Unsupported("restart")

    # What strangers and machines do.

    async def forge(self, text: str) -> Sequence[Heard]:
        """Everybody who may not: a wrong, missing or empty secret, a bad signature, a foreign origin."""
        raise Unsupported("forge")

    async def too_large(self, text: str) -> Sequence[Heard]:
        """More than the channel takes, in each place where it has a limit; `text` is a part of it."""
        raise Unsupported("too_large")

    async def flood(self, text: str) -> Sequence[Heard]:
        """One person sends more within a moment than the channel lets in."""
        raise Unsupported("flood")

    async def own(self, text: str) -> None:
        """What we ourselves sent comes back. Returns when the channel has stored or skipped it."""
        raise Unsupported("own")

    async def automatic(self, text: str) -> None:
        """A machine writes: an absence note, another bot, a repost. Returns likewise."""
        raise Unsupported("automatic")

    # What people do besides writing.

    async def edit(self, delivery: Delivery, text: str) -> Heard:
        """The person changes what they wrote."""
        raise Unsupported("edit")

    async def delete(self, delivery: Delivery) -> Heard:
        """The person takes back what they wrote."""
        raise Unsupported("delete")

    async def file(self, name: str, data: bytes) -> Delivery:
        """A message with one file."""
        raise Unsupported("file")

    # What goes out.

    def sent(self) -> list[str]:
        """What has reached the peer from us since the start, oldest first."""
        raise Unsupported("sent")

    def waited(self) -> float:
        """Seconds for which the channel held back its own words, where it waits by itself."""
        return 0.0

    async def refuse_next(self, seconds: float) -> None:
        """The next message of ours is not taken, and the peer names this time."""
        raise Unsupported("refuse_next")

    async def fall_silent(self) -> None:
        """The next message of ours is taken, but its confirmation never comes."""
        raise Unsupported("fall_silent")

    async def pass_time(self, seconds: float) -> None:
        """So much time goes by for the channel; nothing to do where it does not look at a clock."""
        return

    # What happens to servers.

    async def go_down(self) -> None:
        """The peer cannot be used. Returns when the channel has had the chance to notice."""
        raise Unsupported("go_down")

    async def come_back(self) -> None:
        """It can be used again; returns likewise."""
        raise Unsupported("come_back")

    async def outage(self, away: timedelta, texts: Sequence[str]) -> None:
        """The desk is down for so long, and meanwhile, the first in the beginning and the last near the end, people
        write `texts`; then it is up again. Returns when the channel has caught up."""
        raise Unsupported("outage")

    async def first_of(self, *waits: Coroutine[Any, Any, object]) -> None:
        """Until one of them ends, or the channel is stopped. Raises what the first raised."""
        tasks = [asyncio.create_task(wait) for wait in (*waits, self.stopped.wait())]
        done, left = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        for task in left:
            task.cancel()
        await asyncio.gather(*left, return_exceptions=True)
        for task in done:
            task.result()


def can(peer: type[Peer], ability: str) -> bool:
    """Whether this peer defines the ability itself."""
    return getattr(peer, ability) is not getattr(Peer, ability)
