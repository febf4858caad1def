"""How fast we may send: one message a second to a chat, thirty a second in all (Bot API FAQ, "limits")."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable

from channels.faults import RetryLater

CHAT_SECONDS = 1.0
OVERALL_SECONDS = 1 / 30
LONGEST_WAIT_SECONDS = 20.0
"""Whoever would wait longer comes again: a waiting message occupies one of the desk's deliveries."""
_MANY_CHATS = 10_000


class Pace:
    """Gives out turns in the order in which they are asked for."""

    def __init__(
        self,
        monotonic: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], Awaitable[object]] = asyncio.sleep,
    ) -> None:
        self._monotonic = monotonic
        self._sleep = sleep
        self._chats: dict[int, float] = {}
        """When each chat may be written to next."""
        self._overall = 0.0

    async def turn(self, chat_id: int) -> None:
        """Waits until a message to this chat may leave. Raises RetryLater when that takes too long."""
        now = self._monotonic()
        at = max(now, self._chats.get(chat_id, 0.0))
        if at - now > LONGEST_WAIT_SECONDS:
            raise RetryLater("the chat may not be written to yet", at - now)
        self._forget(now)
        self._chats[chat_id] = at + CHAT_SECONDS
        if at > now:
            await self._sleep(at - now)
        await self._overall_turn()

    def hold(self, chat_id: int, seconds: float) -> None:
        """The server asked for a pause."""
        self._chats[chat_id] = max(self._chats.get(chat_id, 0.0), self._monotonic() + seconds)

    async def _overall_turn(self) -> None:
        now = self._monotonic()
        at = max(now, self._overall)
        self._overall = at + OVERALL_SECONDS
        if at > now:
            await self._sleep(at - now)

    def _forget(self, now: float) -> None:
        if len(self._chats) >= _MANY_CHATS:
            self._chats = {chat_id: at for chat_id, at in self._chats.items() if at > now}
