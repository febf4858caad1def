"""The loop behind the filtered stream: each post is stored before the next is read; after a break, again."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager
from typing import Any

import structlog

from channels.faults import NotStored
from channels.monitor.answers import Quota
from channels.monitor.faults import Fault, Unclear
from channels.monitor.pace import Pace, ServerClock
from channels.monitor.parts import entries, part
from channels.monitor.posts import Post
from channels.monitor.receive import Receiver
from channels.twitter.breaks import Ended, Full

STREAM = "stream"
"""The name of this way of receiving, beside those of the feeds."""
LONGEST_BREAK_SECONDS = 300.0

log = structlog.get_logger()


class Streaming:
    def __init__(
        self,
        lines: Callable[[], AbstractAsyncContextManager[AsyncIterator[bytes]]],
        rules: Callable[[], Awaitable[frozenset[str]]],
        post_of: Callable[[Any, Any], Post | None],
        receiver: Receiver,
        pace: Pace,
        changed: Callable[[bool], None],
        clock: ServerClock,
        sleep: Callable[[float], Awaitable[object]] = asyncio.sleep,
    ) -> None:
        """`lines` connects, `rules` makes our rules be right and returns their ids; both raise Fault. `post_of` makes a
        post of an entry and what stands beside it. `changed` is told when the stream comes up and when it breaks."""
        self._lines = lines
        self._rules = rules
        self._post_of = post_of
        self._receiver = receiver
        self._pace = pace
        self._changed = changed
        self._clock = clock
        self._sleep = sleep
        self._ours: frozenset[str] | None = None
        self._up = False
        self._storing: asyncio.Future[None] | None = None

    async def run(self) -> None:
        """Until cancelled. No fault ends it."""
        while True:
            await self._connected()
            await self._sleep(max(0.0, self._pace.due - self._clock.monotonic()))

    async def finish(self, seconds: float) -> None:
        """Waits so long for what is just being stored."""
        if self._storing is not None:
            _, left = await asyncio.wait([self._storing], timeout=seconds)
            if left:
                log.warning("stop_incomplete", channel=self._receiver.channel)

    async def _connected(self) -> None:
        """From the connection to its end, whatever ends it."""
        try:
            if self._ours is None:
                self._ours = await self._rules()
            async with self._lines() as lines:
                async for line in lines:
                    await self._heard(line)
            raise Ended
        except Fault as fault:
            self._broke(fault)
        except Exception as error:  # a bug must not end the listening
            log.error("stream_broke", channel=self._receiver.channel, fault=type(error).__name__, exc_info=error)
            self._broke(Unclear())
        finally:
            self._turn(up=False)

    def _broke(self, fault: Fault) -> None:
        log.warning("feed_not_heard", channel=self._receiver.channel, feed=STREAM, fault=fault.name)
        self._pace.failed(fault)
        if isinstance(fault, Full) and fault.after_seconds:
            self._pace.due = max(self._pace.due, self._clock.monotonic() + fault.after_seconds)

    async def _heard(self, line: bytes) -> None:
        """Raises Fault."""
        told = _told(line) if line else {}
        if told is None:
            self._receiver.refused["unreadable"] += 1
            return
        if line and "data" not in told:
            raise Ended
        if line:
            await self._take(told)
        self._turn(up=True)

    async def _take(self, told: dict[str, Any]) -> None:
        """What another rule of the same app has found is not ours. Raises Full."""
        matched = {part(rule, "id") for rule in entries(told, "matching_rules")}
        if matched.isdisjoint(self._ours or ()):
            self._receiver.refused["not_asked_for"] += 1
            return
        post = self._post_of(told["data"], told)
        if post is None:
            self._receiver.refused["unreadable"] += 1
            return
        # What has begun is finished, also when the loop is being stopped.
        self._storing = asyncio.ensure_future(self._receiver.take([post], STREAM))
        try:
            await asyncio.shield(self._storing)
        except (NotStored, OSError) as fault:
            raise Full(getattr(fault, "after_seconds", None)) from fault

    def _turn(self, *, up: bool) -> None:
        """Whoever is connected but hears nothing is not up yet: a server may end every connection at once. Nor is who
        cannot store what came: it would connect again about every second."""
        if up and not self._up:
            self._pace.answered(Quota(), more=True)
        if up is not self._up:
            self._up = up
            self._changed(up)


def _told(line: bytes) -> dict[str, Any] | None:
    try:
        told = json.loads(line)
    except (ValueError, RecursionError):
        return None
    return told if isinstance(told, dict) else None


def doubled(failures: int) -> float:
    """1 s, 2 s, 4 s ... at most 5 minutes, with the quarter that is added by chance."""
    return float(min(2 ** min(failures - 1, 10), LONGEST_BREAK_SECONDS / 1.25))
