"""Tells open pages that something changed (server-sent events). The page then asks for its parts again.

No data travels here: what a page may see is decided when it asks.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from typing import Any, override

from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Message, Receive, Scope, Send

from bot.hub import QUEUE, Hub, conversation_topic
from bot.presence import Presence, attention_topic, typing_topic
from bot.store.store import Store
from escalation.console.doors import row_id
from escalation.console.repository import conversation as conversations
from escalation.console.sessions import Sessions, Visitor
from escalation.web.errors import Refused

HEARTBEAT_SECONDS = 4.0
"""How soon a stream of a session that has ended is closed, and how often a proxy sees a sign of life."""
QUIET_SECONDS = 0.25
"""The shortest time between two signals: a burst of changes is one."""
CHANGED = b"event: changed\ndata: 1\n\n"
TYPING = b"event: typing\ndata: 1\n\n"
SIGNED_OUT = b"event: signed-out\ndata: 1\n\n"
ALIVE = b": alive\n\n"


class EventStream(Response):
    """Sends CHANGED at once (something may have changed since the page was made) and after every wake-up."""

    media_type = "text/event-stream"

    def __init__(
        self,
        hub: Hub,
        topics: tuple[str, ...],
        *,
        allowed: Callable[[], Awaitable[bool]],
        closing: asyncio.Event,
        during: AbstractContextManager[None] | None = None,
        typing: str | None = None,
    ) -> None:
        super().__init__(headers={"cache-control": "no-store", "x-accel-buffering": "no"})
        del self.headers["content-length"]
        self._hub = hub
        self._topics = topics
        self._allowed = allowed
        self._closing = closing
        self._during = during or nullcontext()
        self._typing = (typing,) if typing else ()

    @override
    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": self.raw_headers})
        over: list[asyncio.Task[Any]] = [asyncio.create_task(_gone(receive)), asyncio.create_task(self._closing.wait())]
        try:
            async with self._hub.watch(*self._topics) as wakeups, self._hub.watch(*self._typing) as typing:
                with self._during:
                    await self._stream(wakeups, typing, over, send)
        finally:
            for task in over:
                task.cancel()
        await send({"type": "http.response.body", "body": b"", "more_body": False})

    async def _stream(
        self,
        wakeups: AsyncIterator[object],
        typing: AsyncIterator[object],
        over: Sequence[asyncio.Task[Any]],
        send: Send,
    ) -> None:
        await send(_chunk(CHANGED))
        sources = {CHANGED: wakeups, TYPING: typing}
        waits = {signal: asyncio.ensure_future(anext(source)) for signal, source in sources.items()}
        try:
            while True:
                every = {*waits.values(), *over}
                done, _ = await asyncio.wait(every, timeout=HEARTBEAT_SECONDS, return_when="FIRST_COMPLETED")
                if done & set(over):
                    return
                if not await self._allowed():
                    await send(_chunk(SIGNED_OUT))
                    return
                woken = [signal for signal, wait in waits.items() if wait in done]
                waits |= {signal: asyncio.ensure_future(anext(sources[signal])) for signal in woken}
                await send(_chunk(b"".join(woken) or ALIVE))
                if woken:
                    await asyncio.sleep(QUIET_SECONDS)
        finally:
            for wait in waits.values():
                wait.cancel()


class Live:
    def __init__(self, store: Store, hub: Hub, sessions: Sessions, presence: Presence, closing: asyncio.Event) -> None:
        self._store = store
        self._hub = hub
        self._sessions = sessions
        self._presence = presence
        self._closing = closing

    async def queue(self, request: Request, visitor: Visitor) -> Response:
        return self._stream(request, (QUEUE,))

    async def conversation(self, request: Request, visitor: Visitor) -> Response:
        conversation_id = row_id(request)
        row = await self._store.read(lambda connection: conversations.find(connection, conversation_id))
        if row is None:
            raise Refused(404, "web.error_404")
        where = (row.channel, row.key)
        topics = (conversation_topic(*where), attention_topic(*where))
        looking = self._presence.inside(*where, visitor.agent.owner)
        return self._stream(request, topics, looking, typing=typing_topic("user", *where))

    def _stream(
        self,
        request: Request,
        topics: tuple[str, ...],
        during: AbstractContextManager[None] | None = None,
        typing: str | None = None,
    ) -> Response:
        async def allowed() -> bool:
            return await self._sessions.visitor(request, active=False) is not None

        return EventStream(self._hub, topics, allowed=allowed, closing=self._closing, during=during, typing=typing)


def _chunk(body: bytes) -> Message:
    return {"type": "http.response.body", "body": body, "more_body": True}


async def _gone(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
