"""What agents see of the person whose conversation it is: what was proven, and everything else of theirs."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, select

from bot.store.identity_tables import IdentityProof
from bot.store.tables import Case, Conversation, Person

SHOWN = 20
"""The newest so many conversations and cases."""


@dataclass(frozen=True, kw_only=True)
class ShownProof:
    method: str
    detail: str
    at: datetime
    until: datetime


@dataclass(frozen=True, kw_only=True)
class OtherConversation:
    id: int
    channel: str
    subject: str
    owner: str
    active_at: datetime
    resolved_at: datetime | None


@dataclass(frozen=True, kw_only=True)
class PersonsCase:
    number: str
    label: str
    status: str
    opened_at: datetime
    conversation_id: int | None
    """One in which it is talked about."""


@dataclass(frozen=True, kw_only=True)
class ShownPerson:
    uid: str
    name: str
    proof: ShownProof | None
    """The newest one of this conversation; it may have run out."""
    conversations: list[OtherConversation]
    cases: list[PersonsCase]


def of_conversation(connection: Connection, person_id: int | None, conversation_id: int) -> ShownPerson | None:
    """None when nobody has proven to be anybody here. `conversations` are the others of the person."""
    person = connection.execute(select(Person.uid, Person.name).where(Person.id == person_id)).one_or_none()
    if person_id is None or person is None:
        return None
    return ShownPerson(
        uid=person.uid,
        name=person.name,
        proof=_proof(connection, person_id, conversation_id),
        conversations=_conversations(connection, person_id, conversation_id),
        cases=_cases(connection, person_id),
    )


def _proof(connection: Connection, person_id: int, conversation_id: int) -> ShownProof | None:
    columns = [getattr(IdentityProof, name) for name in ShownProof.__dataclass_fields__]
    here = (IdentityProof.conversation_id == conversation_id, IdentityProof.person_id == person_id)
    query = select(*columns).where(*here).order_by(IdentityProof.until.desc()).limit(1)
    row = connection.execute(query).one_or_none()
    return None if row is None else ShownProof(**row._mapping)


def _conversations(connection: Connection, person_id: int, besides: int) -> list[OtherConversation]:
    columns = [getattr(Conversation, name) for name in OtherConversation.__dataclass_fields__]
    query = select(*columns).where(Conversation.person_id == person_id, Conversation.id != besides)
    rows = connection.execute(query.order_by(Conversation.active_at.desc()).limit(SHOWN))
    return [OtherConversation(**row._mapping) for row in rows]


def _cases(connection: Connection, person_id: int) -> list[PersonsCase]:
    somewhere = select(Conversation.id).where(Conversation.case_id == Case.id).order_by(Conversation.id).limit(1)
    columns = (Case.number, Case.label, Case.status, Case.opened_at)
    query = select(*columns, somewhere.scalar_subquery().label("conversation_id")).where(Case.person_id == person_id)
    rows = connection.execute(query.order_by(Case.id.desc()).limit(SHOWN))
    return [PersonsCase(**row._mapping) for row in rows]
