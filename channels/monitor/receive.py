"""From posts to stored messages: one per post, by whichever feed it was found."""

from __future__ import annotations

import asyncio
from collections import Counter, OrderedDict, defaultdict
from collections.abc import Callable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from datetime import UTC, datetime
from typing import Any

from channels.contract import Accept, InboundMessage
from channels.faults import NotStored
from channels.monitor.impostors import US
from channels.monitor.posts import Post
from channels.monitor.seen import SeenPosts

REMEMBERED = 50_000
"""Posts known to be stored, so that two feeds and the overlap of two looks do not store each twice."""


class Receiver:
    def __init__(
        self,
        channel: str,
        account: str,
        is_own: Callable[[str, str], bool],
        accept: Accept,
        seen: SeenPosts | None = None,
        *,
        called: Callable[[], Sequence[str]] = tuple,
    ) -> None:
        """`account`: whose conversations these are, the first half of their keys. `is_own` takes an author's id and
        user name. `seen`: by which edits are recognised; None where the network itself says what is one. `called`: what
        our account is called there now, kept beside each post."""
        self.channel = channel
        self._account = account
        self._is_own = is_own
        self._accept = accept
        self._called = called
        self._seen = seen
        self._known: OrderedDict[str, None] = OrderedDict()
        self.refused: Counter[str] = Counter()
        """Posts that were not stored since the start, by reason."""

    async def take(self, posts: Sequence[Post], feed: str) -> None:
        """Returns when all are on disk, those of one author in their order. Raises NotStored or OSError; some may be
        stored."""
        wanted = [post for post in posts if self._is_wanted(post)]
        changed = await asyncio.to_thread(self._seen.changed, wanted) if self._seen and wanted else set()
        by_author: dict[str, list[Post]] = defaultdict(list)
        for post in wanted:
            by_author[post.author_id].append(post)
        stored: list[Post] = []
        lines = (self._in_order(line, feed, changed, stored) for line in by_author.values())
        outcomes = await asyncio.gather(*lines, return_exceptions=True)
        if self._seen and stored:
            await asyncio.to_thread(self._seen.add, stored)
        for post in stored:
            self._remember(post.id)
        if fault := next((outcome for outcome in outcomes if outcome is not None), None):
            raise fault

    def _is_wanted(self, post: Post) -> bool:
        if post.id in self._known:
            return False
        reason = "own" if self._is_own(post.author_id, post.username) else post.refused
        if reason is not None:
            self._remember(post.id)
            self.refused[reason] += 1
        return reason is None

    async def _in_order(self, posts: Sequence[Post], feed: str, changed: AbstractSet[str], stored: list[Post]) -> None:
        for post in posts:
            try:
                await self._accept(self._message(post, feed, is_change=post.id in changed))
            except NotStored:
                raise
            except Exception as error:
                raise NotStored(f"the post could not be stored ({type(error).__name__})") from error
            stored.append(post)

    def _message(self, post: Post, feed: str, *, is_change: bool) -> InboundMessage:
        changes = {"changes": post.original} if is_change else {}
        return InboundMessage(
            channel=self.channel,
            external_id=post.id,
            conversation_key=f"{self._account}:{post.author_id}",
            sender=post.author_id,
            raw=post.raw,
            received_at=datetime.now(UTC),
            envelope={"feed": feed, "username": post.username, **self._ours(), **post.envelope, **changes},
            language=post.language,
        )

    def _ours(self) -> Mapping[str, Any]:
        return {US: list(called)} if (called := self._called()) else {}

    def _remember(self, post_id: str) -> None:
        self._known[post_id] = None
        while len(self._known) > REMEMBERED:
            self._known.popitem(last=False)
