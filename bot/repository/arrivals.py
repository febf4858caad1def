"""Stores messages as they arrive, many in a few statements: known ones are found again, new ones get their place."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import chain
from typing import Any

from sqlalchemy import Connection, bindparam, select

from bot.repository import conversations
from bot.repository.conversations import ConversationRow
from bot.repository.inbox import InboxRow
from bot.store import bulk
from bot.store.prepared import Prepared
from bot.store.tables import Conversation, Inbox, table
from channels.contract import Accepted, InboundMessage

_CONVERSATION, _INBOX = table(Conversation), table(Inbox)


@dataclass(frozen=True, slots=True)
class Arrival:
    """One message at the door. `raw` is None when its bytes are a file; `token` is the claim it would take, None when
    nobody here has room for the work."""

    message: InboundMessage
    digest: str
    raw: bytes | None
    token: str | None

    @property
    def name(self) -> tuple[str, str]:
        return self.message.channel, self.message.external_id

    @property
    def place(self) -> tuple[str, str]:
        return self.message.channel, self.message.conversation_key


@dataclass(frozen=True, slots=True)
class Stored:
    """Where a message is, and whether its conversation's lease was taken with it."""

    accepted: Accepted
    row: InboxRow | None = None
    conversation: ConversationRow | None = None
    """As it is now, with the row; only when the lease is ours and nothing older waits."""
    leased: bool = False


def store(connection: Connection, arrivals: Sequence[Arrival], now: datetime, until: datetime) -> Sequence[Stored]:
    """One outcome per arrival, in their order. Messages of one conversation get their places in that order."""
    known = _known(connection, arrivals)
    fresh: dict[tuple[str, str], Arrival] = {}
    for one in arrivals:
        if one.name not in known:
            fresh.setdefault(one.name, one)
    if fresh:
        known |= _place(connection, list(fresh.values()), now, until)
    seen: set[tuple[str, str]] = set()
    outcomes = []
    for one in arrivals:
        found = known[one.name]
        if one.name in seen:
            found = Stored(replace(found.accepted, duplicate=True))
        seen.add(one.name)
        outcomes.append(found)
    return outcomes


def _known(connection: Connection, arrivals: Sequence[Arrival]) -> dict[tuple[str, str], Stored]:
    found: dict[tuple[str, str], Stored] = {}
    for channel in {one.message.channel for one in arrivals}:
        names = [one.message.external_id for one in arrivals if one.message.channel == channel]
        for name, inbox_id, conversation_id, seq in _NAMED.rows(connection, {"channel": channel, "names": names}):
            accepted = Accepted(inbox_id=inbox_id, conversation_id=conversation_id, seq=seq, duplicate=True)
            found[channel, name] = Stored(accepted)
    return found


_NAMED = Prepared(
    select(_INBOX.c.external_id, _INBOX.c.id, _INBOX.c.conversation_id, _INBOX.c.seq).where(
        _INBOX.c.channel == bindparam("channel"), bulk.among(_INBOX.c.external_id, "names")
    )
)


@dataclass(frozen=True, slots=True)
class _Growth:
    """A conversation and the messages it gets; `before` is None when they begin it."""

    arrivals: Sequence[Arrival]
    before: ConversationRow | None
    taken: bool
    """The first of the messages takes the lease, which nobody holds."""


def _place(
    connection: Connection, fresh: Sequence[Arrival], now: datetime, until: datetime
) -> dict[tuple[str, str], Stored]:
    """Puts new messages at the end of their conversations, which are made where there are none."""
    by_place: dict[tuple[str, str], list[Arrival]] = {}
    for one in fresh:
        by_place.setdefault(one.place, []).append(one)
    before = conversations.lock_named(connection, by_place)
    growths = [_growth(theirs, before.get(place), now) for place, theirs in by_place.items()]
    made = _make(connection, [growth for growth in growths if growth.before is None], now, until)
    after = [_after(growth, made) for growth in growths]
    rows = [_rows(growth, conversation) for growth, conversation in zip(growths, after, strict=True)]
    _, added = bulk.write(
        connection,
        bulk.Change(_CONVERSATION, [_grown(growth, now, until) for growth in growths if growth.before is not None]),
        bulk.Add(_INBOX, list(chain.from_iterable(rows)), returning=("id", "channel", "external_id")),
    )
    ids = {(channel, name): inbox_id for inbox_id, channel, name in added}
    return {
        one.name: _stored(growth, conversation, row, ids[one.name], first=one is growth.arrivals[0])
        for growth, conversation, theirs in zip(growths, after, rows, strict=True)
        for one, row in zip(growth.arrivals, theirs, strict=True)
    }


