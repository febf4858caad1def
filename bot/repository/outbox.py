"""The outbox: every word to a user, in order per conversation."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, and_, exists, func, insert, or_, select, update
from sqlalchemy.orm import aliased

from bot.repository import conversations
from bot.store.tables import Conversation, Outbox
from channels.contract import Author

WAITING = ("new", "sending")
ABSURDLY_FAR = timedelta(days=1)
"""No lease and no back-off is this long: such a time was written while the clock was wrong."""


TOOK_OVER = "a person took over first"


@dataclass(frozen=True, kw_only=True)
class Draft:
    """One message to be queued. `origin` names what decided it and makes a repetition harmless."""

    origin: str
    author: Author
    text: str
    language: str
    author_name: str = ""
    agent_id: int | None = None
    owner_epoch: int | None = None
    buttons: Sequence[tuple[str, str]] = field(default_factory=tuple)


@dataclass(frozen=True, kw_only=True)
class OutboxRow:
    id: int
    origin: str
    message_id: str
    conversation_id: int
    seq: int
    author: str
    author_name: str
    owner_epoch: int | None
    text: str
    language: str
    buttons: Sequence[Sequence[str]]
    created_at: datetime
    state: str
    attempts: int
    error: str | None


_COLUMNS = [getattr(Outbox, name) for name in OutboxRow.__dataclass_fields__]


def queue(connection: Connection, conversation_id: int, draft: Draft, message_id: str, now: datetime) -> int:
    """Adds the message at the end of the conversation; the id of the earlier row if this origin was queued before."""
    known = find_origin(connection, draft.origin)
    if known is not None:
        return known
    query = insert(Outbox).values(
        origin=draft.origin,
        message_id=message_id,
        conversation_id=conversation_id,
        seq=conversations.next_seq(connection, conversation_id),
        author=draft.author.value,
        author_name=draft.author_name,
        agent_id=draft.agent_id,
        owner_epoch=draft.owner_epoch,
        text=draft.text,
        language=draft.language,
        buttons=[list(button) for button in draft.buttons],
        created_at=now,
    )
    return int(connection.execute(query.returning(Outbox.id)).scalar_one())


def sendable(connection: Connection, now: datetime, limit: int) -> Sequence[int]:
    """Rows that are due and have no earlier unsent row in their conversation."""
    absurd = now + ABSURDLY_FAR
    earlier = aliased(Outbox)
    blocked = exists().where(
        earlier.conversation_id == Outbox.conversation_id, earlier.seq < Outbox.seq, earlier.state.in_(WAITING)
    )
    due = and_(
        Outbox.state == "new", or_(Outbox.not_before.is_(None), Outbox.not_before <= now, Outbox.not_before > absurd)
    )
    orphaned = and_(Outbox.state == "sending", or_(Outbox.lease_until < now, Outbox.lease_until > absurd))
    query = select(Outbox.id).where(Outbox.state.in_(WAITING), or_(due, orphaned), ~blocked)
    return connection.execute(query.order_by(Outbox.id).limit(limit)).scalars().all()


def lock(connection: Connection, outbox_id: int) -> tuple[OutboxRow, datetime | None]:
    """The row and its lease, held until the commit."""
    query = select(*_COLUMNS, Outbox.lease_until).where(Outbox.id == outbox_id).with_for_update()
    values = dict(connection.execute(query).one()._mapping)
    lease_until = values.pop("lease_until")
    return OutboxRow(**values), lease_until


def find_origin(connection: Connection, origin: str) -> int | None:
    return connection.execute(select(Outbox.id).where(Outbox.origin == origin)).scalar_one_or_none()


def drop_late(connection: Connection, conversation_id: int) -> None:
    """The bot's words that have not left yet are late once somebody else owns the conversation."""
    late = and_(Outbox.conversation_id == conversation_id, Outbox.state == "new", Outbox.owner_epoch.is_not(None))
    connection.execute(update(Outbox).where(late).values(state="dropped", error=TOOK_OVER))


def change(connection: Connection, outbox_id: int, **values: Any) -> None:
    connection.execute(update(Outbox).where(Outbox.id == outbox_id).values(**values))


def settle(connection: Connection, outbox_id: int, token: str, **values: Any) -> bool:
    """Writes down how a sending ended, if the claim is still ours."""
    query = update(Outbox).where(Outbox.id == outbox_id, Outbox.token == token, Outbox.state == "sending")
    return connection.execute(query.values(token=None, lease_until=None, **values)).rowcount == 1


def renew(connection: Connection, outbox_ids: Sequence[int], until: datetime) -> None:
    sending = update(Outbox).where(Outbox.id.in_(outbox_ids), Outbox.state == "sending")
    connection.execute(sending.values(lease_until=until))


def visible(connection: Connection, channel: str, key: str, after_seq: int) -> Sequence[OutboxRow]:
    """What the user of a conversation may see: sent rows and rows on their way."""
    query = (
        select(*_COLUMNS)
        .join(Conversation, Conversation.id == Outbox.conversation_id)
        .where(
            Conversation.channel == channel,
            Conversation.key == key,
            Outbox.seq > after_seq,
            Outbox.state.in_(("sending", "sent", "unknown")),
        )
    )
    return [OutboxRow(**row._mapping) for row in connection.execute(query)]


def first_waiting(connection: Connection, channel: str, key: str) -> int | None:
    """The seq of the first message that is not yet on its way; None when there is none."""
    query = (
        select(func.min(Outbox.seq))
        .join(Conversation, Conversation.id == Outbox.conversation_id)
        .where(Conversation.channel == channel, Conversation.key == key, Outbox.state == "new")
    )
    return connection.execute(query).scalar_one()


def first_lines_of_bot(connection: Connection, conversation_id: int, limit: int) -> Sequence[str]:
    """What the bot has said last in a conversation, oldest first, a line each."""
    query = select(Outbox.text).where(Outbox.conversation_id == conversation_id, Outbox.author == Author.BOT.value)
    texts = connection.execute(query.order_by(Outbox.seq.desc()).limit(limit)).scalars()
    return [text.partition("\n")[0] for text in reversed(list(texts))]


def parked(connection: Connection) -> Sequence[OutboxRow]:
    rows = connection.execute(
        select(*_COLUMNS).where(Outbox.state.in_(("parked", "failed", "unknown"))).order_by(Outbox.id)
    )
    return [OutboxRow(**row._mapping) for row in rows]
