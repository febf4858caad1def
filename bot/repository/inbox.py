"""The inbox: what was received, whether it is finished, and how it was accounted for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, func, insert, select, update

from bot.repository.conversations import lease_if_free
from bot.store.tables import Conversation, Evidence, Inbox
from channels.contract import Accepted, InboundMessage


@dataclass(frozen=True, kw_only=True)
class InboxRow:
    id: int
    channel: str
    external_id: str
    conversation_id: int
    seq: int
    sender: str
    received_at: datetime
    envelope: Mapping[str, Any]
    raw_sha256: str
    raw_size: int
    raw: bytes | None
    state: str
    outcome: str | None
    attempts: int
    deaths: int
    error: str | None
    text: str


_COLUMNS = [getattr(Inbox, name) for name in InboxRow.__dataclass_fields__]


def find_duplicate(connection: Connection, channel: str, external_id: str) -> Accepted | None:
    query = select(Inbox.id, Inbox.conversation_id, Inbox.seq).where(
        Inbox.channel == channel, Inbox.external_id == external_id
    )
    row = connection.execute(query).one_or_none()
    if row is None:
        return None
    return Accepted(inbox_id=row.id, conversation_id=row.conversation_id, seq=row.seq, duplicate=True)


def place(
    connection: Connection, message: InboundMessage, token: str, now: datetime, until: datetime
) -> tuple[int, int, bool]:
    """Finds or makes the conversation and takes its next position: (conversation id, seq, lease is ours)."""
    account = _account_values(message)
    query = (
        update(Conversation)
        .where(Conversation.channel == message.channel, Conversation.key == message.conversation_key)
        .values(
            last_seq=Conversation.last_seq + 1,
            pending=Conversation.pending + 1,
            active_at=now,
            **account,
            **lease_if_free(token, now, until),
        )
        .returning(Conversation.id, Conversation.last_seq, Conversation.lease_token)
    )
    row = connection.execute(query).one_or_none()
    if row is not None:
        return row.id, row.last_seq, row.lease_token == token
    made = insert(Conversation).values(
        channel=message.channel,
        key=message.conversation_key,
        recipient=message.sender,
        language=message.language,
        last_seq=1,
        pending=1,
        lease_token=token,
        lease_until=until,
        created_at=now,
        active_at=now,
        **account,
    )
    return int(connection.execute(made.returning(Conversation.id)).scalar_one()), 1, True


def _account_values(message: InboundMessage) -> dict[str, Any]:
    """A proven account is remembered with the conversation; an unproven message never takes it away."""
    if message.account is None:
        return {}
    account = message.account
    return {"account": {"uid": account.uid, "name": account.name, "proven_by": account.proven_by}}


def add(
    connection: Connection,
    message: InboundMessage,
    conversation_id: int,
    seq: int,
    digest: str,
    raw: bytes | None,
) -> int:
    query = insert(Inbox).values(
        channel=message.channel,
        external_id=message.external_id,
        conversation_id=conversation_id,
        seq=seq,
        sender=message.sender,
        received_at=message.received_at,
        envelope=dict(message.envelope),
        raw_sha256=digest,
        raw_size=len(message.raw),
        raw=raw,
    )
    return int(connection.execute(query.returning(Inbox.id)).scalar_one())


def get(connection: Connection, inbox_id: int) -> InboxRow | None:
    row = connection.execute(select(*_COLUMNS).where(Inbox.id == inbox_id)).one_or_none()
    return None if row is None else InboxRow(**row._mapping)


def oldest_unfinished(connection: Connection, conversation_id: int) -> InboxRow | None:
    query = select(*_COLUMNS).where(Inbox.conversation_id == conversation_id, Inbox.state == "new")
    row = connection.execute(query.order_by(Inbox.seq).limit(1)).one_or_none()
    return None if row is None else InboxRow(**row._mapping)


def finish(connection: Connection, row: InboxRow, **values: Any) -> bool:
    """Ends a row (done or parked) and takes it off the conversation's count. False when it was ended before."""
    ended = connection.execute(update(Inbox).where(Inbox.id == row.id, Inbox.state == "new").values(**values))
    if ended.rowcount == 0:
        return False
    connection.execute(
        update(Conversation).where(Conversation.id == row.conversation_id).values(pending=Conversation.pending - 1)
    )
    return True


def of_conversation(connection: Connection, channel: str, key: str, after_seq: int) -> Sequence[InboxRow]:
    query = (
        select(*_COLUMNS)
        .join(Conversation, Conversation.id == Inbox.conversation_id)
        .where(Conversation.channel == channel, Conversation.key == key, Inbox.seq > after_seq)
    )
    return [InboxRow(**row._mapping) for row in connection.execute(query)]


def count_attempt(connection: Connection, inbox_id: int, error: str) -> None:
    connection.execute(update(Inbox).where(Inbox.id == inbox_id).values(attempts=Inbox.attempts + 1, error=error))


def count_death(connection: Connection, inbox_id: int) -> None:
    connection.execute(update(Inbox).where(Inbox.id == inbox_id).values(deaths=Inbox.deaths + 1))


def add_evidence(connection: Connection, rows: Sequence[Mapping[str, Any]]) -> None:
    if rows:
        connection.execute(insert(Evidence), [dict(row) for row in rows])


def received_at(connection: Connection, conversation_id: int, limit: int) -> Sequence[datetime]:
    """When the newest messages of a conversation came, newest first."""
    query = select(Inbox.received_at).where(Inbox.conversation_id == conversation_id)
    return connection.execute(query.order_by(Inbox.seq.desc()).limit(limit)).scalars().all()


def count_by_outcome(connection: Connection) -> Mapping[str, int]:
    """Rows per outcome; unfinished ones under "in_progress". Every row is in exactly one place."""
    name = func.coalesce(Inbox.outcome, "in_progress")
    return {row[0]: row[1] for row in connection.execute(select(name, func.count()).group_by(name))}


def parked(connection: Connection) -> Sequence[InboxRow]:
    rows = connection.execute(select(*_COLUMNS).where(Inbox.state == "parked").order_by(Inbox.id))
    return [InboxRow(**row._mapping) for row in rows]
