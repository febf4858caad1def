"""Wake-ups inside this process: who watches a topic is told that something changed, and reads it from the store.

Wake-ups may be merged, never lost. Topics: a conversation ("conversation:<channel>:<key>"), "queue" (what agents
wait for), "outbox" and "timer" (work for the runners).
"""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager

QUEUE = "queue"
OUTBOX = "outbox"
TIMER = "timer"


def conversation_topic(channel: str, key: str) -> str:
    return f"conversation:{channel}:{key}"


class Hub:
    def __init__(self) -> None:
        self._watchers: defaultdict[str, set[asyncio.Event]] = defaultdict(set)

    def publish(self, *topics: str) -> None:
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
            yield _wakeups(event)
        finally:
            for topic in topics:
                self._watchers[topic].discard(event)
                if not self._watchers[topic]:
                    del self._watchers[topic]


async def _wakeups(event: asyncio.Event) -> AsyncIterator[None]:
    while True:
        await event.wait()
        event.clear()
        yield
