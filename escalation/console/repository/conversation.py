"""Everything about one conversation that an agent sees."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, select

from bot.repository import attention, file_checks
from bot.repository.attention import Marks
from bot.repository.file_checks import CheckRow
from bot.store.tables import Case, CaseEvent, Conversation, Evidence, Inbox, Note, Outbox
from escalation import queue, repository
from escalation.console.repository import person
from escalation.console.repository.impostors import ShownImpostor, impostors
from escalation.console.repository.person import ShownPerson
from escalation.console.repository.relations import ShownRelation, relations
from escalation.relations import RELATED


@dataclass(frozen=True, kw_only=True)
class ShownConversation:
    id: int
    channel: str
    key: str
    language: str | None
    subject: str
    account: Mapping[str, Any] | None
    person_id: int | None
    owner: str
    queued_at: datetime | None
    resolved_at: datetime | None
    case_id: int | None
    created_at: datetime


@dataclass(frozen=True, kw_only=True)
class EvidenceRow:
    id: int
    inbox_id: int
    conversation_id: int
    sha256: str
    size: int
    filename: str
    content_type: str
    collected_at: datetime


@dataclass(frozen=True, kw_only=True)
class ShownCase:
    id: int
    number: str
    label: str
    severity: str
    status: str
    awaited: str
    link_version: int
    opened_by_inbox: int | None
    first_contact_at: datetime
    answer_due_at: datetime
    decision_due_at: datetime
    resolved_at: datetime | None


@dataclass(frozen=True, kw_only=True)
class EventRow:
    seq: int
    kind: str
    at: datetime
    actor: str
    public: bool
    data: Mapping[str, Any]


@dataclass(frozen=True, kw_only=True)
class Everything:
    """One conversation with all that hangs on it, read from one state of the database."""

    conversation: ShownConversation
    owner_left: bool
    """It is with an agent who no longer works here: anybody may take it."""
    inbox: list[Row[Any]]
    outbox: list[Row[Any]]
    notes: list[Row[Any]]
    evidence: list[EvidenceRow]
    checks: Mapping[str, CheckRow]
    """What is known of their contents, by SHA-256."""
    case: ShownCase | None
    events: list[EventRow]
    person: ShownPerson | None
    siblings: list[ShownConversation]
    """Other conversations of the same case."""
    relations: list[ShownRelation]
    """What this one seems to have to do with; nobody has decided that yet."""
    impostors: list[ShownImpostor]
    """Accounts that seem to pose as us and answered this user, in this conversation or in another one of the case."""
    marks: Marks
    present: frozenset[str]
    """Who has it open right now: `attention.USER`, "agent:<id>"."""

    @property
    def facts(self) -> Mapping[str, str]:
        """What is known about the case."""
        return repository.gathered(event.data for event in self.events)

    @property
    def last_seq(self) -> int:
        return max((row.seq for row in [*self.inbox, *self.outbox]), default=0)


def find(connection: Connection, conversation_id: int) -> ShownConversation | None:
    query = select(*_columns(Conversation, ShownConversation)).where(Conversation.id == conversation_id)
    row = connection.execute(query.where(Conversation.owner != queue.ANNOUNCER)).one_or_none()
    return None if row is None else ShownConversation(**row._mapping)


def everything(connection: Connection, conversation_id: int, now: datetime) -> Everything | None:
    conversation = find(connection, conversation_id)
    if conversation is None:
        return None
    case = _case(connection, conversation.case_id)
    notes = _notes(connection, conversation_id)
    evidence = _evidence(connection, conversation_id)
    siblings = _siblings(connection, case.id, conversation_id) if case else []
    return Everything(
        conversation=conversation,
        owner_left=_owner_left(connection, conversation.owner),
        inbox=_inbox(connection, conversation_id),
        outbox=_outbox(connection, conversation_id),
        notes=notes,
        evidence=evidence,
        checks=file_checks.of_all(connection, [row.sha256 for row in evidence]),
        case=case,
        events=_events(connection, case.id) if case else [],
        person=person.of_conversation(connection, conversation.person_id, conversation_id),
        siblings=siblings,
        relations=relations(connection, [n.data for n in notes if n.kind == RELATED], conversation.case_id),
        impostors=impostors(connection, [conversation_id, *(each.id for each in siblings)]),
        marks=attention.marks(connection, conversation_id),
        present=attention.present(connection, conversation.channel, conversation.key, now),
    )


@dataclass(frozen=True, kw_only=True)
class Original:
    """A message as it arrived."""

    channel: str
    envelope: Mapping[str, Any]
    raw_sha256: str
    raw: bytes | None
    """None when it is a file named by the hash."""


def original(connection: Connection, inbox_id: int) -> Original | None:
    row = connection.execute(select(*_columns(Inbox, Original)).where(Inbox.id == inbox_id)).one_or_none()
    return None if row is None else Original(**row._mapping)


def evidence(connection: Connection, evidence_id: int) -> EvidenceRow | None:
    row = connection.execute(select(*_columns(Evidence, EvidenceRow)).where(Evidence.id == evidence_id)).one_or_none()
    return None if row is None else EvidenceRow(**row._mapping)


def owner_id(owner: str) -> int | None:
    """The agent in "agent:<id>"; None when the bot or nobody has it."""
    return None if owner in (queue.BOT, queue.QUEUE) else queue.agent_id(owner)


def _owner_left(connection: Connection, owner: str) -> bool:
    agent_id = owner_id(owner)
    return agent_id is not None and not repository.is_at_work(connection, agent_id)


def _columns(table: type, row: type) -> list[Any]:
    return [getattr(table, name) for name in row.__dataclass_fields__]  # type: ignore[attr-defined]


def _inbox(connection: Connection, conversation_id: int) -> list[Row[Any]]:
    query = select(
        Inbox.id, Inbox.seq, Inbox.received_at, Inbox.state, Inbox.kind, Inbox.text, Inbox.language, Inbox.note
    )
    return list(connection.execute(query.where(Inbox.conversation_id == conversation_id).order_by(Inbox.seq)))


def _outbox(connection: Connection, conversation_id: int) -> list[Row[Any]]:
    query = select(
        Outbox.id,
        Outbox.seq,
        Outbox.author,
        Outbox.author_name,
        Outbox.text,
        Outbox.language,
        Outbox.created_at,
        Outbox.sent_at,
        Outbox.state,
        Outbox.sealed,
    )
    return list(connection.execute(query.where(Outbox.conversation_id == conversation_id).order_by(Outbox.seq)))


def _notes(connection: Connection, conversation_id: int) -> list[Row[Any]]:
    query = select(Note.id, Note.after_seq, Note.kind, Note.agent_id, Note.text, Note.data, Note.at)
    return list(connection.execute(query.where(Note.conversation_id == conversation_id).order_by(Note.id)))


def _evidence(connection: Connection, conversation_id: int) -> list[EvidenceRow]:
    query = select(*_columns(Evidence, EvidenceRow)).where(Evidence.conversation_id == conversation_id)
    return [EvidenceRow(**row._mapping) for row in connection.execute(query.order_by(Evidence.id))]


def _case(connection: Connection, case_id: int | None) -> ShownCase | None:
    row = connection.execute(select(*_columns(Case, ShownCase)).where(Case.id == case_id)).one_or_none()
    return None if row is None else ShownCase(**row._mapping)


def _events(connection: Connection, case_id: int) -> list[EventRow]:
    query = select(*_columns(CaseEvent, EventRow)).where(CaseEvent.case_id == case_id).order_by(CaseEvent.seq)
    return [EventRow(**row._mapping) for row in connection.execute(query)]


def _siblings(connection: Connection, case_id: int, besides: int) -> list[ShownConversation]:
    query = select(*_columns(Conversation, ShownConversation)).where(
        Conversation.case_id == case_id, Conversation.id != besides
    )
    return [ShownConversation(**row._mapping) for row in connection.execute(query.order_by(Conversation.id))]
