"""What agents taught the bot: kept when they say it, read when a model is trained."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime

from sqlalchemy import Connection, func, insert, select

from bot.store.learning_tables import Correction
from bot.store.tables import Conversation, Inbox, Note

ESCALATED = ("opened", "joined")
"""Outcomes of a message that led to a case or to a person."""


@dataclass(frozen=True, kw_only=True)
class CorrectionRow:
    inbox_id: int
    case_id: int | None
    text: str
    language: str
    old_label: str | None
    new_label: str
    old_escalate: bool
    new_escalate: bool
    agent_id: int
    at: datetime


@dataclass(frozen=True, kw_only=True)
class Said:
    """A message of a user that can be taught about."""

    text: str
    language: str | None
    escalated: bool


def said(connection: Connection, conversation_id: int, inbox_id: int) -> Said | None:
    """The message, when it has words and belongs to this conversation."""
    query = (
        select(Inbox.text, func.coalesce(Inbox.language, Conversation.language).label("language"), Inbox.outcome)
        .join(Conversation, Conversation.id == Inbox.conversation_id)
        .where(Inbox.id == inbox_id, Inbox.conversation_id == conversation_id)
    )
    row = connection.execute(query).one_or_none()
    if row is None or not row.text.strip():
        return None
    return Said(text=row.text, language=row.language, escalated=row.outcome in ESCALATED)


def suggested_label(connection: Connection, conversation_id: int) -> str | None:
    """What the newest hand-over brief takes the matter for."""
    query = select(Note.data).where(Note.conversation_id == conversation_id, Note.kind == "brief")
    data = connection.execute(query.order_by(Note.id.desc()).limit(1)).scalar_one_or_none() or {}
    return data.get("label") or data.get("class") or None


def newest(connection: Connection, inbox_id: int) -> CorrectionRow | None:
    query = select(*_COLUMNS).where(Correction.inbox_id == inbox_id).order_by(Correction.id.desc()).limit(1)
    row = connection.execute(query).one_or_none()
    return None if row is None else CorrectionRow(**row._mapping)


def add(connection: Connection, row: CorrectionRow) -> None:
    connection.execute(insert(Correction).values(**asdict(row)))


def holding(connection: Connection) -> Sequence[CorrectionRow]:
    """The newest correction of every message, oldest first."""
    latest = select(func.max(Correction.id)).group_by(Correction.inbox_id)
    query = select(*_COLUMNS).where(Correction.id.in_(latest)).order_by(Correction.id)
    return [CorrectionRow(**row._mapping) for row in connection.execute(query)]


_COLUMNS = [getattr(Correction, name) for name in CorrectionRow.__dataclass_fields__]
