"""Whether a network hears us and we hear it, as sentences for the operator."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from channels.monitor.marks import Marks
from channels.monitor.pace import Pace, ServerClock
from channels.monitor.seen import SeenPosts


@dataclass(frozen=True, kw_only=True)
class Wording:
    network: str
    """Its name for operators."""
    credentials: str
    """What to look at when it refuses our credentials."""
    gap: str
    """Why a stretch of time can be missing."""


class State:
    def __init__(
        self,
        wording: Wording,
        feeds: Sequence[Pace],
        others: Sequence[Pace],
        marks: Marks,
        clock: ServerClock,
        seen: SeenPosts | None = None,
    ) -> None:
        """`others`: endpoints that are asked for something else than new posts."""
        self._wording = wording
        self._feeds = feeds
        self._paces = [*feeds, *others]
        self._marks = marks
        self._seen = seen
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
            return f"{self._wording.network} refuses our credentials; {self._wording.credentials}"
        return None

    def trouble(self) -> str | None:
        sentences = [*self._down(), *self._waiting(), *self._missing()]
        if self._marks.damaged:
            network = self._wording.network
            sentences.append(
                f"{network}: the file that says how far was read was damaged; the last posts were read again"
            )
        if self._seen is not None and self._seen.damaged:
            sentences.append(
                f"{self._wording.network}: the list of posts to look at again was damaged and begun anew; edits and "
                "deletions of the posts on it are not recorded"
            )
        return "; ".join(sentences) or None

    def quotas(self) -> dict[str, int]:
        """How often each quota was found used up."""
        return {f"quota_{pace.name}": pace.used_up for pace in self._paces if pace.used_up}

    def _down(self) -> list[str]:
        return [
            f"{self._wording.network}: {pace.name} down since {_shown(pace.failing_since)} ({pace.fault})"
            for pace in self._paces
            if pace.slow and pace.failing_since is not None
        ]

    def _waiting(self) -> list[str]:
        return [
            f"{self._wording.network}: the quota of {pace.name} is used up (0 requests left), new "
            f"{self._until(pace.renewed)}"
            for pace in self._paces
            if pace.waits_for_quota and not pace.slow
        ]

    def _missing(self) -> list[str]:
        return [
            f"{self._wording.network}: posts of the feed {feed} from {_shown(after)} to {_shown(until)} are missing: "
            f"{self._wording.gap}; look for them by hand"
            for feed, after, until in self._marks.gaps(self._clock())
        ]

    def _until(self, moment: datetime | None) -> str:
        return f"at a time that {self._wording.network} did not say" if moment is None else f"at {_shown(moment)}"


def _shown(moment: datetime) -> str:
    return f"{moment:%Y-%m-%d %H:%M} UTC"
