"""Below a comment one fixed sentence is written, and nothing else, whoever wrote it (`channels/monitor/sending.py`)."""

from __future__ import annotations

from channels.contract import OutboundMessage
from channels.facebook.graph import Graph
from channels.facebook.ids import ident, person
from channels.faults import Rejected
from channels.monitor.answers import Posted
from channels.monitor.parts import part

MAX_CHARACTERS = 8000
"""Of a comment."""
PERSON = (
    "Comments on Facebook are public: words of a person are not written there. Continue in the live chat, to which the "
    "author was given a link ({link}), in Messenger once the author has written to the page, or by e-mail once they "
    "have named an address."
)


class Public:
    def __init__(self, graph: Graph, own: frozenset[str]) -> None:
        self._graph = graph
        self._own = own

    def check(self, message: OutboundMessage) -> None:
        """Raises Rejected when there is nobody or nothing to reply to."""
        if message.recipient in self._own:
            raise Rejected("this is an account of ours: nobody replies to themselves")
        if person(message.recipient) is None:
            raise Rejected("Facebook does not say who wrote the comment, so nothing is written below it")
        if ident(message.thread.get("object_id")) is None:
            raise Rejected("the conversation has no comment to reply to")

    async def post(self, message: OutboundMessage, text: str) -> Posted:
        """Raises Fault."""
        answer = await self._graph.post(f"{message.thread['object_id']}/comments", {"message": text})
        return Posted(post_id=ident(part(answer.body, "id")), quota=answer.quota)
