"""Whether Facebook's deliveries reach us: what a look finds long after it was written should have been delivered."""

from __future__ import annotations

from datetime import datetime, timedelta

from channels.monitor.pace import ServerClock

GRACE = timedelta(minutes=2)
"""A delivery may be so late; until then a look leaves a message to it."""


class Watch:
    def __init__(self, clock: ServerClock) -> None:
        self._clock = clock
        self._listening_since: datetime | None = None
        self._missed_since: datetime | None = None
        self._missed = 0
        self._forbidden = False

    def started(self) -> None:
        self._listening_since = self._clock()

    def webhook_came(self) -> None:
        self._missed_since, self._missed = None, 0

    def found(self, written: datetime) -> None:
        """A look brought something new. What was written before we listened, Facebook may still deliver."""
        if self._listening_since is not None and written > self._listening_since:
            self._missed_since = min(written, self._missed_since or written)
            self._missed += 1

    def forbidden(self) -> None:
        self._forbidden = True

    def sent(self) -> None:
        self._forbidden = False

    @property
    def undelivered(self) -> bool:
        return self._missed > 0

    def sentences(self) -> list[str]:
        said = []
        if self._missed_since is not None:
            said.append(
                f"Facebook: nothing is delivered to the webhook since {self._missed_since:%Y-%m-%d %H:%M} UTC, though "
                f"{self._missed} new messages or comments were found by looking; check the webhook in the app's "
                "dashboard, its fields, and the way to public_url"
            )
        if self._forbidden:
            said.append(
                "Facebook: the app or the page may not send messages; check pages_messaging and the page's quality "
                "in the app's dashboard"
            )
        return said
