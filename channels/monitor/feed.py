"""One feed, such as a search: pages come newest first, are gathered, stored oldest first; then the mark moves."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import timedelta

import structlog

from channels.faults import NotStored
from channels.monitor.faults import Fault, NotTaken
from channels.monitor.marks import Marks
from channels.monitor.pace import Pace, ServerClock
from channels.monitor.posts import Page, Post
from channels.monitor.receive import Receiver

LATE = timedelta(seconds=60)
"""A post may appear in a feed so long after others that are newer: every look begins that much before the mark."""
WINDOW_MARGIN = timedelta(minutes=2)
CHUNK = 100
"""Posts stored together before the mark moves."""
MOST_GATHERED = 30_000
"""Posts held in memory; beyond, the newest are let go, and the next look brings them."""
NOT_STORED_SECONDS = 5.0

log = structlog.get_logger()


@dataclass
class Sweep:
    """One look, which may take many pages and wait for quota in between."""

    since: int
    began: int
    """The server's time at the beginning, as a position."""
    token: str | None = None
    found: dict[str, Post] = field(default_factory=dict)
    cut: bool = False
    """Newer posts were let go."""
    unreached: int = 0
    """Before this position the network gave nothing, though it was asked for more."""

    def in_order(self) -> list[Post]:
        return sorted(self.found.values(), key=lambda post: (post.position, post.id))


@dataclass
class Gathered:
    posts: list[Post]
    mark: int
    """Where the feed stands when all of them are stored."""


class Feed:
    def __init__(
        self,
        ask: Callable[[int, str | None], Awaitable[Page]],
        pace: Pace,
        marks: Marks,
        receiver: Receiver,
        clock: ServerClock,
        first: timedelta,
        window: timedelta | None = None,
        late: timedelta = LATE,
    ) -> None:
        """`ask` fetches a page of what is newer than a position and raises Fault. `first`: how far back the very first
        look goes. `window`: how far back the feed reaches at all. `late`: how much before its mark a look begins."""
        self.name = pace.name
        self.pace = pace
        self._ask = ask
        self._marks = marks
        self._receiver = receiver
        self._clock = clock
        self._first = first
        self._window = window
        self._late = late
        self._sweep: Sweep | None = None
        self._gathered: Gathered | None = None
        self._store_due = 0.0
        self._storing: asyncio.Future[None] | None = None

    @property
    def due(self) -> float:
        """What is gathered is stored without regard to the network's quota."""
        return self._store_due if self._gathered is not None else self.pace.due

    async def step(self) -> None:
        """Fetches a page, or stores what is gathered. No fault leaves it."""
        try:
            if self._gathered is None:
                await self._look()
            if self._gathered is not None:
                await self._store(self._gathered)
                self._gathered = None
        except Fault as fault:
            log.warning("feed_not_heard", channel=self._receiver.channel, feed=self.name, fault=fault.name)
            if isinstance(fault, NotTaken):
                self._sweep = None  # a token may have expired, or the window has moved on
            self.pace.failed(fault)
        except (NotStored, OSError) as fault:
            log.warning("feed_not_stored", channel=self._receiver.channel, feed=self.name, fault=type(fault).__name__)
            seconds = getattr(fault, "after_seconds", None) or NOT_STORED_SECONDS
            self._store_due = self._clock.monotonic() + seconds
            if self._gathered is None:  # the mark of the first look could not be written
                self.pace.due = max(self.pace.due, self._store_due)

    async def finish(self) -> None:
        """Waits for what is just being stored."""
        if self._storing is not None:
            await asyncio.wait([self._storing])  # which, unlike gather, cancels nothing when it is given up

    async def _look(self) -> None:
        """Raises Fault or OSError."""
        sweep = self._sweep = self._sweep or await self._begin()
        page = await self._ask(sweep.since, sweep.token)
        self._clock.heard(page.at)
        if page.odd:
            self._receiver.refused["unreadable"] += page.odd
        sweep.found.update((post.id, post) for post in page.posts)
        if len(sweep.found) > MOST_GATHERED:
            sweep.cut = True
            sweep.found = {post.id: post for post in sweep.in_order()[:MOST_GATHERED]}
        if page.unreached is not None:
            sweep.unreached = max(sweep.unreached, page.unreached)
        again = page.token is not None and page.token == sweep.token
        sweep.token = None if again else page.token
        self.pace.answered(page.quota, more=sweep.token is not None or sweep.cut)
        if sweep.token is None:
            await self._unreached(sweep)
            self._gathered, self._sweep = _gathered(sweep), None

    async def _begin(self) -> Sweep:
        now, scale = self._clock(), self._marks.scale
        mark = self._marks.get(self.name)
        if mark is None:
            mark = scale.at(now - self._first)
            await self._marks.move(self.name, mark)
        since = scale.at(scale.time(mark) - self._late)
        if self._window is not None:
            floor = scale.at(now - self._window + WINDOW_MARGIN)
            if mark < floor:
                await self._marks.missing(self.name, mark, floor)
                await self._marks.move(self.name, floor)
            since = max(since, floor)
        return Sweep(since=since, began=scale.at(now))

    async def _unreached(self, sweep: Sweep) -> None:
        """What lies between the mark and the oldest post that was to be had is missing."""
        mark = self._marks.get(self.name)
        if mark is not None and sweep.unreached > mark:
            await self._marks.missing(self.name, mark, sweep.unreached)
            await self._marks.move(self.name, sweep.unreached)

    async def _store(self, gathered: Gathered) -> None:
        """Raises NotStored or OSError; what is left stays gathered."""
        while gathered.posts:
            chunk = gathered.posts[:CHUNK]
            # What has begun is finished, also when the loop is being stopped.
            self._storing = asyncio.ensure_future(self._receiver.take(chunk, self.name))
            await asyncio.shield(self._storing)
            await self._marks.move(self.name, min(chunk[-1].position, self._now()))
            del gathered.posts[:CHUNK]
        await self._marks.move(self.name, min(gathered.mark, self._now()), quiet=True)

    def _now(self) -> int:
        """A post that says it is of the future does not take the mark there."""
        return self._marks.scale.at(self._clock())


def _gathered(sweep: Sweep) -> Gathered:
    posts = sweep.in_order()
    newest = posts[-1].position if posts else 0
    return Gathered(posts, newest if sweep.cut else max(newest, sweep.began))
