"""Which entries of a conversation one connection has been shown.

An entry can become visible after one with a higher number: the bot's answer gets its number when it is queued,
and meanwhile the user wrote again. A number can also stay empty for good (an answer that was dropped). So "the
last number" is not enough to know what is new; the first gap is kept, and what lies above it.
"""

from __future__ import annotations

from collections.abc import Iterable

from channels.contract import Entry


class Cursor:
    def __init__(self, after_seq: int) -> None:
        self.floor = after_seq
        """Every number up to this one was shown."""
        self._above: set[int] = set()

    @property
    def highest(self) -> int:
        """The highest number shown."""
        return max(self._above, default=self.floor)

    def reaches(self, entries: Iterable[Entry]) -> bool:
        """Whether nothing is missing between what was shown and the last of these."""
        new = sorted(entry.seq for entry in entries if entry.seq > self.floor)
        return not self._above and new == list(range(self.floor + 1, self.floor + 1 + len(new)))

    def take(self, entries: Iterable[Entry]) -> list[Entry]:
        """Those not shown before, in the order of the conversation; they count as shown from now on."""
        new = [entry for entry in entries if entry.seq > self.floor and entry.seq not in self._above]
        new.sort(key=lambda entry: entry.seq)
        self._above.update(entry.seq for entry in new)
        while self.floor + 1 in self._above:
            self.floor += 1
            self._above.discard(self.floor)
        return new
