"""The tables of the road: conversations, inbox, outbox, evidence, timers; and of cases, people and sessions.

One metadata, one Alembic history, so that a turn can finish a message, open a case and queue the reply in one
commit. Queries live in the `repository.py` of the part that owns the question.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, ClassVar, cast

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    CheckConstraint,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
    UniqueConstraint,
    false,
)
from sqlalchemy import text as sql
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from bot.store.moment import Moment

Id = BigInteger().with_variant(Integer, "sqlite")
"""SQLite numbers rows by itself only for INTEGER."""


UNFINISHED = "state <> 'done'"
"""Received messages with something left to do: few, and all that their index holds. To be written just so."""
UNSENT = "state in ('new', 'sending')"
"""Messages to users that are still to leave, or on their way."""
STUCK = "state in ('parked', 'failed', 'unknown') and settled_at is null"
"""Messages to users that no machine goes on with, until an operator settles them."""
BY_HAND = "state = 'by_hand'"
"""Messages that wait for a person who tells or posts them."""


class Base(DeclarativeBase):
    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(table_name)s_%(column_0_N_name)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "ck": "ck_%(table_name)s_%(constraint_name)s",
            "fk": "fk_%(table_name)s_%(column_0_N_name)s",
            "pk": "pk_%(table_name)s",
        }
    )
    type_annotation_map: ClassVar[Mapping[Any, Any]] = {
        datetime: Moment(),
        dict[str, Any]: JSON(),
        list[Any]: JSON(),
        bool: Boolean(),
    }


def table(entity: type[Base]) -> Table:
    """The table of an entity, for statements that are built once and carried out often."""
    return cast(Table, entity.__table__)


class Person(Base):
    """A user of the exchange who proved who they are, on whatever channels."""

    __tablename__ = "person"
    id: Mapped[int] = mapped_column(Id, primary_key=True)
    uid: Mapped[str] = mapped_column(String(64), unique=True)
    name: Mapped[str] = mapped_column(String(120))
    language: Mapped[str | None] = mapped_column(String(8))
    created_at: Mapped[datetime]


class Conversation(Base):
    """One exchange of messages on one channel. Many conversations may belong to one case."""

    __tablename__ = "conversation"
    id: Mapped[int] = mapped_column(Id, primary_key=True)
    channel: Mapped[str] = mapped_column(String(32))
    key: Mapped[str] = mapped_column(String(255))
    recipient: Mapped[str] = mapped_column(String(512))
    language: Mapped[str | None] = mapped_column(String(8))
    subject: Mapped[str] = mapped_column(Text, default="")
    thread: Mapped[dict[str, Any]] = mapped_column(default=dict)
    account: Mapped[dict[str, Any] | None]
    """The account proven last: uid, name, proven_by, proven_at, until (ISO 8601), email. It may have run out."""
    person_id: Mapped[int | None] = mapped_column(Id)
    """Whose conversation it is, by the newest proof; stays when the proof has run out."""
    proving_until: Mapped[datetime | None]
    """Until then a message may be part of proving who writes (bot/identity/); others cost no query."""
    owner: Mapped[str] = mapped_column(String(64), default="bot")
    """Who may speak: "bot", "queue" (a person is awaited) or "agent:<id>"."""
    owner_epoch: Mapped[int] = mapped_column(default=0)
    """Grows with every change of owner: an answer decided under an older epoch has lost the race."""
    queued_at: Mapped[datetime | None]
    resolved_at: Mapped[datetime | None]
    case_id: Mapped[int | None] = mapped_column(Id, ForeignKey("complaint_case.id"), index=True)
    last_seq: Mapped[int] = mapped_column(default=0)
    letter: Mapped[bool] = mapped_column(default=False, server_default=false())
    """We began it by e-mail. Until its user answers (`last_seq` > 1) it is nobody's work and in no list."""
    pending: Mapped[int] = mapped_column(default=0)
    """Inbox rows not yet finished."""
    lease_token: Mapped[str | None] = mapped_column(String(32))
    lease_until: Mapped[datetime | None]
    not_before: Mapped[datetime | None]
    """The next try of the oldest row, after one that failed."""
    created_at: Mapped[datetime]
    active_at: Mapped[datetime]
    __table_args__ = (
        UniqueConstraint("channel", "key"),
        Index("ix_conversation_owner", "owner"),
        Index(
            "ix_conversation_person_id",
            "person_id",
            sqlite_where=sql("person_id is not null"),
            postgresql_where=sql("person_id is not null"),
        ),
    )


