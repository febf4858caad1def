"""Small signs that an agent's page gives by itself: seen up to here, typing now. They are no part of what is said."""

from __future__ import annotations

from sqlalchemy import Connection
from starlette.requests import Request
from starlette.responses import Response

from bot.hub import Hub
from bot.presence import seen_topic, typing_topic
from bot.repository import attention, conversations
from bot.repository.conversations import ConversationRow
from bot.store.store import Store
from escalation.console.doors import row_id
from escalation.console.forms import Form
from escalation.console.repository import conversation as pages
from escalation.console.repository.conversation import ShownConversation
from escalation.console.sessions import Visitor
from escalation.web.errors import Refused

MAX_DIGITS = 9


class Signs:
    def __init__(self, store: Store, hub: Hub) -> None:
        self._store = store
        self._hub = hub

    async def seen(self, request: Request, visitor: Visitor, form: Form) -> Response:
        """The agent has the conversation on the screen, up to the number that the page shows."""
        conversation_id, seq = row_id(request), _number(form.get("seq", ""))
        await self._conversation(conversation_id)

        def mark(connection: Connection) -> ConversationRow | None:
            conversation = conversations.get(connection, conversation_id)
            shown = min(seq, conversation.last_seq)
            return conversation if attention.raise_marks(connection, conversation_id, person_seq=shown) else None

        moved = await self._store.write(mark)
        if moved is not None:
            self._hub.publish(seen_topic(moved.channel, moved.key))
        return Response(status_code=204)

    async def typing(self, request: Request, visitor: Visitor, form: Form) -> Response:
        """Only who may speak is announced as about to speak."""
        conversation = await self._conversation(row_id(request))
        if conversation.owner == visitor.agent.owner:
            self._hub.publish(typing_topic("agent", conversation.channel, conversation.key))
        return Response(status_code=204)

    async def _conversation(self, conversation_id: int) -> ShownConversation:
        found = await self._store.read(lambda connection: pages.find(connection, conversation_id))
        if found is None:
            raise Refused(404, "web.error_404")
        return found


def _number(text: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) <= MAX_DIGITS):
        raise Refused(422, "web.error_422")
    return int(text)
