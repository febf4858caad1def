"""The intake ledger: everything received is accounted for, and every entry is checked against what it claims."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from sqlalchemy import ColumnElement, Connection, String, and_, cast, exists, func, literal, or_, select

from bot.repository import inbox
from bot.store.tables import Case, Conversation, Inbox, Note, Outbox

OUTCOMES = ("answered", "opened", "joined", "rejected", "automatic", "parked", "in_progress")


@dataclass(frozen=True, kw_only=True)
class Ledger:
    """received = answered + opened or joined a case or a person + rejected + automatic + parked + in progress"""

    received: int
    outcomes: Mapping[str, int]
    unproven: Mapping[str, int]
    """Messages whose outcome has no trace: an answer that was never queued, a case or person that never was."""

    @property
    def balanced(self) -> bool:
        counted = sum(self.outcomes.get(name, 0) for name in OUTCOMES)
        return self.received == counted and not any(self.unproven.values())


def draw_up(connection: Connection) -> Ledger:
    received = connection.execute(select(func.count()).select_from(Inbox)).scalar_one()
    unproven = {name: _without(connection, name, proof) for name, proof in _PROOFS.items()}
    unproven["in_progress"] = _never_claimed(connection)
    return Ledger(received=received, outcomes=inbox.count_by_outcome(connection), unproven=unproven)


_SAID = exists().where(Outbox.origin == literal("inbox:") + cast(Inbox.id, String) + literal(":0"))
_OPENED = exists().where(Case.opened_by_inbox == Inbox.id)
_SEEN_BY_PERSON = or_(
    exists().where(Conversation.id == Inbox.conversation_id, Conversation.case_id.is_not(None)),
    exists().where(Note.conversation_id == Inbox.conversation_id, Note.kind.in_(("queued", "taken"))),
)
_PROOFS: Mapping[str, ColumnElement[bool]] = {"answered": _SAID, "opened": _OPENED, "joined": _SEEN_BY_PERSON}


def _without(connection: Connection, outcome: str, proof: ColumnElement[bool]) -> int:
    query = select(func.count()).select_from(Inbox).where(and_(Inbox.outcome == outcome, ~proof))
    return int(connection.execute(query).scalar_one())


def _never_claimed(connection: Connection) -> int:
    """Unfinished messages of conversations that count none: no worker would ever look at them."""
    forgotten = exists().where(Conversation.id == Inbox.conversation_id, Conversation.pending <= 0)
    query = select(func.count()).select_from(Inbox).where(Inbox.state == "new", forgotten)
    return int(connection.execute(query).scalar_one())
