"""The inbox: what was received, whether it is finished, and how it was accounted for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import Connection, bindparam, exists, func, insert, select, text, update

from bot.repository import file_checks
from bot.store import bulk
from bot.store.prepared import Prepared
from bot.store.tables import UNFINISHED, Conversation, Evidence, Inbox, table


class InboxRow(NamedTuple):
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


_TABLE = table(Inbox)
_OF_ROW = [_TABLE.c[name] for name in InboxRow._fields]


def get(connection: Connection, inbox_id: int) -> InboxRow | None:
    row = _GET.one_or_none(connection, {"inbox_id": inbox_id})
    return None if row is None else InboxRow._make(row)


_GET = Prepared(select(*_OF_ROW).where(_TABLE.c.id == bindparam("inbox_id")))


def oldest_unfinished(connection: Connection, conversation_id: int) -> InboxRow | None:
    row = _OLDEST_UNFINISHED.one_or_none(connection, {"conversation_id": conversation_id})
    return None if row is None else InboxRow._make(row)


_OLDEST_UNFINISHED = Prepared(
    select(*_OF_ROW)
    .where(_TABLE.c.conversation_id == bindparam("conversation_id"), _TABLE.c.state == "new")
    .order_by(_TABLE.c.seq)
    .limit(1)
)


def oldest_unfinished_many(connection: Connection, conversation_ids: Sequence[int]) -> Sequence[InboxRow]:
    """The oldest of each conversation that has one."""
    if not conversation_ids:
        return ()
    return [InboxRow._make(row) for row in _OLDEST_UNFINISHED_MANY.rows(connection, {"ids": conversation_ids})]


_EARLIER = _TABLE.alias("earlier")
_OLDEST_UNFINISHED_MANY = Prepared(
    select(*_OF_ROW).where(
        bulk.among(_TABLE.c.conversation_id, "ids"),
        text(f"inbox.{UNFINISHED}"),
        _TABLE.c.state == "new",
        ~exists().where(
            _EARLIER.c.conversation_id == _TABLE.c.conversation_id,
            text(f"earlier.{UNFINISHED}"),
            _EARLIER.c.state == "new",
            _EARLIER.c.seq < _TABLE.c.seq,
        ),
    )
)


def of_conversation(connection: Connection, channel: str, key: str, after_seq: int) -> Sequence[InboxRow]:
    found = _OF_CONVERSATION.rows(connection, {"channel": channel, "key": key, "after_seq": after_seq})
    return [InboxRow._make(row) for row in found]


_CONVERSATION = table(Conversation)
_OF_CONVERSATION = Prepared(
    select(*_OF_ROW)
    .join(_CONVERSATION, _CONVERSATION.c.id == _TABLE.c.conversation_id)
    .where(
        _CONVERSATION.c.channel == bindparam("channel"),
        _CONVERSATION.c.key == bindparam("key"),
        _TABLE.c.seq > bindparam("after_seq"),
    )
)


def count_attempt(connection: Connection, inbox_id: int, error: str) -> None:
    connection.execute(update(Inbox).where(Inbox.id == inbox_id).values(attempts=Inbox.attempts + 1, error=error))


def count_death(connection: Connection, inbox_id: int) -> None:
    connection.execute(update(Inbox).where(Inbox.id == inbox_id).values(deaths=Inbox.deaths + 1))


def add_evidence(connection: Connection, rows: Sequence[Mapping[str, Any]]) -> None:
    """Its files are looked into and scanned later, by others: a turn waits for no scanner."""
    if rows:
        connection.execute(insert(Evidence), [dict(row) for row in rows])
        file_checks.begin(connection, [row["sha256"] for row in rows], rows[0]["collected_at"])


def received_at(connection: Connection, conversation_id: int, limit: int) -> Sequence[datetime]:
    """When the newest messages of a conversation came, newest first."""
    query = select(Inbox.received_at).where(Inbox.conversation_id == conversation_id)
    return connection.execute(query.order_by(Inbox.seq.desc()).limit(limit)).scalars().all()


def talked_before(connection: Connection, conversation_id: int) -> bool:
    """Whether something in the conversation was answered or became a case."""
    talked = Inbox.outcome.in_(("answered", "opened"))
    return bool(connection.execute(select(exists().where(Inbox.conversation_id == conversation_id, talked))).scalar())


def wrote_to_us(connection: Connection, conversation_id: int) -> bool:
    """Whether anything in the conversation was more than an automatic message, as far as is known yet."""
    asked = Inbox.outcome.is_distinct_from("automatic")
    return bool(connection.execute(select(exists().where(Inbox.conversation_id == conversation_id, asked))).scalar())


def was_served(connection: Connection, conversation_id: int) -> bool:
    """Whether anything in it was answered, became a case or went to a person."""
    served = Inbox.outcome.not_in(("automatic", "rejected"))
    return bool(connection.execute(select(exists().where(Inbox.conversation_id == conversation_id, served))).scalar())


def count_by_outcome(connection: Connection, since: datetime | None = None) -> Mapping[str, int]:
    """Rows per outcome; unfinished ones under "in_progress". Every row is in exactly one place."""
    name = func.coalesce(Inbox.outcome, "in_progress")
    query = select(name, func.count()).group_by(name)
    if since is not None:
        query = query.where(Inbox.received_at >= since)
    return {row[0]: row[1] for row in connection.execute(query)}