class Inbox(Base):
    """Everything received, in its original bytes. A row is written before the peer is told OK."""

    __tablename__ = "inbox"
    id: Mapped[int] = mapped_column(Id, primary_key=True)
    channel: Mapped[str] = mapped_column(String(32))
    external_id: Mapped[str] = mapped_column(String(255))
    conversation_id: Mapped[int] = mapped_column(Id, ForeignKey("conversation.id"))
    seq: Mapped[int]
    sender: Mapped[str] = mapped_column(String(512))
    received_at: Mapped[datetime]
    envelope: Mapped[dict[str, Any]] = mapped_column(default=dict)
    raw_sha256: Mapped[str] = mapped_column(String(64))
    raw_size: Mapped[int]
    raw: Mapped[bytes | None] = mapped_column(LargeBinary)
    """The bytes themselves when small; else they are a file named by the hash in the raw folder."""
    state: Mapped[str] = mapped_column(String(16), default="new")
    """new, done, parked"""
    outcome: Mapped[str | None] = mapped_column(String(16))
    """How it was accounted for: answered, opened, joined, rejected, automatic, parked."""
    attempts: Mapped[int] = mapped_column(default=0)
    """Turns that broke over this message."""
    deaths: Mapped[int] = mapped_column(default=0)
    """Workers that died while they held its conversation, whatever they died of."""
    error: Mapped[str | None] = mapped_column(Text)
    kind: Mapped[str | None] = mapped_column(String(24))
    text: Mapped[str] = mapped_column(Text, default="")
    language: Mapped[str | None] = mapped_column(String(8))
    note: Mapped[str | None] = mapped_column(Text)
    finished_at: Mapped[datetime | None]
    __table_args__ = (
        UniqueConstraint("channel", "external_id"),
        UniqueConstraint("conversation_id", "seq"),
        CheckConstraint("state in ('new', 'done', 'parked')", name="state"),
        Index(
            "ix_inbox_unfinished",
            "state",
            "conversation_id",
            sqlite_where=sql(UNFINISHED),
            postgresql_where=sql(UNFINISHED),
        ),
    )


