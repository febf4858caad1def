"""What the players of the demo share: how a line is shown, and how the play fails."""

from __future__ import annotations

from collections.abc import Callable

Say = Callable[[str, str], None]
"""Shows one line of the transcript: who, what."""


class DemoFailed(Exception):
    """The desk did not do what it should; the message says what was missing."""


def insist(condition: object, what: str) -> None:
    """Raises DemoFailed unless the condition holds."""
    if not condition:
        raise DemoFailed(what)
