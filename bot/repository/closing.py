"""Ends messages, many in a few statements: the inbox rows, the replies in the outbox, the conversations' counts."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, select

from bot.repository.conversations import ConversationRow
from bot.repository.inbox import InboxRow
from bot.repository.outbox import WAITING, Draft, OutboxRow
from bot.store import bulk
from bot.store.tables import Conversation, Inbox, Outbox, table
from bot.tokens import new_token

_CONVERSATION, _INBOX, _OUTBOX = table(Conversation), table(Inbox), table(Outbox)


@dataclass(frozen=True, slots=True, kw_only=True)
class Close:
    """A message and how it ended. `conversation` is locked by us, and as it is now."""

    conversation: ConversationRow
    row: InboxRow
    state: str
    outcome: str
    at: datetime
    kind: str | None = None
    text: str = ""
    language: str | None = None
    note: str | None = None
    drafts: Sequence[Draft] = ()
    send_until: datetime | None = None
    """Set when its replies are to be sent by us at once: claimed up to this time, unless earlier ones still wait."""


@dataclass(frozen=True, slots=True)
class Claimed:
    """A reply that is ours to send now."""

    row: OutboxRow
    token: str


Written = Mapping[int, Sequence[Claimed]]
"""By conversation: the replies that are ours to send, in order."""


def write(connection: Connection, closes: Sequence[Close]) -> Written | None:
    """None when one of the messages was ended before: then the caller undoes all of it."""
    if not closes:
        return {}
    endings = [_ending(close) for close in closes]
    if bulk.change(connection, _INBOX, endings, only_if=("state", "new")) != len(closes):
        return None
    rows = _replies(connection, closes)
    claimed = _queue(connection, rows)
    queued = Counter(row["conversation_id"] for row in rows)
    bulk.change(connection, _CONVERSATION, [_count(close, queued[close.conversation.id]) for close in closes])
    return claimed


def _ending(close: Close) -> Mapping[str, Any]:
    return {
        "id": close.row.id,
        "state": close.state,
        "outcome": close.outcome,
        "kind": close.kind,
        "text": close.text,
        "language": close.language,
        "note": close.note,
        "finished_at": close.at,
    }


def _replies(connection: Connection, closes: Sequence[Close]) -> Sequence[Mapping[str, Any]]:
    """The rows of the outbox. What an earlier life of the message has queued is not queued again."""
    origins = [draft.origin for close in closes for draft in close.drafts]
    if not origins:
        return ()
    said = set(connection.execute(_SAID, {"origins": origins}).scalars())
    at_once = [close.conversation.id for close in closes if close.send_until is not None]
    blocked = set(connection.execute(_BLOCKED, {"ids": at_once}).scalars()) if at_once else set()
    return [
        row
        for close in closes
        for row in _rows(
            close,
            [draft for draft in close.drafts if draft.origin not in said],
            None if close.conversation.id in blocked else close.send_until,
        )
    ]


def _rows(close: Close, drafts: Sequence[Draft], until: datetime | None) -> Iterator[Mapping[str, Any]]:
    for place, draft in enumerate(drafts, start=close.conversation.last_seq + 1):
        yield {
            "origin": draft.origin,
            "message_id": new_token(),
            "conversation_id": close.conversation.id,
            "seq": place,
            "author": draft.author.value,
            "author_name": draft.author_name,
            "agent_id": draft.agent_id,
            "owner_epoch": draft.owner_epoch,
            "text": draft.text,
            "language": draft.language,
            "buttons": [list(button) for button in draft.buttons],
            "sealed": draft.sealed,
            "created_at": close.at,
            "state": "new" if until is None else "sending",
            "token": None if until is None else new_token(),
            "lease_until": until,
        }


def _queue(connection: Connection, rows: Sequence[Mapping[str, Any]]) -> Written:
    at_once = {row["origin"]: row for row in rows if row["token"] is not None}
    added = bulk.add(connection, _OUTBOX, rows, returning=("id", "origin") if at_once else ())
    claimed: dict[int, list[Claimed]] = {}
    for outbox_id, origin in sorted(added):
        if (row := at_once.get(origin)) is not None:
            known = {name: row.get(name) for name in OutboxRow.__dataclass_fields__}
            ours = OutboxRow(**{**known, "id": outbox_id, "attempts": 0})
            claimed.setdefault(row["conversation_id"], []).append(Claimed(ours, row["token"]))
    return claimed


_SAID = select(_OUTBOX.c.origin).where(bulk.among(_OUTBOX.c.origin, "origins"))
_BLOCKED = select(_OUTBOX.c.conversation_id).where(
    bulk.among(_OUTBOX.c.conversation_id, "ids"), _OUTBOX.c.state.in_(WAITING)
)


def _count(close: Close, replies: int) -> Mapping[str, Any]:
    """With the last waiting message the lease is given up."""
    before = close.conversation
    last = before.pending <= 1
    return {
        "id": before.id,
        "last_seq": before.last_seq + replies,
        "pending": before.pending - 1,
        "lease_token": None if last else before.lease_token,
        "lease_until": None if last else before.lease_until,
        "not_before": None,
    }
