"""The intake ledger: everything received is accounted for, and every entry is checked against what it claims."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, Connection, String, and_, cast, exists, func, literal, or_, select, true

from bot.repository import inbox
from bot.store.engine import one_moment
from bot.store.tables import Case, Conversation, Deed, Inbox, Note, Outbox, Timer
from escalation.over_cap import OVER_CAP_TIMER

OUTCOMES = ("answered", "not_posted", "opened", "joined", "rejected", "automatic", "parked", "in_progress")
MOST_NAMED = 20


@dataclass(frozen=True, kw_only=True)
class Ledger:
    """received = answered + not posted (a public channel kept the answer to itself) + opened or joined a case or a
    person + rejected + automatic + parked + in progress"""

    received: int
    outcomes: Mapping[str, int]
    unproven: Mapping[str, int]
    """Messages whose outcome has no trace: an answer that was never queued, a case or person that never was."""
    suspects: Mapping[str, Sequence[int]]
    """The inbox ids of those, the first `MOST_NAMED` of each kind, so that somebody can look."""

    @property
    def balanced(self) -> bool:
        counted = sum(self.outcomes.get(name, 0) for name in OUTCOMES)
        return self.received == counted and not any(self.unproven.values())


def draw_up(connection: Connection, since: datetime | None = None) -> Ledger:
    """The books at one moment, of everything or of what was received at `since` or later."""
    one_moment(connection)
    within = true() if since is None else Inbox.received_at >= since
    doubtful = {name: and_(Inbox.outcome == name, ~proof) for name, proof in _PROOFS.items()}
    doubtful["in_progress"] = and_(Inbox.state == "new", _FORGOTTEN)
    doubtful["parked"] = and_(Inbox.state == "parked", Inbox.outcome.is_distinct_from("parked"))
    unproven = {name: _count(connection, and_(within, doubt)) for name, doubt in doubtful.items()}
    return Ledger(
        received=_count(connection, within),
        outcomes=_without_unposted(
            inbox.count_by_outcome(connection, since), _count(connection, and_(within, _UNPOSTED))
        ),
        unproven=unproven,
        suspects={name: _first(connection, and_(within, doubtful[name])) for name, count in unproven.items() if count},
    )


_NAME = literal("inbox:") + cast(Inbox.id, String)
_SAID = exists().where(Outbox.origin == _NAME + literal(":0"))
_OF_IT = Outbox.origin.like(_NAME + literal(":%"))
_UNPOSTED = and_(
    Inbox.outcome == "answered",
    exists().where(Outbox.conversation_id == Inbox.conversation_id, _OF_IT, Outbox.state == "not_posted"),
    ~exists().where(Outbox.conversation_id == Inbox.conversation_id, _OF_IT, Outbox.state != "not_posted"),
)
_OPENED = exists().where(Case.opened_by_inbox == Inbox.id)
_SEEN_BY_PERSON = or_(
    exists().where(Conversation.id == Inbox.conversation_id, Conversation.case_id.is_not(None)),
    exists().where(Note.conversation_id == Inbox.conversation_id, Note.kind.in_(("queued", "taken"))),
    exists().where(Timer.kind == OVER_CAP_TIMER, Timer.key == cast(Inbox.conversation_id, String)),
)
_DISCARDED = exists().where(Deed.target == _NAME, Deed.deed == "discarded")
_FORGOTTEN = exists().where(Conversation.id == Inbox.conversation_id, Conversation.pending <= 0)
"""An unfinished message of a conversation that counts none: no worker would ever look at it."""
_PROOFS: Mapping[str, ColumnElement[bool]] = {
    "answered": _SAID,
    "opened": _OPENED,
    "joined": _SEEN_BY_PERSON,
    "rejected": _DISCARDED,
}


def _without_unposted(outcomes: Mapping[str, int], unposted: int) -> Mapping[str, int]:
    """An answer that nobody could read is none."""
    if not unposted:
        return outcomes
    return {**outcomes, "answered": outcomes["answered"] - unposted, "not_posted": unposted}


def _count(connection: Connection, which: ColumnElement[bool]) -> int:
    return int(connection.execute(select(func.count()).select_from(Inbox).where(which)).scalar_one())


def _first(connection: Connection, which: ColumnElement[bool]) -> Sequence[int]:
    return connection.execute(select(Inbox.id).where(which).order_by(Inbox.id).limit(MOST_NAMED)).scalars().all()
