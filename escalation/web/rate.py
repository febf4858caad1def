"""How often may one place ask for something? Kept in memory: a restart forgives."""

from __future__ import annotations

from collections import Counter
from datetime import datetime, timedelta

from bot.clock import Clock
from channels.web.budget import place

MOST_PLACES = 10_000
"""Places counted in one window. More would be a flood, which is no reason to turn everybody away."""


class Rate:
    """So many in a window of time; windows follow one another without overlap."""

    def __init__(self, clock: Clock, most: int, window: timedelta) -> None:
        self._clock = clock
        self._most = most
        self._window = window
        self._ends: datetime | None = None
        self._counts: Counter[str] = Counter()

    def spent(self, client: str) -> bool:
        """Counts one, and says whether it is one too many."""
        now = self._clock()
        if self._ends is None or now >= self._ends:
            self._ends = now + self._window
            self._counts.clear()
        where = place(client)
        if where in self._counts or len(self._counts) < MOST_PLACES:
            self._counts[where] += 1
        return self._counts[where] > self._most
