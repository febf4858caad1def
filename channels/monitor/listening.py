"""The loop behind receiving: who are we, then each feed when it is due. One process of several does it."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from typing import Protocol

import structlog

from channels.monitor.answers import Known
from channels.monitor.durable import lock, unlock
from channels.monitor.faults import Fault, Unauthorized
from channels.monitor.marks import Marks
from channels.monitor.pace import SLOW_SECONDS, Pace, ServerClock
from channels.monitor.state import State

TURN_SECONDS = 15.0
"""How often a process looks whether the one that listens has gone."""

log = structlog.get_logger()


class Look(Protocol):
    """A feed, or whatever else is asked for time and again."""

    pace: Pace

    @property
    def due(self) -> float: ...

    async def step(self) -> None:
        """No fault leaves it."""
        ...

    async def finish(self) -> None:
        """Waits for what is just being stored."""
        ...


class Listener:
    def __init__(
        self,
        folder: Path,
        who_are_we: Callable[[], Awaitable[Known]],
        account: Pace,
        feeds: Sequence[Look],
        marks: Marks,
        state: State,
        clock: ServerClock,
        sleep: Callable[[float], Awaitable[object]] = asyncio.sleep,
    ) -> None:
        """`who_are_we` asks for our own account and raises Fault."""
        self._folder = folder
        self._who = who_are_we
        self._account = account
        self._feeds = feeds
        self._marks = marks
        self._state = state
        self._clock = clock
        self._sleep = sleep
        self._lock: int | None = None
        self._slow_call_at: float | None = None
        self.username = ""
        """Of our account, once the network has told."""
        self.title = ""
        self.known = asyncio.Event()
        """Set once this process is the one that listens, and knows our account."""
        self._woken = asyncio.Event()

    @property
    def called(self) -> Sequence[str]:
        """Our account's names, once the network has told."""
        return tuple(filter(None, (self.username, self.title)))

    async def run(self) -> None:
        """Until cancelled. No fault ends it: whatever is wrong today may be right tomorrow."""
        try:
            while True:
                pause = await self._round()
                if pause > 0:
                    await self._rest(pause)
        finally:
            self._let_go()

    def wake(self) -> None:
        """Something may be due earlier than was thought."""
        self._woken.set()

    async def finish(self) -> None:
        for feed in self._feeds:
            await feed.finish()

    async def _rest(self, seconds: float) -> None:
        waits = [asyncio.ensure_future(self._sleep(seconds)), asyncio.ensure_future(self._woken.wait())]
        try:
            ended, _ = await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for each in waits:
                each.cancel()
            await asyncio.gather(*waits, return_exceptions=True)
        self._woken.clear()
        for each in ended:
            each.result()

    async def _round(self) -> float:
        """One step. Returns for how many seconds there is nothing to do."""
        try:
            return await self._step()
        except Exception as error:  # a bug or a full disk must not end the listening
            log.error("feed_round_broke", channel=self._folder.name, fault=type(error).__name__, exc_info=error)
            return SLOW_SECONDS

    async def _step(self) -> float:
        """Raises OSError."""
        if not await self._is_ours():
            return TURN_SECONDS
        if not self.username:
            return await self._at(self._account, self._account.due, self._who_are_we)
        self.known.set()
        feed = min(self._feeds, key=lambda feed: self._allowed(feed.pace, feed.due))
        return await self._at(feed.pace, feed.due, feed.step)

    async def _at(self, pace: Pace, due: float, work: Callable[[], Awaitable[None]]) -> float:
        wait = self._allowed(pace, due) - self._clock.monotonic()
        if wait > 0:
            return wait
        began, was_slow = self._clock.monotonic(), pace.slow
        await work()
        if was_slow or pace.slow:
            self._slow_call_at = began
        if pace.fault == Unauthorized.name:
            self._state.credentials_refused()
        elif not pace.fault:
            self._state.taken()
        return 0.0

    def _allowed(self, pace: Pace, due: float) -> float:
        """Of all that fails again and again, one call a minute."""
        if pace.slow and self._slow_call_at is not None:
            return max(due, self._slow_call_at + SLOW_SECONDS)
        return due

    async def _who_are_we(self) -> None:
        try:
            known = await self._who()
        except Fault as fault:
            log.warning("feed_not_heard", channel=self._folder.name, feed=self._account.name, fault=fault.name)
            self._account.failed(fault)
            return
        self._clock.heard(known.at)
        self._account.answered(known.quota, more=False)
        self.username, self.title = known.name, known.title

    async def _is_ours(self) -> bool:
        """Raises OSError. Without the marks nothing may be looked at: they would be written anew."""
        if self._lock is None and (file := await asyncio.to_thread(lock, self._folder / "listening.lock")) is not None:
            try:
                await self._marks.load()
            except BaseException:
                unlock(file)
                raise
            self._lock = file
        self._state.listening = self._lock is not None
        return self._state.listening

    def _let_go(self) -> None:
        self._state.listening = False
        self.known.clear()
        if self._lock is not None:
            unlock(self._lock)
            self._lock = None
