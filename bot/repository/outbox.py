"""The outbox: every word to a user, in order per conversation."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import cache
from typing import Any, NamedTuple

from sqlalchemy import (
    BindParameter,
    Connection,
    Integer,
    Select,
    and_,
    bindparam,
    exists,
    func,
    insert,
    or_,
    select,
    text,
    update,
)
from sqlalchemy.orm import aliased

from bot.repository import conversations
from bot.store import bulk
from bot.store.prepared import Prepared
from bot.store.tables import UNSENT, Conversation, Outbox, table
from channels.contract import Author

_TABLE = table(Outbox)

ABSURDLY_FAR = timedelta(days=1)
"""No lease and no back-off is this long: such a time was written while the clock was wrong."""


TOOK_OVER = "a person took over first"
ACKNOWLEDGED = "acknowledged by another letter"


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
    sealed: bool = False
    """For the recipient alone: agents see that something was sent, not what."""


class OutboxRow(NamedTuple):
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
    tried_since: datetime | None


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
        sealed=draft.sealed,
        created_at=now,
    )
    return int(connection.execute(query.returning(Outbox.id)).scalar_one())


def sendable(connection: Connection, now: datetime, limit: int) -> Sequence[int]:
    """Rows that are due and have no earlier unsent row in their conversation."""
    given = {"now": now, "absurd": now + ABSURDLY_FAR, "limit": limit}
    return connection.execute(_sendable(), given).scalars().all()


@cache
def _sendable() -> Select[int]:
    """Asked with every wake-up: building it takes ten times as long as running it."""
    now: BindParameter[datetime] = bindparam("now")
    absurd: BindParameter[datetime] = bindparam("absurd")
    earlier = aliased(Outbox, name="earlier")
    blocked = exists().where(
        earlier.conversation_id == Outbox.conversation_id, earlier.seq < Outbox.seq, text(f"earlier.{UNSENT}")
    )
    due = and_(
        Outbox.state == "new", or_(Outbox.not_before.is_(None), Outbox.not_before <= now, Outbox.not_before > absurd)
    )
    lease = Outbox.lease_until
    orphaned = and_(Outbox.state == "sending", or_(lease.is_(None), conversations.run_out(lease, now, absurd)))
    query = select(Outbox.id).where(text(f"outbox.{UNSENT}"), or_(due, orphaned), ~blocked)
    # By id alone SQLite would read the whole table in that order instead of the index of what is unsent.
    return query.order_by(Outbox.created_at, Outbox.id).limit(bindparam("limit", type_=Integer))


def next_orphan(connection: Connection, now: datetime, until: datetime) -> datetime | None:
    """When the next claim of a sending runs out. None when none does by `until`."""
    found: datetime | None = _NEXT_ORPHAN.one(connection, {"now": now, "until": until})[0]
    return found


@dataclass(frozen=True, kw_only=True)
class Held:
    """A row locked until the commit, and who has it in hand."""

    row: OutboxRow
    token: str | None
    lease_until: datetime | None

    def orphaned(self, now: datetime) -> bool:
        """Its sender died in the middle. Exactly what `sendable` finds, or it would be found again and again."""
        if self.row.state != "sending":
            return False
        return self.lease_until is None or conversations.run_out(self.lease_until, now, now + ABSURDLY_FAR)


def lock_many(connection: Connection, outbox_ids: Sequence[int]) -> dict[int, Held]:
    """In the order of their ids, so that two writers do not block each other."""
    found = {}
    for token, lease_until, *values in connection.execute(_LOCK_MANY, {"ids": outbox_ids}):
        row = OutboxRow._make(values)
        found[row.id] = Held(row=row, token=token, lease_until=lease_until)
    return found


_NAMES = OutboxRow._fields
_LOCK_MANY = (
    select(_TABLE.c.token, _TABLE.c.lease_until, *(_TABLE.c[name] for name in _NAMES))
    .where(bulk.among(_TABLE.c.id, "ids"))
    .order_by(_TABLE.c.id)
    .with_for_update()
)

_FROM, _UNTIL = (bindparam(name, type_=_TABLE.c.lease_until.type) for name in ("now", "until"))
_NEXT_ORPHAN = Prepared(
    select(func.min(_TABLE.c.lease_until)).where(
        text(f"outbox.{UNSENT}"), _TABLE.c.state == "sending", _TABLE.c.lease_until.between(_FROM, _UNTIL)
    )
)


def claim(connection: Connection, claims: Sequence[tuple[int, str]], until: datetime) -> None:
    """Marks locked rows as being sent under the tokens given."""
    values = [{"id": row_id, "state": "sending", "token": token, "lease_until": until} for row_id, token in claims]
    bulk.change(connection, _TABLE, values)


def find_origin(connection: Connection, origin: str) -> int | None:
    return connection.execute(select(Outbox.id).where(Outbox.origin == origin)).scalar_one_or_none()


def conversation_of(connection: Connection, outbox_id: int) -> int | None:
    return connection.execute(select(Outbox.conversation_id).where(Outbox.id == outbox_id)).scalar_one_or_none()


def drop_late(connection: Connection, conversation_id: int) -> None:
    """The bot's words that have not left yet are late once somebody else owns the conversation."""
    late = and_(Outbox.conversation_id == conversation_id, Outbox.state == "new", Outbox.owner_epoch.is_not(None))
    connection.execute(update(Outbox).where(late).values(state="dropped", error=TOOK_OVER))


