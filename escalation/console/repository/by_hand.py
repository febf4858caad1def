"""What waits until an agent has told or posted it, and the letter that it becomes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, exists, select

from bot.store.tables import Case, Conversation, Inbox, Outbox


@dataclass(frozen=True, kw_only=True)
class Answer:
    """Words to a user in a conversation where no machine sends."""

    id: int
    conversation_id: int
    origin: str
    author: str
    author_name: str
    text: str
    language: str
    created_at: datetime
    sent_at: datetime | None
    state: str
    thread: Mapping[str, str]
    """How its recipient is reached."""
    channel: str
    number: str | None
    """Of the case."""

    @property
    def acknowledges(self) -> bool:
        """It is what the desk answered to a message by itself: a copy of the complaint belongs to it."""
        return self.author == "desk" and self.origin.startswith("inbox:")


@dataclass(frozen=True, kw_only=True)
class Kept:
    """How a call or a letter that was keyed in stands."""

    channel: str
    key: str
    number: str | None
    settled: bool
    """It was read, and nothing is on its way any more."""
    answers: Sequence[Answer]


def answer(connection: Connection, outbox_id: int) -> Answer | None:
    row = connection.execute(_ANSWERS.where(Outbox.id == outbox_id, Outbox.sealed.is_(False))).one_or_none()
    return None if row is None else Answer(**row._mapping)


def kept(connection: Connection, conversation_id: int) -> Kept | None:
    reading = exists().where(Inbox.conversation_id == Conversation.id, Inbox.state == "new")
    query = select(Conversation.channel, Conversation.key, Case.number, reading.label("reading"))
    found = connection.execute(
        query.outerjoin(Case, Case.id == Conversation.case_id).where(Conversation.id == conversation_id)
    ).one_or_none()
    if found is None:
        return None
    mine = _ANSWERS.where(Outbox.conversation_id == conversation_id, Outbox.sealed.is_(False)).order_by(Outbox.seq)
    answers = [Answer(**row._mapping) for row in connection.execute(mine)]
    leaving = any(each.state in ("new", "sending") for each in answers)
    return Kept(
        channel=found.channel,
        key=found.key,
        number=found.number,
        settled=not (found.reading or leaving),
        answers=answers,
    )


_ANSWERS = (
    select(
        Outbox.id,
        Outbox.conversation_id,
        Outbox.origin,
        Outbox.author,
        Outbox.author_name,
        Outbox.text,
        Outbox.language,
        Outbox.created_at,
        Outbox.sent_at,
        Outbox.state,
        Conversation.thread,
        Conversation.channel,
        Case.number,
    )
    .join(Conversation, Conversation.id == Outbox.conversation_id)
    .outerjoin(Case, Case.id == Conversation.case_id)
)
