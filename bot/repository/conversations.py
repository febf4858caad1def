"""Conversations: their place in the order, their lease, their owner."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, bindparam, insert, or_, select, update

from bot.store import bulk
from bot.store.tables import Conversation, table

_TABLE = table(Conversation)


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
    person_id: int | None
    proving_until: datetime | None
    owner: str
    owner_epoch: int
    resolved_at: datetime | None
    case_id: int | None
    last_seq: int
    pending: int
    lease_token: str | None
    lease_until: datetime | None
    not_before: datetime | None
    created_at: datetime


ABSURDLY_FAR = timedelta(hours=2)
"""No lease and no pause is this long: such a time was written while the clock was wrong."""


def get(connection: Connection, conversation_id: int) -> ConversationRow:
    """Raises NoResultFound when there is none."""
    return _row(connection.execute(_GET, {"row_id": conversation_id}).one())


def find(connection: Connection, channel: str, key: str) -> ConversationRow | None:
    row = connection.execute(_FIND, {"channel": channel, "key": key}).one_or_none()
    return None if row is None else _row(row)


def lock(connection: Connection, conversation_id: int) -> ConversationRow:
    """The row, held until the commit, so that nobody changes owner or order meanwhile."""
    return _row(connection.execute(_LOCK, {"row_id": conversation_id}).one())


def add(connection: Connection, **values: Any) -> int:
    """A conversation that we begin; its id."""
    return int(connection.execute(insert(Conversation).values(**values).returning(Conversation.id)).scalar_one())


def get_many(connection: Connection, ids: Sequence[int]) -> dict[int, ConversationRow]:
    """Rows by id, as they are now."""
    return {row[0]: _row(row) for row in connection.execute(_GET_MANY, {"ids": ids})}


def lock_many(connection: Connection, ids: Sequence[int]) -> dict[int, ConversationRow]:
    """Rows by id, held until the commit. In the order of their ids, so that two writers do not block each other."""
    return {row[0]: _row(row) for row in connection.execute(_LOCK_MANY, {"ids": ids})}


def lock_named(connection: Connection, places: Iterable[tuple[str, str]]) -> dict[tuple[str, str], ConversationRow]:
    """Rows by channel and key, held until the commit; conversations that do not exist are left out."""
    keys: dict[str, list[str]] = {}
    for channel, key in places:
        keys.setdefault(channel, []).append(key)
    if len(keys) == 1:
        ((channel, theirs),) = keys.items()
        found = [_row(row) for row in connection.execute(_LOCK_NAMED, {"channel": channel, "keys": theirs})]
    else:
        named = [(_IDS_NAMED, {"channel": channel, "keys": theirs}) for channel, theirs in keys.items()]
        ids = [row_id for query, given in named for row_id in connection.execute(query, given).scalars()]
        found = list(lock_many(connection, ids).values())
    return {(row.channel, row.key): row for row in found}


def altered(row: ConversationRow, **values: Any) -> ConversationRow:
    """The row with other values; `dataclasses.replace` takes ten times as long for so many fields."""
    return ConversationRow(**{**vars(row), **values})


def new(**values: Any) -> ConversationRow:
    """A conversation as it is right after it was made."""
    return ConversationRow(**{**_NEW, **values})


def _row(row: Row[Any]) -> ConversationRow:
    return ConversationRow(**dict(zip(_NAMES, row, strict=True)))


_NAMES = tuple(ConversationRow.__dataclass_fields__)
_NEW: Mapping[str, Any] = dict.fromkeys(_NAMES) | {"subject": "", "thread": {}, "owner": "bot", "owner_epoch": 0}
_ALL = select(*(_TABLE.c[name] for name in _NAMES))
_GET = _ALL.where(_TABLE.c.id == bindparam("row_id"))
_FIND = _ALL.where(_TABLE.c.channel == bindparam("channel"), _TABLE.c.key == bindparam("key"))
_LOCK = _GET.with_for_update()
_GET_MANY = _ALL.where(bulk.among(_TABLE.c.id, "ids"))
_LOCKED = _ALL.order_by(_TABLE.c.id).with_for_update()
_LOCK_MANY = _LOCKED.where(bulk.among(_TABLE.c.id, "ids"))
_IDS_NAMED = select(_TABLE.c.id).where(_TABLE.c.channel == bindparam("channel"), bulk.among(_TABLE.c.key, "keys"))
_LOCK_NAMED = _LOCKED.where(_TABLE.c.channel == bindparam("channel"), bulk.among(_TABLE.c.key, "keys"))


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


def renew_leases(connection: Connection, tokens: Sequence[str], until: datetime) -> None:
    connection.execute(update(Conversation).where(Conversation.lease_token.in_(tokens)).values(lease_until=until))


def release_lease(connection: Connection, conversation_id: int, token: str, not_before: datetime | None = None) -> None:
    query = update(Conversation).where(Conversation.id == conversation_id, Conversation.lease_token == token)
    connection.execute(query.values(lease_token=None, lease_until=None, not_before=not_before))
