"""How fast one person is written to: a few answers at once, then one every two seconds.

Facebook names no limit for a single person, but takes the right to write from a page whose messages people report.
"""

from __future__ import annotations

from collections.abc import Callable

from channels.faults import RetryLater

AT_ONCE = 5
SECONDS = 2.0
"""Between two answers, once `AT_ONCE` have gone."""
_MANY = 10_000


class Pace:
    def __init__(self, monotonic: Callable[[], float]) -> None:
        self._monotonic = monotonic
        self._spent: dict[str, float] = {}
        """Until when each person's answers are paid for, if one is paid for in `SECONDS`."""

    def turn(self, person: str) -> None:
        """An answer to this person leaves now. Raises RetryLater when it may not."""
        now = self._monotonic()
        until = max(now, self._spent.get(person, 0.0))
        wait = until - now - (AT_ONCE - 1) * SECONDS
        if wait > 0:
            raise RetryLater("the person was written to a moment ago", wait)
        if len(self._spent) >= _MANY:
            self._spent = {person: at for person, at in self._spent.items() if at > now}
        self._spent[person] = until + SECONDS
