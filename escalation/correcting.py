"""An agent says what a message was really about: the case changes its class, and the bot has something to learn."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection

from bot.repository import corrections
from bot.repository.conversations import ConversationRow
from bot.repository.corrections import CorrectionRow
from bot.understanding.labels import CLASSES, COMPLAINTS
from bot.understanding.masking import masked
from bot.wording import base
from escalation import cases, queue, repository

NEEDS_CASE = "needs_case"
NEEDS_NO_CASE = "needs_no_case"


class NothingToTeach(ValueError):
    """There is no such message here, or it has no words."""


class Contradiction(ValueError):
    """What is no complaint needs no case."""


@dataclass(frozen=True, kw_only=True)
class Taught:
    """The right class of a message, and whether it should have led to a case."""

    inbox_id: int
    label: str
    escalate: bool

    def __post_init__(self) -> None:
        if self.label not in CLASSES:
            raise ValueError(f"{self.label} is no class")
        if self.escalate and self.label not in COMPLAINTS:
            raise Contradiction(self.label)


def teach(connection: Connection, conversation: ConversationRow, agent_id: int, taught: Taught, now: datetime) -> None:
    """Saying the same twice keeps one example. Raises NothingToTeach."""
    said = corrections.said(connection, conversation.id, taught.inbox_id)
    if said is None:
        raise NothingToTeach
    case = None if conversation.case_id is None else repository.get(connection, conversation.case_id)
    before = corrections.suggested_label(connection, conversation.id) if case is None else case.label
    if case is not None:
        cases.relabel(connection, case, taught.label, queue.agent_owner(agent_id), now)
    known = corrections.newest(connection, taught.inbox_id)
    if known is not None and (known.new_label, known.new_escalate) == (taught.label, taught.escalate):
        return
    row = CorrectionRow(
        inbox_id=taught.inbox_id,
        case_id=conversation.case_id,
        text=masked(said.text),
        language=base(said.language),
        old_label=before if known is None else known.new_label,
        new_label=taught.label,
        old_escalate=said.escalated if known is None else known.new_escalate,
        new_escalate=taught.escalate,
        agent_id=agent_id,
        at=now,
    )
    corrections.add(connection, row)
    reasons = [taught.label, NEEDS_CASE if taught.escalate else NEEDS_NO_CASE]
    repository.add_note(connection, conversation.id, "corrected", at=now, agent_id=agent_id, data={"reasons": reasons})
