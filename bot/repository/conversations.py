"""Conversations: their place in the order, their lease, their owner."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from enum import Enum
from typing import Any, NamedTuple

from sqlalchemy import (
    BindParameter,
    Connection,
    Integer,
    and_,
    bindparam,
    case,
    func,
    insert,
    or_,
    select,
    text,
    update,
)

from bot.store import bulk
from bot.store.prepared import Prepared
from bot.store.tables import UNFINISHED, Conversation, Inbox, table

_TABLE, _INBOX = table(Conversation), table(Inbox)


class ConversationRow(NamedTuple):
    """A tuple, as the driver gives it: every message reads two of these, and other classes cost several times as much
    to make."""

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


ABSURDLY_FAR = timedelta(hours=2)
"""No lease and no pause is this long: such a time was written while the clock was wrong."""


def get(connection: Connection, conversation_id: int) -> ConversationRow:
    """Raises NoResultFound when there is none."""
    return ConversationRow._make(_GET.one(connection, {"row_id": conversation_id}))


def find(connection: Connection, channel: str, key: str) -> ConversationRow | None:
    row = _FIND.one_or_none(connection, {"channel": channel, "key": key})
    return None if row is None else ConversationRow._make(row)


def lock(connection: Connection, conversation_id: int) -> ConversationRow:
    """The row, held until the commit, so that nobody changes owner or order meanwhile. Raises NoResultFound."""
    return ConversationRow._make(_LOCK.one(connection, {"row_id": conversation_id}))


def add(connection: Connection, **values: Any) -> int:
    """A conversation that we begin; its id."""
    return int(connection.execute(insert(Conversation).values(**values).returning(Conversation.id)).scalar_one())


def get_many(connection: Connection, ids: Sequence[int]) -> dict[int, ConversationRow]:
    """Rows by id, as they are now."""
    return {row[0]: ConversationRow._make(row) for row in _GET_MANY.rows(connection, {"ids": ids})}


def lock_many(connection: Connection, ids: Sequence[int]) -> dict[int, ConversationRow]:
    """Rows by id, held until the commit. In the order of their ids, so that two writers do not block each other."""
    return {row[0]: ConversationRow._make(row) for row in _LOCK_MANY.rows(connection, {"ids": ids})}


def lock_named(connection: Connection, places: Iterable[tuple[str, str]]) -> dict[tuple[str, str], ConversationRow]:
    """Rows by channel and key, held until the commit; conversations that do not exist are left out."""
    keys: dict[str, list[str]] = {}
    for channel, key in places:
        keys.setdefault(channel, []).append(key)
    if len(keys) == 1:
        ((channel, theirs),) = keys.items()
        rows = _LOCK_NAMED.rows(connection, {"channel": channel, "keys": theirs})
        found = [ConversationRow._make(row) for row in rows]
    else:
        named = [(_IDS_NAMED, {"channel": channel, "keys": theirs}) for channel, theirs in keys.items()]
        ids = [row_id for query, given in named for row_id in connection.execute(query, given).scalars()]
        found = list(lock_many(connection, ids).values())
    return {(row.channel, row.key): row for row in found}


def new(**values: Any) -> ConversationRow:
    """A conversation as it is right after it was made."""
    return ConversationRow(**{**_NEW, **values})


_NAMES = ConversationRow._fields
_NEW: Mapping[str, Any] = dict.fromkeys(_NAMES) | {"subject": "", "thread": {}, "owner": "bot", "owner_epoch": 0}
_ALL = select(*(_TABLE.c[name] for name in _NAMES))
_BY_ID = _ALL.where(_TABLE.c.id == bindparam("row_id"))
_GET = Prepared(_BY_ID)
_FIND = Prepared(_ALL.where(_TABLE.c.channel == bindparam("channel"), _TABLE.c.key == bindparam("key")))
_LOCK = Prepared(_BY_ID.with_for_update())
_GET_MANY = Prepared(_ALL.where(bulk.among(_TABLE.c.id, "ids")))
_LOCKED = _ALL.order_by(_TABLE.c.id).with_for_update()
_LOCK_MANY = Prepared(_LOCKED.where(bulk.among(_TABLE.c.id, "ids")))
_IDS_NAMED = select(_TABLE.c.id).where(_TABLE.c.channel == bindparam("channel"), bulk.among(_TABLE.c.key, "keys"))
_LOCK_NAMED = Prepared(_LOCKED.where(_TABLE.c.channel == bindparam("channel"), bulk.among(_TABLE.c.key, "keys")))


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
    if values:
        bulk.change(connection, _TABLE, [{"id": conversation_id, **values}])


def change_owner(connection: Connection, conversation_id: int, owner: str, **values: Any) -> None:
    """Gives the word to `owner`; what the bot decided before counts as late from now on."""
    query = update(Conversation).where(Conversation.id == conversation_id)
    connection.execute(query.values(owner=owner, owner_epoch=Conversation.owner_epoch + 1, **values))


def claimable(connection: Connection, now: datetime, limit: int) -> Sequence[int]:
    """Conversations with unfinished messages that nobody works on."""
    given = {"now": now, "absurd": now + ABSURDLY_FAR, "limit": limit}
    return connection.execute(_CLAIMABLE, given).scalars().all()


def next_free(connection: Connection, now: datetime, until: datetime) -> datetime | None:
    """When the next of them comes free that is not yet: its lease or its pause ends. None when none does by `until`."""
    found: datetime | None = _NEXT_FREE.one(connection, {"now": now, "until": until})[0]
    return found


def take_leases(
    connection: Connection, tokens: Mapping[int, str], now: datetime, until: datetime
) -> Mapping[int, Lease]:
    """Takes the leases of these conversations, each under its token; those that somebody else has are left out."""
    given = {"ids": list(tokens), "now": now, "absurd": now + ABSURDLY_FAR}
    held = connection.execute(_FREE, given).all()
    bulk.change(
        connection, _TABLE, [{"id": row.id, "lease_token": tokens[row.id], "lease_until": until} for row in held]
    )
    return {row.id: Lease.TAKEN if row.lease_token is None else Lease.INHERITED for row in held}


class Lease(Enum):
    """How a conversation's lease was taken."""

    TAKEN = "taken"
    INHERITED = "inherited"
    """Whoever held it before died with it."""


