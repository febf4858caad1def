"""Wake-ups, here and in the other processes of the desk.

Who watches a topic is told that something changed, and reads it from the store; or is told what, by whoever has just
committed it, and need not read. Wake-ups may be merged, never lost.
Topics: a conversation ("conversation:<channel>:<key>"), "queue" (what agents wait for) and "outbox" (work for the
deliverer).
"""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any, override

from bot.store.topics import EVERYTHING

if TYPE_CHECKING:
    from bot.store.bell import Bell

QUEUE = "queue"
OUTBOX = "outbox"
SIGN = "typing:"
"""Topics that begin so say by waking that something happens at this moment: "everything" leaves them out."""
SOON_SECONDS = 0.15
"""Longer than a turn takes, as a rule: its end says more, and while Rasa thinks the processor is its."""
MOST_NEWS = 100
ROUND_SECONDS = 20.0
"""Within about this time everybody looks again, though nobody woke them."""
SHORTEST_PAUSE_SECONDS = 0.02
"""With more than a thousand topics a round takes longer instead of costing more."""


type News = Sequence[Any] | None
"""What a wake-up brings along: all that changed, in order. None: it is to be looked up."""


def conversation_topic(channel: str, key: str) -> str:
    return f"conversation:{channel}:{key}"


class Hub:
    """`bell` reaches the other processes; None where there is only one."""

    def __init__(self, bell: Bell | None = None) -> None:
        self._watchers: defaultdict[str, set[_Wakeups]] = defaultdict(set)
        self._soon: dict[str, asyncio.TimerHandle] = {}
        self._bell = bell

    def publish(self, *topics: str) -> None:
        self._said(topics)
        self._wake(topics)

    def tell(self, topic: str, news: Sequence[Any]) -> None:
        """As `publish`, with all that changed: watchers in this process need not look it up."""
        self._said((topic,))
        for wakeups in self._watchers.get(topic, ()):
            wakeups.wake(news)

    def publish_soon(self, topic: str) -> None:
        """After what is more urgent, and not at all when the topic is published before: the work on a message begins
        before others are shown that it came."""
        if topic not in self._soon:
            self._soon[topic] = asyncio.get_running_loop().call_later(SOON_SECONDS, self.publish, topic)

    def _said(self, topics: Sequence[str]) -> None:
        for topic in topics:
            if (waiting := self._soon.pop(topic, None)) is not None:
                waiting.cancel()
        if self._bell is not None:
            self._bell.ring(topics)

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
            for wakeups in self._watchers.get(topic, ()):
                wakeups.wake(None)

    @asynccontextmanager
    async def watch(self, *topics: str) -> AsyncGenerator[AsyncIterator[News]]:
        """From entering on, every publish to one of `topics` wakes the iterator at least once."""
        wakeups = _Wakeups()
        for topic in topics:
            self._watchers[topic].add(wakeups)
        try:
            yield wakeups
        finally:
            for topic in topics:
                self._watchers[topic].discard(wakeups)
                if not self._watchers[topic]:
                    del self._watchers[topic]


class _Wakeups(AsyncIterator[News]):
    """Not a generator: a wait that was given up (a time-out) must not end the iteration."""

    def __init__(self) -> None:
        self._event = asyncio.Event()
        self._news: list[Any] | None = []

    def wake(self, news: News) -> None:
        """What was not heard yet is merged: once it has to be looked up, news say nothing more."""
        if news is None or self._news is None or len(self._news) + len(news) > MOST_NEWS:
            self._news = None
        else:
            self._news.extend(news)
        self._event.set()

    @override
    async def __anext__(self) -> News:
        await self._event.wait()
        self._event.clear()
        news, self._news = self._news, []
        return news
