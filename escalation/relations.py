"""What a message seems to have to do with: cases whose number it says, conversations that it names without proof.

Agents see these as possible relations and may add the conversation to the case; by itself nothing is joined, and the
user is told nothing. Only what the channel proved to be continued (`ReadMessage.continues`) brings its case along.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection

from bot.repository import conversations
from bot.repository.conversations import ConversationRow
from channels.contract import Kind, ReadMessage
from escalation import repository
from escalation.merging import bring_together
from escalation.numbers import numbers_in

RELATED = "related"
"""The kind of note. Its data: `conversation_id`, `case_id` (or None), `reason`."""
SAID_NUMBER, NAMED_CONVERSATION = "said_number", "named_conversation"
ANSWERED = (Kind.MESSAGE, Kind.AUTOMATIC, Kind.BOUNCE)


@dataclass(frozen=True)
class _Relation:
    conversation_id: int | None
    case_id: int | None
    reason: str


def settle(connection: Connection, message: ReadMessage, conversation: ConversationRow, now: datetime) -> bool:
    """Notes possible relations, once each; joins the case of the conversation that is proven to be continued. True
    when the conversation has got a case by that."""
    if message.kind not in ANSWERED:
        return False
    joined = _continue(connection, message, conversation, now)
    own_case = conversation.case_id if joined is None else joined
    known: set[tuple[int | None, int | None]] | None = None
    for relation in _relations(connection, message, conversation):
        if relation.case_id is not None and relation.case_id == own_case:
            continue
        known = _noted(connection, conversation.id) if known is None else known
        target = (relation.conversation_id, relation.case_id)
        if target not in known:
            known.add(target)
            repository.add_note(connection, conversation.id, RELATED, at=now, data=vars(relation))
    return joined is not None


def _continue(connection: Connection, message: ReadMessage, conversation: ConversationRow, now: datetime) -> int | None:
    """The case that the conversation was added to; None when it was added to none."""
    if message.continues is None or conversation.case_id is not None:
        return None
    before = conversations.find(connection, conversation.channel, message.continues)
    if before is None or before.case_id is None:
        return None
    case = repository.get(connection, before.case_id)
    if case.is_of_another(conversation.person_id):
        return None
    bring_together(connection, case, conversation.id, "desk", now)
    return case.id


def _relations(connection: Connection, message: ReadMessage, conversation: ConversationRow) -> Iterator[_Relation]:
    for key in message.seems_to_continue:
        found = conversations.find(connection, conversation.channel, key)
        if found is not None and found.id != conversation.id:
            yield _Relation(found.id, found.case_id, NAMED_CONVERSATION)
    for number in numbers_in(f"{message.subject}\n{message.text}"):
        case = repository.find(connection, number)
        if case is not None:
            yield _Relation(None, case.id, SAID_NUMBER)


def _noted(connection: Connection, conversation_id: int) -> set[tuple[int | None, int | None]]:
    notes = repository.notes_of_kind(connection, conversation_id, RELATED)
    return {(data.get("conversation_id"), data.get("case_id")) for data in notes}