class Outbox(Base):
    """Every word to a user. Rows of one conversation leave in the order of their seq."""

    __tablename__ = "outbox"
    id: Mapped[int] = mapped_column(Id, primary_key=True)
    origin: Mapped[str] = mapped_column(String(80))
    """What decided it ("inbox:12:0", "agent:<uuid>", "timer:7"): unique, so that nothing is said twice."""
    message_id: Mapped[str] = mapped_column(String(64), unique=True)
    conversation_id: Mapped[int] = mapped_column(Id, ForeignKey("conversation.id"))
    seq: Mapped[int]
    author: Mapped[str] = mapped_column(String(16))
    author_name: Mapped[str] = mapped_column(String(120), default="")
    agent_id: Mapped[int | None] = mapped_column(Id, ForeignKey("agent.id"))
    owner_epoch: Mapped[int | None]
    """For the bot's words: the epoch under which they were decided."""
    text: Mapped[str] = mapped_column(Text)
    language: Mapped[str] = mapped_column(String(8))
    buttons: Mapped[list[Any]] = mapped_column(default=list)
    sealed: Mapped[bool] = mapped_column(default=False, server_default=false())
    """For the recipient alone (a one-time code): agents see that something was sent, not what."""
    created_at: Mapped[datetime]
    state: Mapped[str] = mapped_column(String(16), default="new")
    """new, sending, sent, unknown (sent or not: nobody knows), dropped (lost the race), failed, parked, by_hand (an
    agent is to tell or post it), not_posted (decided, but a public channel said nothing of it)"""
    token: Mapped[str | None] = mapped_column(String(32))
    lease_until: Mapped[datetime | None]
    not_before: Mapped[datetime | None]
    attempts: Mapped[int] = mapped_column(default=0)
    error: Mapped[str | None] = mapped_column(Text)
    peer_id: Mapped[str | None] = mapped_column(String(255))
    sent_at: Mapped[datetime | None]
    tried_since: Mapped[datetime | None]
    """When trying began anew, by an operator; None: when it was queued."""
    settled_at: Mapped[datetime | None]
    """When an operator settled a row that nothing will happen to any more; its state still says how it ended."""
    __table_args__ = (
        UniqueConstraint("origin"),
        UniqueConstraint("conversation_id", "seq"),
        CheckConstraint(
            "state in ('new', 'sending', 'sent', 'unknown', 'dropped', 'failed', 'parked', 'by_hand', 'not_posted')",
            name="state",
        ),
        Index(
            "ix_outbox_waiting",
            "conversation_id",
            "seq",
            sqlite_where=sql(UNSENT),
            postgresql_where=sql(UNSENT),
        ),
        Index(
            "ix_outbox_stuck",
            "state",
            sqlite_where=sql(STUCK),
            postgresql_where=sql(STUCK),
        ),
        Index(
            "ix_outbox_by_hand",
            "conversation_id",
            sqlite_where=sql(BY_HAND),
            postgresql_where=sql(BY_HAND),
        ),
    )


class Deed(Base):
    """What an operator did by hand to a parked row: append only."""

    __tablename__ = "operator_deed"
    id: Mapped[int] = mapped_column(Id, primary_key=True)
    at: Mapped[datetime]
    deed: Mapped[str] = mapped_column(String(16))
    """replayed, discarded"""
    target: Mapped[str] = mapped_column(String(32), index=True)
    """inbox:<id> or outbox:<id>"""
    person: Mapped[str] = mapped_column(String(120))
    reason: Mapped[str] = mapped_column(Text)


class Evidence(Base):
    """An attachment, kept as a file named by its SHA-256."""

    __tablename__ = "evidence"
    id: Mapped[int] = mapped_column(Id, primary_key=True)
    inbox_id: Mapped[int] = mapped_column(Id, ForeignKey("inbox.id"))
    ordinal: Mapped[int]
    conversation_id: Mapped[int] = mapped_column(Id, ForeignKey("conversation.id"), index=True)
    sha256: Mapped[str] = mapped_column(String(64), index=True)
    size: Mapped[int]
    filename: Mapped[str] = mapped_column(String(255))
    content_type: Mapped[str] = mapped_column(String(127))
    """By its first bytes, whatever the sender called it."""
    collected_at: Mapped[datetime]
    __table_args__ = (UniqueConstraint("inbox_id", "ordinal"),)


class Timer(Base):
    """Something to do at a time, surviving restarts. Done means the row is gone."""

    __tablename__ = "timer"
    id: Mapped[int] = mapped_column(Id, primary_key=True)
    kind: Mapped[str] = mapped_column(String(32))
    key: Mapped[str] = mapped_column(String(64))
    due_at: Mapped[datetime] = mapped_column(index=True)
    data: Mapped[dict[str, Any]] = mapped_column(default=dict)
    __table_args__ = (UniqueConstraint("kind", "key"),)


