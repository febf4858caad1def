"""What X asks of a reply: a post of another's to reply to."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from channels.contract import OutboundMessage
from channels.faults import Rejected
from channels.monitor.answers import Posted
from channels.monitor.parts import part, whole

if TYPE_CHECKING:
    from channels.twitter.api import Api


class Replying:
    def __init__(self, api: Callable[[], Api], is_own: Callable[[str, str], bool]) -> None:
        self._api = api
        self._is_own = is_own

    def check(self, message: OutboundMessage) -> None:
        """Raises Rejected."""
        if self._is_own(message.recipient, message.thread.get("username", "")):
            raise Rejected("this is an account of ours: nobody replies to themselves")
        if whole(message.recipient) is None or whole(message.thread.get("post_id", "")) is None:
            raise Rejected("the conversation has no post to reply to")

    async def post(self, message: OutboundMessage, text: str) -> Posted:
        """Raises Fault."""
        answer = await self._api().reply(text, message.thread["post_id"])
        reply_id = whole(part(answer.body, "data", "id"))
        return Posted(post_id=None if reply_id is None else str(reply_id), quota=answer.quota)
