"""What Bluesky asks of a reply: a post of another's that is still there and takes replies, and its thread."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from channels.bluesky.api import Api
from channels.bluesky.pages import CID, DID, POST
from channels.bluesky.rich_text import linked
from channels.contract import OutboundMessage
from channels.faults import Rejected
from channels.monitor.answers import Posted
from channels.monitor.faults import Forbidden, NeverLeft, Unclear
from channels.monitor.pace import ServerClock
from channels.monitor.parts import entries, part, words

MAX_CHARACTERS = 300
"""Graphemes, of which there are never more than characters: `len` never counts too few."""


class Replying:
    def __init__(self, api: Callable[[], Api], is_own: Callable[[str], bool], clock: ServerClock) -> None:
        self._api = api
        self._is_own = is_own
        self._clock = clock

    def check(self, message: OutboundMessage) -> None:
        """Raises Rejected."""
        if self._is_own(message.thread.get("username", "")):
            raise Rejected("this is an account of ours: nobody replies to themselves")
        uris = [message.thread.get(name, "") for name in ("uri", "root_uri")]
        if not DID.fullmatch(message.recipient) or not all(POST.fullmatch(uri) for uri in uris):
            raise Rejected("the conversation has no post to reply to")

    async def post(self, message: OutboundMessage, text: str) -> Posted:
        """Raises Fault."""
        thread = message.thread
        parent = await self._still_there(thread["uri"])
        root = parent if thread["root_uri"] == thread["uri"] else _reference(thread["root_uri"], thread["root_cid"])
        now = self._clock()
        answer = await self._api().reply(
            {
                "$type": "app.bsky.feed.post",
                "text": text,
                "createdAt": f"{now:%Y-%m-%dT%H:%M:%S}.{now.microsecond // 1000:03}Z",
                "langs": [message.language if message.language in ("zh", "zh-Hant") else "en"],
                "facets": linked(text),
                "reply": {"root": root, "parent": parent},
            }
        )
        uri = words(answer.body, "uri")
        return Posted(post_id=uri if POST.fullmatch(uri) else None, quota=answer.quota)

    async def _still_there(self, uri: str) -> dict[str, str]:
        """A reply to a post that is gone would be taken, and stand alone. Raises Fault; nothing was posted then."""
        try:
            answer = await self._api().posts([uri])
            found: list[Any] = [post for post in entries(answer.body, "posts") if words(post, "uri") == uri]
        except Unclear as fault:
            raise NeverLeft from fault
        if not found or part(found[0], "viewer", "replyDisabled") is True:
            raise Forbidden
        return _reference(uri, words(found[0], "cid"))


def _reference(uri: str, cid: str) -> dict[str, str]:
    """com.atproto.repo.strongRef. Raises Forbidden when the version of the post is not known."""
    if not CID.fullmatch(cid):
        raise Forbidden
    return {"uri": uri, "cid": cid}
