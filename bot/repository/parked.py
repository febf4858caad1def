"""Rows that no machine goes on with, and what operators did to them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, insert, literal_column, select, text, update

from bot.store.tables import UNFINISHED, Conversation, Deed, Inbox, Outbox

# Written out, not bound: SQLite uses a partial index only when the query repeats its condition word for word.
UNSETTLED = text("outbox.state in ('parked', 'failed', 'unknown') and outbox.settled_at is null")


@dataclass(frozen=True, kw_only=True)
class ParkedRow:
    """One of them, without anybody's text. `name` is "inbox:12" or "outbox:7"."""

    name: str
    state: str
    channel: str
    conversation_id: int
    since: datetime
    """When it was received or queued."""
    attempts: int
    deaths: int
    """Workers that died over it; 0 for an outgoing row."""
    error: str | None


def received(connection: Connection) -> Sequence[ParkedRow]:
    columns: list[Any] = [Inbox.id, Inbox.state, Inbox.channel, Inbox.conversation_id, Inbox.attempts, Inbox.error]
    columns += [Inbox.received_at.label("since"), Inbox.deaths]
    query = select(*columns).where(text(f"inbox.{UNFINISHED}"), Inbox.state == "parked")
    return [_row("inbox", found._mapping) for found in connection.execute(query.order_by(Inbox.id))]


def unsent(connection: Connection) -> Sequence[ParkedRow]:
    columns: list[Any] = [Outbox.id, Outbox.state, Conversation.channel, Outbox.conversation_id, Outbox.attempts]
    columns += [Outbox.error, Outbox.created_at.label("since"), literal_column("0").label("deaths")]
    query = select(*columns).join(Conversation, Conversation.id == Outbox.conversation_id).where(UNSETTLED)
    return [_row("outbox", found._mapping) for found in connection.execute(query.order_by(Outbox.id))]


def conversation_of(connection: Connection, inbox_id: int) -> int | None:
    return connection.execute(select(Inbox.conversation_id).where(Inbox.id == inbox_id)).scalar_one_or_none()


def reopen_received(connection: Connection, inbox_id: int) -> bool:
    """Back to the road, as if it had just come. False when it is not parked."""
    fresh = {"state": "new", "outcome": None, "attempts": 0, "deaths": 0, "error": None, "finished_at": None}
    reopened = update(Inbox).where(Inbox.id == inbox_id, Inbox.state == "parked").values(**fresh)
    return connection.execute(reopened).rowcount == 1


def count_waiting(connection: Connection, conversation_id: int) -> None:
    """One more message waits for its turn, which may begin at once."""
    waiting = update(Conversation).where(Conversation.id == conversation_id)
    connection.execute(waiting.values(pending=Conversation.pending + 1, not_before=None))


def settle_received(connection: Connection, inbox_id: int, now: datetime) -> bool:
    """Accounted for as rejected. False when it is not parked."""
    settled = update(Inbox).where(Inbox.id == inbox_id, Inbox.state == "parked")
    return connection.execute(settled.values(state="done", outcome="rejected", finished_at=now)).rowcount == 1


def lock_unsent(connection: Connection, outbox_id: int) -> Any | None:
    """State, conversation and owner's epoch of an outgoing row nobody settled, held until the commit."""
    columns = (Outbox.state, Outbox.conversation_id, Outbox.owner_epoch)
    query = select(*columns).where(Outbox.id == outbox_id, UNSETTLED)
    return connection.execute(query.with_for_update()).one_or_none()


def requeue_unsent(connection: Connection, outbox_id: int, now: datetime) -> None:
    fresh = {"state": "new", "attempts": 0, "error": None, "token": None, "lease_until": None, "not_before": None}
    connection.execute(update(Outbox).where(Outbox.id == outbox_id).values(**fresh, tried_since=now))


def settle_unsent(connection: Connection, outbox_id: int, now: datetime) -> None:
    connection.execute(update(Outbox).where(Outbox.id == outbox_id).values(settled_at=now))


def record(connection: Connection, *, deed: str, target: str, person: str, reason: str, at: datetime) -> None:
    connection.execute(insert(Deed).values(deed=deed, target=target, person=person, reason=reason, at=at))


def _row(kind: str, found: Any) -> ParkedRow:
    values = dict(found)
    return ParkedRow(name=f"{kind}:{values.pop('id')}", **values)
