"""A post and a page of posts, as every network's adapter hands them on."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from channels.monitor.answers import Quota


@dataclass(frozen=True, kw_only=True)
class Post:
    id: str
    """The id under which it is stored; every version of an edited post has its own."""
    position: int
    author_id: str
    username: str
    language: str | None
    """The network's guess, if it is one of our languages."""
    raw: bytes
    """The JSON that is stored."""
    envelope: Mapping[str, str] = field(default_factory=dict)
    """What is stored beside it."""
    refused: str | None = None
    """Why it is not to be stored, as a fixed word; None: it is."""
    first: str = ""
    """The id of the first version of an edited post; "": this is the first one."""
    version: str = ""
    """What tells this version from the others; "": its id does."""

    @property
    def original(self) -> str:
        return self.first or self.id

    @property
    def edition(self) -> str:
        return self.version or self.id


@dataclass(frozen=True, kw_only=True)
class Page:
    """Of one feed, the newest first."""

    posts: list[Post]
    token: str | None
    """Of the next, older page; None at the end, or where what is older was read before."""
    odd: int = 0
    """Entries without id or author."""
    unreached: int | None = None
    """The position of the oldest post that the network gives, where that is not all of what was asked for."""
    quota: Quota = field(default_factory=Quota)
    at: datetime | None = None
    """The server's clock."""
