"""Conversations: their place in the order, their lease, their owner."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum
from typing import Any

from sqlalchemy import ColumnElement, Connection, and_, case, or_, select, update

from bot.store.tables import Conversation


@dataclass(frozen=True, kw_only=True)
class ConversationRow:
    id: int
    channel: str
    key: str
    recipient: str
    language: str | None
    subject: str
    thread: Mapping[str, str]
    account: Mapping[str, str] | None
    owner: str
    owner_epoch: int
    resolved_at: datetime | None
    case_id: int | None
    last_seq: int
    pending: int
    lease_token: str | None
    created_at: datetime


ABSURDLY_FAR = timedelta(hours=2)
"""No lease and no pause is this long: such a time was written while the clock was wrong."""

_COLUMNS = [getattr(Conversation, name) for name in ConversationRow.__dataclass_fields__]


def get(connection: Connection, conversation_id: int) -> ConversationRow:
    """Raises NoResultFound when there is none."""
    row = connection.execute(select(*_COLUMNS).where(Conversation.id == conversation_id)).one()
    return ConversationRow(**row._mapping)


def find(connection: Connection, channel: str, key: str) -> ConversationRow | None:
    query = select(*_COLUMNS).where(Conversation.channel == channel, Conversation.key == key)
    row = connection.execute(query).one_or_none()
    return None if row is None else ConversationRow(**row._mapping)


def lock(connection: Connection, conversation_id: int) -> ConversationRow:
    """The row, held until the commit, so that nobody changes owner or order meanwhile."""
    query = select(*_COLUMNS).where(Conversation.id == conversation_id).with_for_update()
    return ConversationRow(**connection.execute(query).one()._mapping)


def next_seq(connection: Connection, conversation_id: int) -> int:
    """The next position in the conversation. The row lock it takes makes the order gapless."""
    query = (
        update(Conversation)
        .where(Conversation.id == conversation_id)
        .values(last_seq=Conversation.last_seq + 1)
        .returning(Conversation.last_seq)
    )
    return int(connection.execute(query).scalar_one())


def change(connection: Connection, conversation_id: int, **values: Any) -> None:
    if not values:
        return
    connection.execute(update(Conversation).where(Conversation.id == conversation_id).values(**values))


def change_owner(connection: Connection, conversation_id: int, owner: str, **values: Any) -> None:
    """Gives the word to `owner`; what the bot decided before counts as late from now on."""
    change(connection, conversation_id, owner=owner, owner_epoch=Conversation.owner_epoch + 1, **values)


def claimable(connection: Connection, now: datetime, limit: int) -> Sequence[int]:
    """Conversations with unfinished messages that nobody works on."""
    query = (
        select(Conversation.id)
        .where(Conversation.pending > 0, *_free(now))
        .order_by(Conversation.active_at)
        .limit(limit)
    )
    return connection.execute(query).scalars().all()


class Lease(Enum):
    """How an attempt to take a conversation's lease went."""

    TAKEN = "taken"
    INHERITED = "inherited"
    """Taken, and whoever held it before died with it."""
    HELD = "held"
    """Somebody else works on it, or its next try is not due."""


def take_lease(connection: Connection, conversation_id: int, token: str, now: datetime, until: datetime) -> Lease:
    query = select(Conversation.lease_token).where(Conversation.id == conversation_id, *_free(now))
    held = connection.execute(query.with_for_update()).one_or_none()
    if held is None:
        return Lease.HELD
    change(connection, conversation_id, lease_token=token, lease_until=until)
    return Lease.TAKEN if held.lease_token is None else Lease.INHERITED


def _free(now: datetime) -> tuple[ColumnElement[bool], ColumnElement[bool]]:
    """Nobody holds the lease and the next try is due. A time too far ahead to be ours was written by a wrong clock."""
    lease, pause = Conversation.lease_until, Conversation.not_before
    absurd = now + ABSURDLY_FAR
    return (
        or_(lease.is_(None), lease < now, lease > absurd),
        or_(pause.is_(None), pause <= now, pause > absurd),
    )


def lease_if_free(token: str, now: datetime, until: datetime) -> dict[str, Any]:
    """Column values that take a free lease within another update (the accept that just woke the conversation)."""
    due = or_(Conversation.not_before.is_(None), Conversation.not_before <= now)
    free = and_(Conversation.lease_token.is_(None), due)
    return {
        "lease_token": case((free, token), else_=Conversation.lease_token),
        "lease_until": case((free, until), else_=Conversation.lease_until),
    }


def renew_leases(connection: Connection, tokens: Sequence[str], until: datetime) -> None:
    connection.execute(update(Conversation).where(Conversation.lease_token.in_(tokens)).values(lease_until=until))


def release_lease(connection: Connection, conversation_id: int, token: str, not_before: datetime | None = None) -> None:
    query = update(Conversation).where(Conversation.id == conversation_id, Conversation.lease_token == token)
    connection.execute(query.values(lease_token=None, lease_until=None, not_before=not_before))