class Case(Base):
    """A complaint as a matter with a number, whatever conversations it is talked about in."""

    __tablename__ = "complaint_case"
    id: Mapped[int] = mapped_column(Id, primary_key=True)
    number: Mapped[str] = mapped_column(String(16), unique=True)
    opened_by_inbox: Mapped[int | None] = mapped_column(Id, unique=True)
    """The message that opened it: a repeated turn cannot open a second case."""
    label: Mapped[str] = mapped_column(String(48))
    severity: Mapped[str] = mapped_column(String(16))
    reasons: Mapped[list[Any]] = mapped_column(default=list)
    language: Mapped[str] = mapped_column(String(8))
    status: Mapped[str] = mapped_column(String(16), default="open")
    """open, resolved"""
    awaited: Mapped[str] = mapped_column(String(8), default="us")
    """Whose turn it is: us or user."""
    link_version: Mapped[int] = mapped_column(default=1)
    """Raising it revokes every tracking link given out so far."""
    last_event: Mapped[int] = mapped_column(default=0)
    person_id: Mapped[int | None] = mapped_column(Id, index=True)
    """Whose case it is; None while nobody has proven that."""
    first_contact_at: Mapped[datetime]
    opened_at: Mapped[datetime]
    answer_due_at: Mapped[datetime]
    decision_due_at: Mapped[datetime]
    resolved_at: Mapped[datetime | None]


class CaseEvent(Base):
    """The timeline of a case: append only, numbered without gaps."""

    __tablename__ = "case_event"
    id: Mapped[int] = mapped_column(Id, primary_key=True)
    case_id: Mapped[int] = mapped_column(Id, ForeignKey("complaint_case.id"))
    seq: Mapped[int]
    kind: Mapped[str] = mapped_column(String(32))
    at: Mapped[datetime]
    actor: Mapped[str] = mapped_column(String(64))
    """bot, desk, user or agent:<id>"""
    public: Mapped[bool] = mapped_column(default=False)
    """True when the tracking page shows it."""
    data: Mapped[dict[str, Any]] = mapped_column(default=dict)
    __table_args__ = (UniqueConstraint("case_id", "seq"),)


class Note(Base):
    """What agents see between the messages: internal notes and changes of owner. Never sent to the user."""

    __tablename__ = "note"
    id: Mapped[int] = mapped_column(Id, primary_key=True)
    conversation_id: Mapped[int] = mapped_column(Id, ForeignKey("conversation.id"), index=True)
    after_seq: Mapped[int]
    kind: Mapped[str] = mapped_column(String(24))
    """note, taken, handed_back, queued, resolved, reopened, brief, related, impostor, poses, set_aside"""
    agent_id: Mapped[int | None] = mapped_column(Id, ForeignKey("agent.id"))
    text: Mapped[str] = mapped_column(Text, default="")
    data: Mapped[dict[str, Any]] = mapped_column(default=dict)
    at: Mapped[datetime]


class Agent(Base):
    """A person who works at the desk."""

    __tablename__ = "agent"
    id: Mapped[int] = mapped_column(Id, primary_key=True)
    login: Mapped[str] = mapped_column(String(120), unique=True)
    name: Mapped[str] = mapped_column(String(120))
    role: Mapped[str] = mapped_column(String(24))
    password_hash: Mapped[str] = mapped_column(String(255))
    disabled: Mapped[bool] = mapped_column(default=False)
    created_at: Mapped[datetime]
    __table_args__ = (CheckConstraint("role in ('agent', 'supervisor', 'admin')", name="role"),)


class AgentSession(Base):
    """A log-in. The cookie holds a random value; only its hash is stored, so a stolen database opens nothing."""

    __tablename__ = "agent_session"
    id: Mapped[int] = mapped_column(Id, primary_key=True)
    token_hash: Mapped[str] = mapped_column(String(64), unique=True)
    csrf: Mapped[str] = mapped_column(String(64))
    agent_id: Mapped[int] = mapped_column(Id, ForeignKey("agent.id"))
    created_at: Mapped[datetime]
    seen_at: Mapped[datetime]


class LoginAttempt(Base):
    """Failed log-ins, to slow guessing down per account and in total."""

    __tablename__ = "login_attempt"
    id: Mapped[int] = mapped_column(Id, primary_key=True)
    login: Mapped[str] = mapped_column(String(120), index=True)
    at: Mapped[datetime] = mapped_column(index=True)


class Instance(Base):
    """Whose database this is: one row, the fingerprint of the secret in the data folder."""

    __tablename__ = "instance"
    id: Mapped[int] = mapped_column(Id, primary_key=True)
    key_print: Mapped[str] = mapped_column(String(64))
