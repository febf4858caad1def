"""Who is there and what was read, in memory: what `Attention` promises, and what a test can change or ask."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import AsyncIterator, Iterator
from contextlib import AbstractAsyncContextManager, contextmanager
from dataclasses import dataclass, field, replace
from typing import Any

from bot.hub import Hub
from channels.live_contract import Holder, Situation


@dataclass
class FakeAttention:
    hub: Hub
    situations: dict[str, Situation] = field(default_factory=dict)
    here: Counter[str] = field(default_factory=Counter)
    typed: Counter[str] = field(default_factory=Counter)
    read: defaultdict[str, list[int]] = field(default_factory=lambda: defaultdict(list))

    async def situation(self, conversation_key: str) -> Situation:
        return self.situations.get(conversation_key, Situation(owner=Holder.BOT))

    def change(self, key: str, **values: Any) -> None:
        """The situation of a conversation is another one now, and who watches is woken."""
        before = self.situations.get(key, Situation(owner=Holder.BOT))
        self.situations[key] = replace(before, **values)
        self.hub.publish(f"situation:{key}")

    def agent_typed(self, key: str) -> None:
        self.hub.publish(f"agent types:{key}")

    def changes(self, conversation_key: str) -> AbstractAsyncContextManager[AsyncIterator[object]]:
        return self.hub.watch(f"situation:{conversation_key}")

    def agent_types(self, conversation_key: str) -> AbstractAsyncContextManager[AsyncIterator[object]]:
        return self.hub.watch(f"agent types:{conversation_key}")

    def user_types(self, conversation_key: str) -> None:
        self.typed[conversation_key] += 1

    @contextmanager
    def present(self, conversation_key: str) -> Iterator[None]:
        self.here[conversation_key] += 1
        try:
            yield
        finally:
            self.here[conversation_key] -= 1

    async def user_read(self, conversation_key: str, seq: int) -> None:
        self.read[conversation_key].append(seq)
        self.change(conversation_key, read=seq)
