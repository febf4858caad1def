"""What is set aside is stored and nobody's work: unless somebody has to do with the conversation, it is closed."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import Connection

from bot.repository import conversations, inbox
from bot.repository.conversations import ConversationRow
from escalation import repository
from escalation.queue import BOT

SET_ASIDE = "set_aside"
"""The kind of note. Its data: `reasons`."""


def note(connection: Connection, conversation: ConversationRow, reasons: Sequence[str], now: datetime) -> None:
    """Agents who look see that a machine found no complaint in it."""
    repository.add_note(connection, conversation.id, SET_ASIDE, at=now, data={"reasons": list(reasons)})
    close_if_nobodys(connection, conversation, now)


def close_if_nobodys(connection: Connection, conversation: ConversationRow, now: datetime) -> None:
    """A conversation in which nothing was ever asked or answered stands in no list of open ones. Whoever writes there
    opens it again."""
    conversation = conversations.get(connection, conversation.id)  # somebody may have taken it meanwhile
    if conversation.owner == BOT and conversation.case_id is None and not inbox.was_served(connection, conversation.id):
        conversations.change(connection, conversation.id, resolved_at=now)
