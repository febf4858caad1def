"""Files sent ahead of their message: how far each has come, and which message has it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, delete, exists, func, insert, or_, select, update

from bot.store.live_tables import Upload
from bot.store.tables import Inbox


@dataclass(frozen=True, kw_only=True)
class UploadRow:
    id: str
    channel: str
    conversation_key: str
    filename: str
    size: int
    received: int
    sha256: str | None
    content_type: str
    used_by: str | None
    expires_at: datetime


_COLUMNS = [getattr(Upload, name) for name in UploadRow.__dataclass_fields__]


def add(connection: Connection, **values: Any) -> None:
    connection.execute(insert(Upload).values(**values))


def find(connection: Connection, channel: str, key: str, upload_id: str) -> UploadRow | None:
    """None also when it belongs to another conversation."""
    query = select(*_COLUMNS).where(Upload.id == upload_id, Upload.channel == channel, Upload.conversation_key == key)
    row = connection.execute(query).one_or_none()
    return None if row is None else UploadRow(**row._mapping)


def known(connection: Connection, upload_id: str) -> bool:
    return connection.execute(select(Upload.id).where(Upload.id == upload_id)).first() is not None


def change(connection: Connection, upload_id: str, **values: Any) -> None:
    connection.execute(update(Upload).where(Upload.id == upload_id).values(**values))


def waiting(connection: Connection, channel: str, key: str) -> tuple[int, int]:
    """How many files of a conversation no message names yet, and how many bytes were announced for them."""
    query = select(func.count(), func.coalesce(func.sum(Upload.size), 0)).where(
        Upload.channel == channel, Upload.conversation_key == key, Upload.used_by.is_(None)
    )
    count, size = connection.execute(query).one()
    return int(count), int(size)


def announced_since(connection: Connection, channel: str, key: str, since: datetime) -> int:
    """Bytes of all files that a conversation has begun since then, whether a message names them or not."""
    query = select(func.coalesce(func.sum(Upload.size), 0)).where(
        Upload.channel == channel, Upload.conversation_key == key, Upload.created_at > since
    )
    return int(connection.execute(query).scalar_one())


def waiting_in_all(connection: Connection) -> tuple[int, int]:
    """How many files no message names yet, over all conversations, and how many bytes of them have come.

    Answered from the index alone: a desk that has been open for years has very many uploads, and few that wait.
    """
    query = select(func.count(), func.coalesce(func.sum(Upload.received), 0)).where(Upload.used_by.is_(None))
    count, received = connection.execute(query).one()
    return int(count), int(received)


def use(connection: Connection, upload_id: str, external_id: str) -> bool:
    """Gives the file to the message; False when another message has it."""
    free = or_(Upload.used_by.is_(None), Upload.used_by == external_id)
    given = update(Upload).where(Upload.id == upload_id, free).values(used_by=external_id)
    return connection.execute(given).rowcount == 1


def give_back(connection: Connection, channel: str, upload_id: str, external_id: str, expires_at: datetime) -> bool:
    """Takes the file from a message that is not stored; False when it is, or has not got the file."""
    stored = exists().where(Inbox.channel == channel, Inbox.external_id == external_id)
    query = update(Upload).where(Upload.id == upload_id, Upload.used_by == external_id, ~stored)
    return connection.execute(query.values(used_by=None, expires_at=expires_at)).rowcount == 1


def expiry(connection: Connection, upload_id: str) -> datetime | None:
    """How long the upload waits; None when it does not, or is not there."""
    query = select(Upload.expires_at).where(Upload.id == upload_id, Upload.used_by.is_(None))
    return connection.execute(query).scalar_one_or_none()


def drop_unused(connection: Connection, upload_id: str) -> bool:
    """Forgets an upload that no message names; False when there is none, or one does."""
    query = delete(Upload).where(Upload.id == upload_id, Upload.used_by.is_(None))
    return connection.execute(query).rowcount == 1


def drop_expired(connection: Connection, upload_id: str, now: datetime) -> bool:
    """Forgets an upload that waited in vain; False when there is none, it is used, or a piece has just come."""
    query = delete(Upload).where(Upload.id == upload_id, Upload.used_by.is_(None), Upload.expires_at <= now)
    return connection.execute(query).rowcount == 1
