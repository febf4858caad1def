"""Which agents look at a conversation right now. Known from their open pages, kept in memory only."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator
from contextlib import contextmanager

from bot.hub import Hub
from escalation.handling import AgentRef


def presence_topic(conversation_id: int) -> str:
    return f"presence:{conversation_id}"


class Presence:
    def __init__(self, hub: Hub) -> None:
        self._hub = hub
        self._here: defaultdict[int, Counter[AgentRef]] = defaultdict(Counter)

    @contextmanager
    def looking(self, conversation_id: int, agent: AgentRef) -> Iterator[None]:
        """The agent counts as present while inside, once however many pages are open."""
        self._here[conversation_id][agent] += 1
        self._hub.publish(presence_topic(conversation_id))
        try:
            yield
        finally:
            self._leave(conversation_id, agent)
            self._hub.publish(presence_topic(conversation_id))

    def others(self, conversation_id: int, agent: AgentRef) -> list[str]:
        """Names of the other agents who look at it."""
        here = self._here.get(conversation_id, Counter())
        return sorted(other.name for other in here if other.id != agent.id)

    def _leave(self, conversation_id: int, agent: AgentRef) -> None:
        here = self._here[conversation_id]
        here[agent] -= 1
        if here[agent] <= 0:
            del here[agent]
        if not here:
            del self._here[conversation_id]
