"""Queries about cases, their timeline, and the notes agents see."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, bindparam, exists, insert, or_, select, update

from bot.store import bulk
from bot.store.binding_tables import Invitation
from bot.store.prepared import Prepared, Row
from bot.store.tables import Agent, Case, CaseEvent, Conversation, Note, table

_CASE, _EVENT = table(Case), table(CaseEvent)


@dataclass(frozen=True, kw_only=True)
class CaseRow:
    id: int
    number: str
    label: str
    severity: str
    language: str
    status: str
    awaited: str
    person_id: int | None
    link_version: int
    first_contact_at: datetime
    opened_at: datetime
    answer_due_at: datetime
    decision_due_at: datetime

    def is_of_another(self, person_id: int | None) -> bool:
        """Whether it is somebody else's for sure; a case, or a conversation, of nobody proven is not."""
        return self.person_id is not None and person_id is not None and self.person_id != person_id


_NAMES = tuple(CaseRow.__dataclass_fields__)
_COLUMNS = [getattr(Case, name) for name in _NAMES]
_ALL = select(*(_CASE.c[name] for name in _NAMES))
_GET = Prepared(_ALL.where(_CASE.c.id == bindparam("case_id")))
_OPENED_BY = Prepared(_ALL.where(_CASE.c.opened_by_inbox == bindparam("inbox_id")))
_FACTS = Prepared(select(_EVENT.c.data).where(_EVENT.c.case_id == bindparam("case_id")).order_by(_EVENT.c.seq))
_NUMBERED = Prepared(
    update(_CASE)
    .where(_CASE.c.id == bindparam("case_id"))
    .values(last_event=_CASE.c.last_event + 1)
    .returning(_CASE.c.last_event)
)


def get(connection: Connection, case_id: int) -> CaseRow:
    """Raises NoResultFound when there is none."""
    return _case(_GET.one(connection, {"case_id": case_id}))


def _case(row: Row) -> CaseRow:
    return CaseRow(**dict(zip(_NAMES, row, strict=True)))


def is_at_work(connection: Connection, agent_id: int) -> bool:
    """False for somebody who was disabled or is gone: they own nothing any more."""
    found = connection.execute(select(Agent.id).where(Agent.id == agent_id, Agent.disabled.is_(False)))
    return found.one_or_none() is not None


def agent_name(connection: Connection, agent_id: int) -> str:
    return connection.execute(select(Agent.name).where(Agent.id == agent_id)).scalar_one_or_none() or ""


def find(connection: Connection, number: str) -> CaseRow | None:
    row = connection.execute(select(*_COLUMNS).where(Case.number == number)).one_or_none()
    return None if row is None else CaseRow(**row._mapping)


def add(connection: Connection, **values: Any) -> int:
    return int(connection.execute(insert(Case).values(**values).returning(Case.id)).scalar_one())


def open_of_person(connection: Connection, person_id: int) -> list[CaseRow]:
    """The open cases of a person, oldest first."""
    query = select(*_COLUMNS).where(Case.person_id == person_id, Case.status == "open").order_by(Case.id)
    return [CaseRow(**row._mapping) for row in connection.execute(query)]


def same_matter(connection: Connection, person_id: int, label: str, since: datetime) -> CaseRow | None:
    """The person's open case about this class to which something happened at or after `since`; the newest of them."""
    lively = exists().where(CaseEvent.case_id == Case.id, CaseEvent.at >= since)
    query = select(*_COLUMNS).where(Case.person_id == person_id, Case.status == "open", Case.label == label, lively)
    row = connection.execute(query.order_by(Case.id.desc()).limit(1)).one_or_none()
    return None if row is None else CaseRow(**row._mapping)


def companions(connection: Connection, conversation_id: int) -> set[int]:
    """The conversations bound to this one, over however many steps, without itself."""
    found, edge = {conversation_id}, {conversation_id}
    while edge:
        touching = or_(Invitation.conversation_id.in_(edge), Invitation.used_by.in_(edge))
        query = select(Invitation.conversation_id, Invitation.used_by).where(Invitation.used_by.is_not(None), touching)
        met = {each for row in connection.execute(query) for each in row if each is not None}
        edge, found = met - found, found | met
    return found - {conversation_id}


def conversations_of(connection: Connection, case_id: int) -> list[int]:
    query = select(Conversation.id).where(Conversation.case_id == case_id).order_by(Conversation.id)
    return list(connection.execute(query).scalars())


def last_event(connection: Connection, case_id: int, kind: str) -> datetime | None:
    """When something of this kind happened last."""
    query = select(CaseEvent.at).where(CaseEvent.case_id == case_id, CaseEvent.kind == kind)
    return connection.execute(query.order_by(CaseEvent.seq.desc()).limit(1)).scalar_one_or_none()


def opened_by(connection: Connection, inbox_id: int) -> CaseRow | None:
    row = _OPENED_BY.one_or_none(connection, {"inbox_id": inbox_id})
    return None if row is None else _case(row)


def change(connection: Connection, case_id: int, **values: Any) -> None:
    bulk.change(connection, _CASE, [{"id": case_id, **values}])


def add_event(
    connection: Connection,
    case_id: int,
    kind: str,
    *,
    actor: str,
    at: datetime,
    public: bool,
    data: Mapping[str, Any] | None = None,
) -> None:
    """Appends to the timeline. The case's row lock makes the numbers gapless."""
    (seq,) = _NUMBERED.one(connection, {"case_id": case_id})
    event = {"case_id": case_id, "seq": seq, "kind": kind, "at": at, "actor": actor, "public": public}
    bulk.add(connection, _EVENT, [{**event, "data": dict(data or {})}])


def facts_of(connection: Connection, case_id: int) -> dict[str, str]:
    """What is known about a case, gathered from its timeline."""
    return gathered(data for (data,) in _FACTS.rows(connection, {"case_id": case_id}))


def gathered(events: Iterable[Mapping[str, Any]]) -> dict[str, str]:
    """The facts in the data of events, oldest first: a later value takes the place of an earlier one."""
    return {name: str(value) for data in events for name, value in (data.get("facts") or {}).items() if value}


def add_note(connection: Connection, conversation_id: int, kind: str, *, at: datetime, **values: Any) -> None:
    """A line for agents, placed after the newest message of the conversation."""
    after = select(Conversation.last_seq).where(Conversation.id == conversation_id).scalar_subquery()
    connection.execute(
        insert(Note).values(conversation_id=conversation_id, kind=kind, after_seq=after, at=at, **values)
    )


def notes_of_kind(connection: Connection, conversation_id: int, kind: str) -> list[Mapping[str, Any]]:
    """What the notes of one kind say, oldest first."""
    query = select(Note.data).where(Note.conversation_id == conversation_id, Note.kind == kind)
    return list(connection.execute(query.order_by(Note.id)).scalars())
