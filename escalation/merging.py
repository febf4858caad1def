"""Conversations come to a case, and two cases about one matter of one person become one. Inside the caller's commit."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Connection

from bot.repository import conversations
from escalation import repository
from escalation.repository import CaseRow

UNCLASSIFIED = "unclassified"
MERGED = "merged"
"""The status of a case that goes on as another one."""
_SEVERITIES = ("low", "normal", "high", "critical")


def bring_together(connection: Connection, case: CaseRow, conversation_id: int, actor: str, now: datetime) -> None:
    """From now on the conversation belongs to this case."""
    conversations.change(connection, conversation_id, case_id=case.id)
    data = {"conversation_id": conversation_id}
    repository.add_event(connection, case.id, "conversation_joined", actor=actor, at=now, public=False, data=data)


def one_matter(one: CaseRow, other: CaseRow) -> bool:
    """Whether two cases of one person are one: both open, and about the same class as far as that is known."""
    same = one.label == other.label or UNCLASSIFIED in (one.label, other.label)
    return one.status == other.status == "open" and same


def merge(connection: Connection, one: CaseRow, other: CaseRow, now: datetime) -> CaseRow:
    """The older case goes on, under the earlier clocks, and with what the younger one knew better."""
    into, gone = sorted((one, other), key=lambda case: case.id)
    named = gone if into.label == UNCLASSIFIED else into
    repository.change(
        connection,
        into.id,
        label=named.label,
        severity=max(into.severity, gone.severity, key=_rank),
        person_id=into.person_id or gone.person_id,
        first_contact_at=min(into.first_contact_at, gone.first_contact_at),
        answer_due_at=min(into.answer_due_at, gone.answer_due_at),
        decision_due_at=min(into.decision_due_at, gone.decision_due_at),
    )
    for conversation_id in repository.conversations_of(connection, gone.id):
        bring_together(connection, into, conversation_id, "desk", now)
    repository.change(connection, gone.id, status=MERGED, resolved_at=now)
    merged = {"into": into.number}
    repository.add_event(connection, gone.id, "merged", actor="desk", at=now, public=True, data=merged)
    taken = {"number": gone.number, "facts": repository.facts_of(connection, gone.id)}
    repository.add_event(connection, into.id, "took_in", actor="desk", at=now, public=True, data=taken)
    return repository.get(connection, into.id)


def _rank(severity: str) -> int:
    return _SEVERITIES.index(severity) if severity in _SEVERITIES else 1
