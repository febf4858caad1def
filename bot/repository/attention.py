"""Who has a conversation open, and how far both sides have read it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, delete, func, insert, or_, select, update

from bot.store.live_tables import Heartbeat, Present, ReadMark
from bot.store.tables import Conversation, Inbox, Outbox

USER = "user"


@dataclass(frozen=True)
class Spot:
    """Somebody in a conversation."""

    channel: str
    key: str
    who: str
    """`USER` or "agent:<id>"."""


@dataclass(frozen=True, kw_only=True)
class Marks:
    user_seq: int = 0
    person_seq: int = 0
    reminded_seq: int = 0
    user_left_at: datetime | None = None


_MARKS = [getattr(ReadMark, name) for name in Marks.__dataclass_fields__]


def marks(connection: Connection, conversation_id: int) -> Marks:
    row = connection.execute(select(*_MARKS).where(ReadMark.conversation_id == conversation_id)).one_or_none()
    return Marks() if row is None else Marks(**row._mapping)


def raise_marks(connection: Connection, conversation_id: int, **seqs: int) -> bool:
    """Moves marks forward, never back; False when nothing moved."""
    moved = [name for name, seq in seqs.items() if _raise_mark(connection, conversation_id, name, seq)]
    return bool(moved)


def _raise_mark(connection: Connection, conversation_id: int, name: str, seq: int) -> bool:
    """The condition is part of the write: what was read before it may be old by then."""
    lower = update(ReadMark).where(ReadMark.conversation_id == conversation_id, getattr(ReadMark, name) < seq)
    if connection.execute(lower.values({name: seq})).rowcount:
        return True
    row = select(ReadMark.conversation_id).where(ReadMark.conversation_id == conversation_id)
    if seq <= 0 or connection.execute(row).first() is not None:
        return False
    _add(connection, conversation_id, **{name: seq})
    return True


def _put(connection: Connection, conversation_id: int, **values: Any) -> None:
    changed = connection.execute(
        update(ReadMark).where(ReadMark.conversation_id == conversation_id).values(**values)
    ).rowcount
    if not changed:
        _add(connection, conversation_id, **values)


def _add(connection: Connection, conversation_id: int, **values: Any) -> None:
    """Two writers who both find no row: the second one's insert fails and its operation is run again."""
    connection.execute(insert(ReadMark).values(conversation_id=conversation_id, **values))


def newest_for_user(connection: Connection, conversation_id: int, authors: Iterable[str]) -> int:
    """The number of the newest message by one of `authors` that was sent; 0 when there is none."""
    query = select(func.max(Outbox.seq)).where(
        Outbox.conversation_id == conversation_id,
        Outbox.author.in_(list(authors)),
        Outbox.state.in_(("new", "sending", "sent", "unknown")),
    )
    return int(connection.execute(query).scalar_one() or 0)


def newest_of_user(connection: Connection, conversation_id: int) -> int:
    """The number of the user's own newest message: whoever writes has read what stands before it."""
    query = select(func.max(Inbox.seq)).where(Inbox.conversation_id == conversation_id)
    return int(connection.execute(query).scalar_one() or 0)


def wrote_after(connection: Connection, conversation_id: int, inbox_id: int) -> bool:
    """Whether somebody wrote after that message. An automatic reply is nobody; what is still unread may be somebody."""
    by_person = or_(Inbox.kind.is_(None), Inbox.kind == "message")
    query = select(Inbox.id).where(Inbox.conversation_id == conversation_id, Inbox.id > inbox_id, by_person).limit(1)
    return connection.execute(query).first() is not None


def present(connection: Connection, channel: str, key: str, now: datetime) -> frozenset[str]:
    """Everybody who has the conversation open, as far as living processes know."""
    query = (
        select(Present.who)
        .join(Heartbeat, Heartbeat.process == Present.process)
        .where(Present.channel == channel, Present.conversation_key == key, Heartbeat.until > now)
    )
    return frozenset(connection.execute(query).scalars())


def beat(connection: Connection, process: str, until: datetime) -> bool:
    """False when the process was not known: it is new, or it was silent for so long that it was buried."""
    changed = connection.execute(update(Heartbeat).where(Heartbeat.process == process).values(until=until)).rowcount
    if not changed:
        connection.execute(insert(Heartbeat).values(process=process, until=until))
    return bool(changed)


def come(connection: Connection, process: str, spots: Iterable[Spot]) -> None:
    values = [
        {"process": process, "channel": spot.channel, "conversation_key": spot.key, "who": spot.who} for spot in spots
    ]
    for row in values:  # an earlier commit whose outcome nobody heard of may have written it
        connection.execute(delete(Present).filter_by(**row))
    if values:
        connection.execute(insert(Present), values)


def leave(connection: Connection, process: str, spots: Iterable[Spot], now: datetime) -> None:
    for spot in spots:
        mine = (Present.process == process, Present.channel == spot.channel, Present.conversation_key == spot.key)
        connection.execute(delete(Present).where(*mine, Present.who == spot.who))
        if spot.who == USER:
            _note_leaving(connection, spot.channel, spot.key, now)


def _note_leaving(connection: Connection, channel: str, key: str, at: datetime) -> None:
    query = select(Conversation.id).where(Conversation.channel == channel, Conversation.key == key)
    conversation_id = connection.execute(query).scalar_one_or_none()
    if conversation_id is not None:
        _put(connection, conversation_id, user_left_at=at)


def bury(connection: Connection, now: datetime) -> list[Spot]:
    """Takes away what processes wrote that have died; who was present in them left when they did."""
    dead = connection.execute(select(Heartbeat.process, Heartbeat.until).where(Heartbeat.until <= now)).all()
    spots: list[Spot] = []
    for process, until in dead:
        rows = connection.execute(
            select(Present.channel, Present.conversation_key, Present.who).where(Present.process == process)
        )
        left = [Spot(*row) for row in rows]
        leave(connection, process, left, until)
        connection.execute(delete(Heartbeat).where(Heartbeat.process == process))
        spots += left
    return spots
