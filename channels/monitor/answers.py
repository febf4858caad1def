"""What a network's answer says besides its posts: how many requests are left, and the server's time."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, kw_only=True)
class Quota:
    """How many requests are left at an endpoint and for how long; None where the network did not say."""

    left: int | None = None
    seconds: float | None = None


@dataclass(frozen=True, kw_only=True)
class Known:
    """Our own account, as the network tells it."""

    name: str
    title: str = ""
    """What it is called on its page, where the network says so."""
    quota: Quota
    at: datetime | None
    """The server's clock."""


@dataclass(frozen=True, kw_only=True)
class Posted:
    """A reply was taken. `post_id` is None when the answer does not tell its id."""

    post_id: str | None
    quota: Quota
