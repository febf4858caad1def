"""Whether X hears us and we hear X, as sentences for the operator."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from channels.twitter.marks import Marks
from channels.twitter.pace import Pace, ServerClock


class State:
    def __init__(self, feeds: Sequence[Pace], others: Sequence[Pace], marks: Marks, clock: ServerClock) -> None:
        """`others`: endpoints that are asked for something else than posts."""
        self._feeds = feeds
        self._paces = [*feeds, *others]
        self._marks = marks
        self._clock = clock
        self._refused = False
        self.listening = False
        """Whether this process is the one that looks."""

    def taken(self) -> None:
        self._refused = False

    def credentials_refused(self) -> None:
        self._refused = True

    @property
    def feeds_up(self) -> int:
        """Feeds that were had at the last look."""
        if not self.listening or self._refused:
            return 0
        return sum(pace.heard and not pace.failures for pace in self._feeds)

    def deaf(self) -> str | None:
        if self._refused:
            return "X refuses our credentials; check the four words of channel.twitter, and the app's access at X"
        return None

    def trouble(self) -> str | None:
        sentences = [*self._down(), *self._waiting(), *self._missing()]
        if self._marks.damaged:
            sentences.append("X: the file that says how far was read was damaged; the last posts were read again")
        return "; ".join(sentences) or None

    def quotas(self) -> dict[str, int]:
        """How often each quota was found used up."""
        return {f"quota_{pace.name}": pace.used_up for pace in self._paces if pace.used_up}

    def _down(self) -> list[str]:
        return [
            f"X: {pace.name} down since {_shown(pace.failing_since)} ({pace.fault})"
            for pace in self._paces
            if pace.slow and pace.failing_since is not None
        ]

    def _waiting(self) -> list[str]:
        return [
            f"X: the quota of {pace.name} is used up (0 requests left), new {_until(pace.renewed)}"
            for pace in self._paces
            if pace.waits_for_quota and not pace.slow
        ]

    def _missing(self) -> list[str]:
        return [
            f"X: posts of the feed {feed} from {_shown(after)} to {_shown(until)} are missing: the desk was down for "
            "longer than X can be searched back; look for them by hand"
            for feed, after, until in self._marks.gaps(self._clock())
        ]


def _until(moment: datetime | None) -> str:
    return "at a time that X did not say" if moment is None else f"at {_shown(moment)}"


def _shown(moment: datetime) -> str:
    return f"{moment:%Y-%m-%d %H:%M} UTC"
