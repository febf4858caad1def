"""What a conversation may have to do with, as its agents see it: a case, a conversation, or both."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, func, select

from bot.store.tables import Case, Conversation


@dataclass(frozen=True, kw_only=True)
class ShownRelation:
    reason: str
    """said_number or named_conversation, see `escalation/relations.py`."""
    conversation_id: int
    channel: str
    subject: str
    number: str | None
    """Of its case; None while it has none."""


def relations(connection: Connection, noted: Iterable[Mapping[str, Any]], case_id: int | None) -> list[ShownRelation]:
    """As they stand now; what belongs to the same case already is not shown."""
    shown: dict[int, ShownRelation] = {}
    for data in noted:
        related_id = data.get("conversation_id") or _first_of(connection, data.get("case_id"))
        row = None if related_id is None else _row(connection, related_id)
        if row is not None and (case_id is None or row.case_id != case_id):
            shown.setdefault(
                row.id,
                ShownRelation(
                    reason=str(data.get("reason", "")),
                    conversation_id=row.id,
                    channel=row.channel,
                    subject=row.subject,
                    number=row.number,
                ),
            )
    return list(shown.values())


def _first_of(connection: Connection, case_id: int | None) -> int | None:
    """The conversation in which a case was first talked about."""
    return connection.execute(select(func.min(Conversation.id)).where(Conversation.case_id == case_id)).scalar_one()


def _row(connection: Connection, conversation_id: int) -> Any:
    columns = Conversation.id, Conversation.channel, Conversation.subject, Conversation.case_id, Case.number
    query = select(*columns).outerjoin(Case, Case.id == Conversation.case_id)
    return connection.execute(query.where(Conversation.id == conversation_id)).one_or_none()