def _growth(arrivals: Sequence[Arrival], before: ConversationRow | None, now: datetime) -> _Growth:
    free = before is None or (before.lease_token is None and (before.not_before is None or before.not_before <= now))
    return _Growth(arrivals, before, free and arrivals[0].token is not None)


def _make(
    connection: Connection, growths: Sequence[_Growth], now: datetime, until: datetime
) -> Mapping[tuple[str, str], int]:
    """The ids of new conversations by their place."""
    if not growths:
        return {}
    values = [
        {
            "channel": growth.arrivals[0].message.channel,
            "key": growth.arrivals[0].message.conversation_key,
            "recipient": growth.arrivals[0].message.sender,
            "language": growth.arrivals[0].message.language,
            "last_seq": len(growth.arrivals),
            "pending": len(growth.arrivals),
            "lease_token": growth.arrivals[0].token,
            "lease_until": until if growth.taken else None,
            "created_at": now,
            "active_at": now,
        }
        for growth in growths
    ]
    made = bulk.add(connection, _CONVERSATION, values, returning=("id", "channel", "key"))
    return {(channel, key): conversation_id for conversation_id, channel, key in made}


def _grown(growth: _Growth, now: datetime, until: datetime) -> Mapping[str, Any]:
    before, more = growth.before, len(growth.arrivals)
    assert before is not None
    return {
        "id": before.id,
        "last_seq": before.last_seq + more,
        "pending": before.pending + more,
        "active_at": now,
        "lease_token": growth.arrivals[0].token if growth.taken else before.lease_token,
        "lease_until": until if growth.taken else before.lease_until,
    }


def _after(growth: _Growth, made: Mapping[tuple[str, str], int]) -> ConversationRow:
    more, first = len(growth.arrivals), growth.arrivals[0]
    if growth.before is not None:
        token = first.token if growth.taken else growth.before.lease_token
        return growth.before._replace(
            last_seq=growth.before.last_seq + more,
            pending=growth.before.pending + more,
            lease_token=token,
        )
    return conversations.new(
        id=made[first.place],
        channel=first.message.channel,
        key=first.message.conversation_key,
        recipient=first.message.sender,
        language=first.message.language,
        last_seq=more,
        pending=more,
        lease_token=first.token,
    )


def _rows(growth: _Growth, after: ConversationRow) -> Sequence[Mapping[str, Any]]:
    places = range(after.last_seq - len(growth.arrivals) + 1, after.last_seq + 1)
    return [_row(one, after.id, seq) for one, seq in zip(growth.arrivals, places, strict=True)]


def _row(one: Arrival, conversation_id: int, seq: int) -> Mapping[str, Any]:
    message = one.message
    return {
        "channel": message.channel,
        "external_id": message.external_id,
        "conversation_id": conversation_id,
        "seq": seq,
        "sender": message.sender,
        "received_at": message.received_at,
        "envelope": dict(message.envelope),
        "raw_sha256": one.digest,
        "raw_size": len(message.raw),
        "raw": one.raw,
    }


def _stored(
    growth: _Growth, conversation: ConversationRow, row: Mapping[str, Any], inbox_id: int, *, first: bool
) -> Stored:
    accepted = Accepted(inbox_id=inbox_id, conversation_id=conversation.id, seq=row["seq"], duplicate=False)
    if not first or not growth.taken:
        return Stored(accepted)
    if growth.before is not None and growth.before.pending:
        return Stored(accepted, leased=True)
    return Stored(accepted, row=_AS_NEW._replace(id=inbox_id, **row), conversation=conversation, leased=True)


_UNTOUCHED: Mapping[str, Any] = {"state": "new", "attempts": 0, "deaths": 0, "text": ""}
_AS_NEW = InboxRow(**{**dict.fromkeys(InboxRow._fields), **_UNTOUCHED})
"""What a row has before anything happened to its message."""
