"""Which conversations are there, and who waits longest?"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import ColumnElement, Connection, String, and_, case, cast, exists, false, func, literal, select, text

from bot.store.tables import Agent, Case, Conversation, Inbox, Note, Outbox
from escalation.console.repository.impostors import flagged

LIMIT = 200
"""Rows of one view; the counts tell when there are more."""
_LAST_WORDS = 240


class View(StrEnum):
    WAITING = "waiting"
    MINE = "mine"
    BY_HAND = "by_hand"
    """Something is to be told or posted."""
    OPEN = "open"
    RESOLVED = "resolved"


@dataclass(frozen=True, kw_only=True)
class QueueRow:
    id: int
    channel: str
    language: str | None
    subject: str
    owner: str
    agent_name: str | None
    queued_at: datetime | None
    active_at: datetime
    resolved_at: datetime | None
    number: str | None
    case_label: str | None
    case_severity: str | None
    brief: Mapping[str, Any] | None
    last_words: str | None
    impostor: bool
    """An account that seems to pose as us answered this user."""

    @property
    def label(self) -> str | None:
        return self.case_label or (self.brief or {}).get("label")

    @property
    def severity(self) -> str | None:
        return self.case_severity or (self.brief or {}).get("severity")

    @property
    def since(self) -> datetime:
        """Since when somebody waits, or when something last happened."""
        return self.queued_at or self.resolved_at or self.active_at


def rows(connection: Connection, view: View, owner: str) -> list[QueueRow]:
    """The conversations of a view: the gravest first, then those that wait longest; of the resolved ones the latest."""
    latest, oldest = Conversation.resolved_at.desc(), func.coalesce(Conversation.queued_at, Conversation.active_at)
    gravest = case({"critical": 0, "high": 1}, value=Case.severity, else_=2)
    query = (
        select(
            Conversation.id,
            Conversation.channel,
            Conversation.language,
            Conversation.subject,
            Conversation.owner,
            Agent.name.label("agent_name"),
            Conversation.queued_at,
            Conversation.active_at,
            Conversation.resolved_at,
            Case.number,
            Case.label.label("case_label"),
            Case.severity.label("case_severity"),
            _newest_brief().label("brief"),
            _last_words().label("last_words"),
            flagged().label("impostor"),
        )
        .outerjoin(Case, Case.id == Conversation.case_id)
        .outerjoin(Agent, Conversation.owner == literal("agent:").concat(cast(Agent.id, String)))
        .where(_within(view, owner))
        .order_by(*((latest,) if view is View.RESOLVED else (gravest, oldest)), Conversation.id)
        .limit(LIMIT)
    )
    return [QueueRow(**row._mapping) for row in connection.execute(query)]


def counts(connection: Connection, owner: str) -> dict[View, int]:
    columns = [func.count().filter(_within(view, owner)) for view in View]
    row = connection.execute(select(*columns).select_from(Conversation)).one()
    return dict(zip(View, (int(count) for count in row), strict=True))


def _within(view: View, owner: str) -> ColumnElement[bool]:
    unanswered_letter = and_(Conversation.letter, Conversation.last_seq <= 1)
    unresolved = and_(Conversation.resolved_at.is_(None), ~unanswered_letter)
    match view:
        case View.WAITING:
            return Conversation.owner == "queue"
        case View.MINE:
            return and_(Conversation.owner == owner, unresolved)
        case View.BY_HAND:
            return exists().where(Outbox.conversation_id == Conversation.id, text("outbox.state = 'by_hand'"))
        case View.OPEN:
            return unresolved
        case View.RESOLVED:
            return Conversation.resolved_at.is_not(None)
    return false()


def _newest_brief() -> Any:
    query = select(Note.data).where(Note.conversation_id == Conversation.id, Note.kind == "brief")
    return query.order_by(Note.id.desc()).limit(1).correlate(Conversation).scalar_subquery()


def _last_words() -> Any:
    query = select(func.substr(Inbox.text, 1, _LAST_WORDS)).where(Inbox.conversation_id == Conversation.id)
    spoken = query.where(Inbox.text != "").order_by(Inbox.seq.desc()).limit(1)
    return spoken.correlate(Conversation).scalar_subquery()
