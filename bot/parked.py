"""What an operator does to a parked row: give it back to the road, or set it aside. Works beside a running desk.

Each deed is one commit, recorded with who, when and why. Doing it twice does nothing the second time. What a turn has
committed before is not said again: replies carry the message's id as their origin (`bot/repository/outbox.py`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import override

from sqlalchemy import Connection

from bot.repository import conversations
from bot.repository import parked as rows
from bot.repository.inbox import InboxRow
from bot.repository.parked import ParkedRow
from escalation import repository

KINDS = ("inbox", "outbox")


class NotDone(Exception):
    """The row stays as it is; the message says why."""


class NoSuchName(Exception):
    """What was named cannot be a row."""


@dataclass(frozen=True)
class Name:
    """A row as `redress parked list` names it: "inbox:12", "outbox:7"."""

    kind: str
    id: int

    @classmethod
    def of(cls, written: str) -> Name:
        """Raises NoSuchName."""
        kind, _, number = written.partition(":")
        if kind not in KINDS or not (number.isascii() and number.isdecimal()) or len(number) > 18:
            raise NoSuchName(f"{written} is not a name like inbox:12 or outbox:7")
        return cls(kind, int(number))

    @override
    def __str__(self) -> str:
        return f"{self.kind}:{self.id}"


@dataclass(frozen=True, kw_only=True)
class Order:
    """Who wants it done, when, and why."""

    person: str
    reason: str
    at: datetime
    risk_repeat: bool = False
    """Replay also what may have arrived already."""


def everything(connection: Connection) -> Sequence[ParkedRow]:
    return [*rows.received(connection), *rows.unsent(connection)]


def replay(connection: Connection, name: Name, order: Order) -> None:
    """The row takes its old place in its conversation, and the running desk finds it. Raises NotDone."""
    conversation_id = (
        _replay_received(connection, name) if name.kind == "inbox" else _replay_unsent(connection, name, order)
    )
    _record(connection, conversation_id, "replayed", name, order)


def discard(connection: Connection, name: Name, order: Order) -> None:
    """Nothing will happen to the row any more. A received one counts as rejected. Raises NotDone."""
    if name.kind == "inbox":
        conversation_id = _lock_conversation(connection, name)
        if not rows.settle_received(connection, name.id, order.at):
            raise _not_parked(name)
    else:
        row = rows.lock_unsent(connection, name.id)
        if row is None:
            raise _not_parked(name)
        conversation_id = row.conversation_id
        rows.settle_unsent(connection, name.id, order.at)
    _record(connection, conversation_id, "discarded", name, order)


def record_opening(connection: Connection, row: InboxRow, order: Order) -> None:
    """Somebody reads the original bytes of a message, where nothing is hidden."""
    _record(connection, row.conversation_id, "raw_shown", Name("inbox", row.id), order)


def _replay_received(connection: Connection, name: Name) -> int:
    conversation_id = _lock_conversation(connection, name)
    if not rows.reopen_received(connection, name.id):
        raise _not_parked(name)
    rows.count_waiting(connection, conversation_id)
    return conversation_id


def _replay_unsent(connection: Connection, name: Name, order: Order) -> int:
    row = rows.lock_unsent(connection, name.id)
    if row is None:
        raise _not_parked(name)
    if row.state == "unknown" and not order.risk_repeat:
        raise NotDone(f"{name} may have arrived already; replay it with --risk-repeat, or discard it")
    owner = conversations.get(connection, row.conversation_id)
    if row.owner_epoch is not None and row.owner_epoch != owner.owner_epoch:
        raise NotDone(f"{name} is the bot's word from before a person took over and would not be sent; discard it")
    rows.requeue_unsent(connection, name.id, order.at)
    return int(row.conversation_id)


def _lock_conversation(connection: Connection, name: Name) -> int:
    """The conversation first and the message after it, as a turn does: two orders would be a deadlock."""
    conversation_id = rows.conversation_of(connection, name.id)
    if conversation_id is None:
        raise _not_parked(name)
    return conversations.lock(connection, conversation_id).id


def _not_parked(name: Name) -> NotDone:
    return NotDone(f"{name} is not parked")


def _record(connection: Connection, conversation_id: int, deed: str, name: Name, order: Order) -> None:
    rows.record(connection, deed=deed, target=str(name), person=order.person, reason=order.reason, at=order.at)
    note = {f"{name.kind}_id": name.id, "reason": ", ".join(filter(None, [order.reason, order.person]))}
    repository.add_note(connection, conversation_id, deed, at=order.at, data=note)
