"""What Mastodon asks of a reply: a post of another's, a name to call its author by, and who may see it."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import TYPE_CHECKING

from channels.contract import OutboundMessage
from channels.faults import Rejected
from channels.mastodon.pages import ID
from channels.mastodon.reading import PUBLIC
from channels.monitor.answers import Posted
from channels.monitor.parts import words

if TYPE_CHECKING:
    from channels.mastodon.api import Api

MAX_CHARACTERS = 500
NAME_CHARACTERS = 100
"""Of these, kept for the author's name, without which the author would not be told."""
LINK_CHARACTERS = 23
"""An address counts so many, however long it is."""
_LINK = re.compile(r"https?://\S+")
_NAME = re.compile(r"[A-Za-z0-9_.-]+(?:@[A-Za-z0-9.-]+(?::[0-9]+)?)?")


def size(text: str) -> int:
    """Of a reply with this sentence, at most."""
    return NAME_CHARACTERS + len(_LINK.sub("x" * LINK_CHARACTERS, text))


class Replying:
    def __init__(self, api: Callable[[], Api], is_own: Callable[[str], bool]) -> None:
        self._api = api
        self._is_own = is_own

    def check(self, message: OutboundMessage) -> None:
        """Raises Rejected. A name goes into a post of ours, so it must be one name and nothing else."""
        username = message.thread.get("username", "")
        if self._is_own(username):
            raise Rejected("this is an account of ours: nobody replies to themselves")
        if not ID.fullmatch(message.thread.get("post_id", "")):
            raise Rejected("the conversation has no post to reply to")
        if not _NAME.fullmatch(username) or len(username) >= NAME_CHARACTERS - 1:
            raise Rejected("the author's name cannot be written into a post")

    async def post(self, message: OutboundMessage, text: str) -> Posted:
        """In public only where the author wrote in public, and there without showing up in everybody's timelines; else
        to the author alone. Raises Fault."""
        visibility = "unlisted" if message.thread.get("visibility") in PUBLIC else "direct"
        said = f"@{message.thread['username']} {text}"
        language = "zh" if message.language.startswith("zh") else "en"
        post_id, key = message.thread["post_id"], message.message_id
        answer = await self._api().reply(said, post_id, visibility, language, key)
        reply_id = words(answer.body, "id")
        return Posted(post_id=reply_id if ID.fullmatch(reply_id) else None, quota=answer.quota)
