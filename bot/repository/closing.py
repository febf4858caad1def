"""Ends messages, many in a few statements: the inbox rows, the replies in the outbox, the conversations' counts."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, select, text

from bot.repository.conversations import ConversationRow
from bot.repository.inbox import InboxRow
from bot.repository.outbox import Draft
from bot.store import bulk
from bot.store.prepared import Prepared
from bot.store.tables import UNSENT, Conversation, Inbox, Outbox, table
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
    at_once: bool = False
    """Its replies arrive with the commit, unless earlier ones of the conversation still wait."""


def write(connection: Connection, closes: Sequence[Close]) -> Collection[int] | None:
    """The conversations whose replies wait in the outbox; None when one of the messages was ended before: then the
    caller undoes all of it."""
    if not closes:
        return ()
    rows = _replies(connection, closes)
    ended, *_ = bulk.write(
        connection,
        bulk.Change(_INBOX, [_ending(close) for close in closes], only_if=("state", "new")),
        # What an earlier life of the message has queued is not queued again.
        bulk.Add(_OUTBOX, rows, unless="origin"),
        bulk.Change(_CONVERSATION, [_count(close) for close in closes]),
    )
    return {row["conversation_id"] for row in rows if row["state"] == "new"} if ended == len(closes) else None


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
    """The rows of the outbox."""
    at_once = [close.conversation.id for close in closes if close.at_once and close.drafts]
    blocked = {row[0] for row in _BLOCKED.rows(connection, {"ids": at_once})} if at_once else set()
    return [
        row for close in closes for row in _rows(close, arrived=close.at_once and close.conversation.id not in blocked)
    ]


def _rows(close: Close, *, arrived: bool) -> Iterator[Mapping[str, Any]]:
    for place, draft in enumerate(close.drafts, start=close.conversation.last_seq + 1):
        message_id = new_token()
        yield {
            "origin": draft.origin,
            "message_id": message_id,
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
            "state": "sent" if arrived else "new",
            "sent_at": close.at if arrived else None,
            "peer_id": message_id if arrived else None,
        }


_BLOCKED = Prepared(
    select(_OUTBOX.c.conversation_id).where(bulk.among(_OUTBOX.c.conversation_id, "ids"), text(f"outbox.{UNSENT}"))
)


def _count(close: Close) -> Mapping[str, Any]:
    """With the last waiting message the lease is given up."""
    before = close.conversation
    last = before.pending <= 1
    return {
        "id": before.id,
        "last_seq": before.last_seq + len(close.drafts),
        "pending": before.pending - 1,
        "lease_token": None if last else before.lease_token,
        "lease_until": None if last else before.lease_until,
        "not_before": None,
    }
