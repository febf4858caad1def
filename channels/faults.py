"""What can go wrong between a channel and its peer: each fault says what is to be done about it."""

from __future__ import annotations


class RetryLater(Exception):
    """A passing fault. Try again after `after_seconds` (None: the caller's own back-off decides)."""

    def __init__(self, reason: str, after_seconds: float | None = None) -> None:
        super().__init__(reason)
        self.reason = reason
        self.after_seconds = after_seconds


class NotStored(RetryLater):
    """The message could not be stored: tell the peer a *temporary* failure, never OK and never a refusal."""


class NeedsPerson(Exception):
    """No machine can go on: park it and show it to a person."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class ByHand(Exception):
    """Nothing is wrong: no machine sends here. It waits until an agent has told or posted it."""


class OutcomeUnknown(Exception):
    """The peer may or may not have taken it (it fell silent after the last byte). The caller decides about a repeat."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class Rejected(Exception):
    """The peer refused for good (unknown address, blocked). Not tried again."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason
