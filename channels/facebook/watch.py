"""Whether Facebook's deliveries reach us: what a look finds long after it was written should have been delivered."""

from __future__ import annotations

from channels.monitor.missed import Missed


class Watch(Missed):
    _forbidden = False

    def forbidden(self) -> None:
        self._forbidden = True

    def sent(self) -> None:
        self._forbidden = False

    @property
    def undelivered(self) -> bool:
        return self.count > 0

    def sentences(self) -> list[str]:
        said = []
        if self.since is not None:
            said.append(
                f"Facebook: nothing is delivered to the webhook since {self.since:%Y-%m-%d %H:%M} UTC, though "
                f"{self.count} new messages or comments were found by looking; check the webhook in the app's "
                "dashboard, its fields, and the way to public_url"
            )
        if self._forbidden:
            said.append(
                "Facebook: the app or the page may not send messages; check pages_messaging and the page's quality "
                "in the app's dashboard"
            )
        return said