def give_to_machine(connection: Connection, conversation_id: int, now: datetime) -> None:
    """What waits for a person to tell it leaves by itself from now on, but for the acknowledgements of messages."""
    waiting = and_(Outbox.conversation_id == conversation_id, text("outbox.state = 'by_hand'"))
    of_messages = and_(Outbox.author == Author.DESK.value, Outbox.origin.like("inbox:%"))
    connection.execute(update(Outbox).where(waiting, of_messages).values(state="dropped", error=ACKNOWLEDGED))
    fresh = {"state": "new", "attempts": 0, "tried_since": now}
    connection.execute(update(Outbox).where(waiting).values(**fresh))


def change(connection: Connection, outbox_id: int, **values: Any) -> None:
    connection.execute(update(Outbox).where(Outbox.id == outbox_id).values(**values))


def settle(connection: Connection, results: Sequence[tuple[OutboxRow, Mapping[str, Any]]]) -> None:
    """Writes down how the sendings of locked rows ended: `state`, and what else changed with it."""
    names = ("state", "attempts", "error", "not_before", "sent_at", "peer_id")
    values = [
        {name: result.get(name, before.get(name)) for name in names}
        | {"id": row.id, "token": None, "lease_until": None}
        for row, result in results
        for before in ({"attempts": row.attempts, "error": row.error},)
    ]
    bulk.change(connection, _TABLE, values)


def renew(connection: Connection, outbox_ids: Sequence[int], until: datetime) -> None:
    connection.execute(_RENEW, {"ids": outbox_ids, "until": until})


_RENEW = (
    update(_TABLE)
    .where(bulk.among(_TABLE.c.id, "ids"), _TABLE.c.state == "sending")
    .values(lease_until=bindparam("until"))
)


def shown(connection: Connection, channel: str, key: str, after_seq: int) -> tuple[Sequence[OutboxRow], int | None]:
    """What the user of a conversation may see (sent rows and rows on their way), and the seq of the first message
    that is not yet on its way: None when there is none."""
    found = _SHOWN.rows(connection, {"channel": channel, "key": key, "after_seq": after_seq})
    rows = [OutboxRow._make(row) for row in found]
    waiting = min((row.seq for row in rows if row.state == "new"), default=None)
    return [row for row in rows if row.state != "new"], waiting


_CONVERSATION = table(Conversation)
_SHOWN = Prepared(
    select(*(_TABLE.c[name] for name in OutboxRow._fields))
    .join(_CONVERSATION, _CONVERSATION.c.id == _TABLE.c.conversation_id)
    .where(
        _CONVERSATION.c.channel == bindparam("channel"),
        _CONVERSATION.c.key == bindparam("key"),
        or_(
            _TABLE.c.state == "new",
            and_(_TABLE.c.seq > bindparam("after_seq"), text("outbox.state IN ('sending', 'sent', 'unknown')")),
        ),
    )
)


def first_lines_of_bot(connection: Connection, conversation_id: int) -> Sequence[str]:
    """What the bot has said last in a conversation, oldest first, a line each and five at most."""
    rows = _LINES_OF_BOT.rows(connection, {"conversation_id": conversation_id})
    return [text.partition("\n")[0] for (text,) in reversed(rows)]


_LINES_OF_BOT = Prepared(
    select(_TABLE.c.text)
    .where(
        _TABLE.c.conversation_id == bindparam("conversation_id"),
        _TABLE.c.author == Author.BOT.value,
        _TABLE.c.state != "not_posted",
    )
    .order_by(_TABLE.c.seq.desc())
    .limit(5)
)
