"""Looks again at posts by their addresses. A changed record keeps its address and has another CID.

A list leaves out what the network does not show us (blocked, or not found just now), so each that is missing is asked
for as a record before it counts as gone.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

from channels.bluesky.api import Api
from channels.bluesky.pages import found_posts
from channels.monitor.faults import Forbidden, NotFound, NotTaken
from channels.monitor.looking_again import Gone, Looked
from channels.monitor.posts import Post
from channels.monitor.seen import DELETED, Seen

TOGETHER = 25
"""The most that one call takes."""


class Looking:
    def __init__(self, api: Callable[[], Api], own_did: Callable[[], str]) -> None:
        self._api = api
        self._own_did = own_did

    async def ask(self, batch: Sequence[Seen]) -> Looked:
        """Raises Fault."""
        answer = await self._api().posts([seen.first for seen in batch])
        found = found_posts(answer, self._own_did())
        shown, gone = {post.id for post in found}, {}
        for seen in batch:
            if seen.first in shown:
                continue
            try:
                await self._api().record(seen.first)
            except NotFound as fault:
                gone[seen.first] = Gone(word=DELETED, said=fault.name)
            except (Forbidden, NotTaken):  # of this one nothing is known; the others are not to wait for it
                continue
        return Looked(posts=[_version(post) for post in found], gone=gone, quota=answer.quota, at=answer.at)


def _version(post: Post) -> Post:
    """Under an id of its own. A part of the CID, a hash, is enough to tell the versions of one post apart."""
    return replace(post, id=f"{post.id}:edit:{post.version[-20:]}", first=post.id)
