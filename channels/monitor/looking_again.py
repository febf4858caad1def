"""Looks again at posts that are stored: their authors may have edited or deleted them, and no feed tells.

What was changed is stored beside the original; the original stays as it was.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Protocol

import structlog

from channels.contract import Kind, ReadMessage, Words
from channels.faults import NotStored
from channels.monitor.answers import Quota
from channels.monitor.faults import Fault
from channels.monitor.feed import NOT_STORED_SECONDS
from channels.monitor.pace import Pace, ServerClock
from channels.monitor.parts import part, words
from channels.monitor.posts import Post
from channels.monitor.receive import Receiver
from channels.monitor.seen import DELETED, HIDDEN, Seen, SeenPosts

PACE = "lookups"
FEED = "again"
"""Where such a message came from."""

log = structlog.get_logger()


@dataclass(frozen=True, kw_only=True)
class Gone:
    """A post that the network says it does not show."""

    word: str
    """DELETED or HIDDEN."""
    said: Any
    """The network's own words, as JSON."""


@dataclass(frozen=True, kw_only=True)
class Looked:
    """What a network says of posts that it was asked for by their ids. Of those that it leaves out nothing is known."""

    posts: Sequence[Post]
    """As they are now; also versions that are known already."""
    gone: Mapping[str, Gone] = field(default_factory=dict)
    """By the id of the first version."""
    quota: Quota = field(default_factory=Quota)
    at: datetime | None = None
    """The server's clock."""


class Rhythm(Protocol):
    look_again_hours: int
    """For so long after it was stored a post is looked at again."""
    look_again_minutes: int
    """Between two rounds, and at least between two looks at one post."""


class LookingAgain:
    def __init__(
        self,
        ask: Callable[[Sequence[Seen]], Awaitable[Looked]],
        together: int,
        rhythm: Rhythm,
        seen: SeenPosts,
        receiver: Receiver,
        clock: ServerClock,
    ) -> None:
        """`ask` raises Fault. `together`: how many posts it takes at once."""
        self.pace = Pace(PACE, rhythm.look_again_minutes * 60, clock)
        self._ask = ask
        self._together = together
        self._age = timedelta(hours=rhythm.look_again_hours)
        self._every = timedelta(minutes=rhythm.look_again_minutes)
        self._seen = seen
        self._receiver = receiver
        self._clock = clock
        self._storing: asyncio.Future[None] | None = None

    @property
    def due(self) -> float:
        return self.pace.due

    async def step(self) -> None:
        """One call for the posts whose turn it is. No fault leaves it."""
        try:
            await self._look()
        except Fault as fault:
            log.warning("feed_not_heard", channel=self._receiver.channel, feed=PACE, fault=fault.name)
            self.pace.failed(fault)
        except (NotStored, OSError) as fault:
            log.warning("feed_not_stored", channel=self._receiver.channel, feed=PACE, fault=type(fault).__name__)
            seconds = getattr(fault, "after_seconds", None) or NOT_STORED_SECONDS
            self.pace.due = self._clock.monotonic() + seconds

    async def finish(self) -> None:
        """Waits for what is just being stored."""
        if self._storing is not None:
            await asyncio.wait([self._storing])

    async def _look(self) -> None:
        """Raises Fault, NotStored or OSError."""
        batch = await asyncio.to_thread(self._seen.due, self._age, self._every, self._together)
        if not batch:
            self.pace.due = self._clock.monotonic() + self._every.total_seconds()
            return
        looked = await self._ask(batch)
        self._clock.heard(looked.at)
        self._storing = asyncio.ensure_future(self._store(batch, looked))
        await asyncio.shield(self._storing)
        self.pace.answered(looked.quota, more=len(batch) == self._together)

    async def _store(self, batch: Sequence[Seen], looked: Looked) -> None:
        """Raises NotStored or OSError; then all of it is asked for again."""
        known = {seen.first: seen for seen in batch}
        changed = [
            post
            for post in looked.posts
            if post.original in known and post.edition not in known[post.original].versions
        ]
        removed = [
            removal(first, known[first].author_id, known[first].language, gone)
            for first, gone in looked.gone.items()
            if first in known and gone.word not in known[first].versions
        ]
        if changed or removed:
            await self._receiver.take([*changed, *removed], FEED)
        await asyncio.to_thread(self._seen.asked, batch)


def removal_of(kept: Any, wording: Words, channel: str) -> ReadMessage | None:
    """What a stored removal says; None when this is none. It asks nothing of us."""
    word = part(kept, "gone")
    if word not in (DELETED, HIDDEN):
        return None
    language = words(kept, "language") or "en"
    note = wording.say(f"{channel}.note_{word}", language, id=words(kept, "post")[:300])
    return ReadMessage(text="", kind=Kind.AUTOMATIC, note=note)


def removal(first: str, author_id: str, language: str, gone: Gone) -> Post:
    """The same one for a post and a word, whoever told of it. `first`: the id of the post's first version."""
    kept = {"gone": gone.word, "post": first, "language": language, "said": gone.said}
    return Post(
        id=f"{first}:{gone.word}",
        position=0,
        author_id=author_id,
        username="",
        language=None,
        raw=json.dumps(kept, separators=(",", ":"), sort_keys=True).encode(),
        first=first,
        version=gone.word,
    )
