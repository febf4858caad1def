"""The live part of one connection: who has the word, who types, what was seen. For clients that ask for it."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

from channels.faults import NotStored
from channels.live_contract import Attention, Holder, Situation
from channels.web.budget import Budget
from channels.webchat.tasks import until_one_ends

type SendFrame = Callable[[dict[str, Any]], Awaitable[None]]


class Watcher:
    def __init__(self, attention: Attention, session_id: str, send: SendFrame, typing_per_minute: int) -> None:
        self._attention = attention
        self._session_id = session_id
        self._send = send
        self._typing = Budget(typing_per_minute, time.monotonic)
        self._told: Situation | None = None
        self._read = 0
        self._telling = asyncio.Lock()

    async def run(self) -> None:
        """Until cancelled. Watching begins before the first look, so that nothing falls in between."""
        with self._attention.present(self._session_id):
            async with (
                self._attention.changes(self._session_id) as changes,
                self._attention.agent_types(self._session_id) as typing,
            ):
                await self.tell()
                await until_one_ends(self._follow(changes), self._hear(typing))

    async def tell(self) -> None:
        """Says how things stand, if that differs from what was said last."""
        async with self._telling:
            situation = await self._attention.situation(self._session_id)
            if situation != self._told:
                self._told = situation
                await self._send(_state_fields(situation))

    def user_types(self) -> None:
        """More often than anybody types tells nobody anything."""
        if not self._typing.take():
            self._attention.user_types(self._session_id)

    async def user_read(self, seq: int) -> None:
        """A mark that cannot be kept now is no loss: the next one says more."""
        if seq <= self._read:
            return
        try:
            await self._attention.user_read(self._session_id, seq)
        except NotStored:
            return
        self._read = seq

    async def _follow(self, changes: AsyncIterator[object]) -> None:
        async for _ in changes:
            await self.tell()

    async def _hear(self, typing: AsyncIterator[object]) -> None:
        async for _ in typing:
            if self._told is not None and self._told.owner is Holder.AGENT:
                await self._send({"type": "typing", "author": "agent", "name": self._told.name})


def _state_fields(situation: Situation) -> dict[str, Any]:
    return {
        "type": "state",
        "with": situation.owner.value,
        "name": situation.name,
        "here": situation.here,
        "thinking": situation.thinking,
        "seen": situation.seen,
        "read": situation.read,
    }
