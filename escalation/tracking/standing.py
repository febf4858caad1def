"""How does a case stand, in the terms of the tracking page? Pure: what is stored goes in, what is said comes out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from escalation.tracking.repository import PublicCase, PublicEvent

_BY_A_PERSON = frozenset({"taken_over", "answered"})


@dataclass(frozen=True, kw_only=True)
class Standing:
    stage: str
    """received, in_progress, waiting_for_you, resolved or merged (it goes on as another case)"""
    first_answer_at: datetime | None
    """When a person answered first; None: not yet."""
    answer_late: bool
    decision_late: bool


def standing(case: PublicCase, events: Sequence[PublicEvent], now: datetime) -> Standing:
    answers = [event.at for event in events if event.kind == "answered"]
    is_open = case.status == "open"
    return Standing(
        stage=_stage(case, events),
        first_answer_at=min(answers, default=None),
        answer_late=is_open and not answers and now > case.answer_due_at,
        decision_late=is_open and now > case.decision_due_at,
    )


def _stage(case: PublicCase, events: Sequence[PublicEvent]) -> str:
    if case.status != "open":
        return case.status
    if case.awaited == "user":
        return "waiting_for_you"
    return "in_progress" if any(event.kind in _BY_A_PERSON for event in events) else "received"
