"""How the filtered stream can break besides what can go wrong with any call."""

from __future__ import annotations

from channels.monitor.faults import Unclear


class Silent(Unclear):
    """Not even a sign of life came, which X sends every 20 seconds."""

    name = "silence"


class Ended(Unclear):
    """The connection broke off, or X said that it would end it."""

    name = "connection ended"


class Full(Unclear):
    """The desk could not store what came; a look brings it."""

    name = "not stored"

    def __init__(self, after_seconds: float | None) -> None:
        """`after_seconds`: when the desk wants to be asked again, if it said so."""
        super().__init__(self.name)
        self.after_seconds = after_seconds
