"""The brake on guessing tracking links: how many wrong links lately, from one place and in all?"""

from __future__ import annotations

from collections import Counter, deque
from datetime import datetime, timedelta

from bot.clock import Clock
from channels.web.budget import place

WINDOW = timedelta(minutes=10)
PER_CLIENT = 10
IN_TOTAL = 1_000


class WrongLinks:
    """Kept in memory: a restart forgives, and the memory it takes is bounded by IN_TOTAL."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._recent: deque[tuple[datetime, str]] = deque()
        self._by_client: Counter[str] = Counter()

    def blocked(self, client: str) -> bool:
        """True when this client is not to look up anything now, not even with a right link."""
        self._forget()
        return self._by_client[place(client)] >= PER_CLIENT

    def full(self) -> bool:
        """True when wrong links are no longer even looked at, whoever sends them.

        Right links still open then: their 128-bit secret cannot be guessed, and a page that anybody could close
        for everybody would be the bigger fault.
        """
        self._forget()
        return len(self._recent) >= IN_TOTAL

    def count(self, client: str) -> None:
        if not self.full():
            self._recent.append((self._clock(), place(client)))
            self._by_client[place(client)] += 1

    def _forget(self) -> None:
        oldest = self._clock() - WINDOW
        while self._recent and self._recent[0][0] <= oldest:
            _, where = self._recent.popleft()
            self._by_client[where] -= 1
            if not self._by_client[where]:
                del self._by_client[where]
