"""Accounts that seem to pose as us and answered a user, as the agents of that user see them."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, Connection, select

from bot.store.tables import Conversation, Note
from escalation.impostors import IMPOSTOR


@dataclass(frozen=True, kw_only=True)
class ShownImpostor:
    conversation_id: int
    """Of the account: what else it wrote."""
    who: str
    link: str
    """To the post; "" when there is none."""
    reasons: tuple[str, ...]
    at: datetime


def impostors(connection: Connection, conversation_ids: Collection[int]) -> list[ShownImpostor]:
    """Who answered in these conversations, which are one user's; every account once, the latest first."""
    query = select(Note.data, Note.at).where(Note.conversation_id.in_(conversation_ids), Note.kind == IMPOSTOR)
    found = {
        data["conversation_id"]: ShownImpostor(
            conversation_id=data["conversation_id"],
            who=data["who"],
            link=data["link"],
            reasons=tuple(data["reasons"]),
            at=at,
        )
        for data, at in connection.execute(query.order_by(Note.id))
    }
    return list(reversed(found.values()))


def flagged() -> ColumnElement[bool]:
    """Whether such an account answered in the conversation."""
    return select(Note.id).where(Note.conversation_id == Conversation.id, Note.kind == IMPOSTOR).exists()