def run_out(lease: Any, now: Any, absurd: Any) -> Any:
    """Nobody keeps this lease any more. A time too far ahead to be ours was written by a wrong clock.

    The one rule for Python's times and for columns: whoever looks for such rows and whoever takes them must agree.
    """
    return (lease < now) | (lease > absurd)


_NOW: BindParameter[datetime] = bindparam("now", type_=_TABLE.c.lease_until.type)
_ABSURD: BindParameter[datetime] = bindparam("absurd", type_=_TABLE.c.lease_until.type)
_WITH_WORK = select(_INBOX.c.conversation_id).where(text(f"inbox.{UNFINISHED}"), _INBOX.c.state == "new")
_IS_FREE = and_(
    or_(_TABLE.c.lease_until.is_(None), run_out(_TABLE.c.lease_until, _NOW, _ABSURD)),
    or_(_TABLE.c.not_before.is_(None), _TABLE.c.not_before <= _NOW, _TABLE.c.not_before > _ABSURD),
)
"""Nobody holds the lease and the next try is due."""
_FREE = (
    select(_TABLE.c.id, _TABLE.c.lease_token)
    .where(bulk.among(_TABLE.c.id, "ids"), _IS_FREE)
    .order_by(_TABLE.c.id)
    .with_for_update(skip_locked=True)
)
_CLAIMABLE = (
    select(_TABLE.c.id)
    .where(_TABLE.c.id.in_(_WITH_WORK), _IS_FREE)
    .order_by(_TABLE.c.active_at)
    .limit(bindparam("limit", type_=Integer))
)
_ENDS = case((_TABLE.c.lease_until > _NOW, _TABLE.c.lease_until), else_=_TABLE.c.not_before)
_UNTIL: BindParameter[datetime] = bindparam("until", type_=_TABLE.c.lease_until.type)
_NEXT_FREE = Prepared(select(func.min(_ENDS)).where(_TABLE.c.id.in_(_WITH_WORK), _ENDS.between(_NOW, _UNTIL)))
_OURS = (bulk.among(_TABLE.c.id, "ids"), bulk.among(_TABLE.c.lease_token, "tokens"))
"""By id, for tokens have no index."""
_RENEW = update(_TABLE).where(*_OURS).values(lease_until=bindparam("until"))
_RELEASE = update(_TABLE).where(*_OURS).values(lease_token=None, lease_until=None)


def renew_leases(connection: Connection, claims: Mapping[str, int], until: datetime) -> None:
    """Conversations by our token; a lease that somebody else has meanwhile is left alone."""
    connection.execute(_RENEW, {**_named(claims), "until": until})


def release_leases(connection: Connection, claims: Mapping[str, int]) -> None:
    """Gives up what is still ours: the next scan, here or elsewhere, may take it at once."""
    connection.execute(_RELEASE, _named(claims))


def _named(claims: Mapping[str, int]) -> Mapping[str, Any]:
    return {"ids": list(claims.values()), "tokens": list(claims)}


def release_lease(connection: Connection, conversation_id: int, token: str, not_before: datetime | None = None) -> None:
    query = update(Conversation).where(Conversation.id == conversation_id, Conversation.lease_token == token)
    connection.execute(query.values(lease_token=None, lease_until=None, not_before=not_before))
