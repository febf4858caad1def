"""Wake-ups, here and in the other processes of the desk.

Who watches a topic is told that something changed, and reads it from the store. Wake-ups may be merged, never lost.
Topics: a conversation ("conversation:<channel>:<key>"), "queue" (what agents wait for) and "outbox" (work for the
deliverer).
"""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import override

from bot.store.bell import EVERYTHING, Bell

QUEUE = "queue"
OUTBOX = "outbox"
SIGN = "typing:"
"""Topics that begin so say by waking that something happens at this moment: "everything" leaves them out."""
SOON_SECONDS = 0.01
ROUND_SECONDS = 20.0
"""Within about this time everybody looks again, though nobody woke them."""
SHORTEST_PAUSE_SECONDS = 0.02
"""With more than a thousand topics a round takes longer instead of costing more."""


def conversation_topic(channel: str, key: str) -> str:
    return f"conversation:{channel}:{key}"


class Hub:
    """`bell` reaches the other processes; None where there is only one."""

    def __init__(self, bell: Bell | None = None) -> None:
        self._watchers: defaultdict[str, set[asyncio.Event]] = defaultdict(set)
        self._bell = bell

    def publish(self, *topics: str) -> None:
        self._wake(topics)
        if self._bell is not None:
            self._bell.ring(topics)

    def publish_soon(self, *topics: str) -> None:
        """After what is more urgent: the work on a message begins before others are shown that it came."""
        asyncio.get_running_loop().call_later(SOON_SECONDS, self.publish, *topics)

    async def run(self) -> None:
        """Hears the other processes until cancelled, and lets everybody look again now and then."""
        async with asyncio.TaskGroup() as both:
            both.create_task(self._look_again())
            if self._bell is not None:
                both.create_task(self._bell.run(self._wake))

    async def _look_again(self) -> None:
        """What a process that was killed after its commit did not tell any more is seen in the next round.

        One after the other, spread over the round: a thousand chats that look at the same moment would hold up
        whoever has something to say.
        """
        while True:
            topics = [topic for topic in self._watchers if not topic.startswith(SIGN)]
            pause = max(ROUND_SECONDS / max(len(topics), 1), SHORTEST_PAUSE_SECONDS)
            for topic in topics or ("",):
                await asyncio.sleep(pause)
                self._wake((topic,))

    def _wake(self, topics: Sequence[str]) -> None:
        if EVERYTHING in topics:
            topics = [topic for topic in self._watchers if not topic.startswith(SIGN)]
        for topic in topics:
            for event in self._watchers.get(topic, ()):
                event.set()

    @asynccontextmanager
    async def watch(self, *topics: str) -> AsyncGenerator[AsyncIterator[None]]:
        """From entering on, every publish to one of `topics` wakes the iterator at least once."""
        event = asyncio.Event()
        for topic in topics:
            self._watchers[topic].add(event)
        try:
            yield _Wakeups(event)
        finally:
            for topic in topics:
                self._watchers[topic].discard(event)
                if not self._watchers[topic]:
                    del self._watchers[topic]


class _Wakeups(AsyncIterator[None]):
    """Not a generator: a wait that was given up (a time-out) must not end the iteration."""

    def __init__(self, event: asyncio.Event) -> None:
        self._event = event

    @override
    async def __anext__(self) -> None:
        await self._event.wait()
        self._event.clear()
