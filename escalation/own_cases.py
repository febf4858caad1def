"""Of which cases may be spoken in a conversation, and what is said when there are none?"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import Connection

from actions.commands import Say
from bot.identity.policy import proof_holds
from bot.repository.conversations import ConversationRow
from escalation import repository
from escalation.repository import CaseRow


def own_cases(connection: Connection, conversation: ConversationRow, now: datetime) -> tuple[bool, Sequence[CaseRow]]:
    """Whether a proof holds, and every open case of a person who is proven now; else the case of this conversation
    and nothing more."""
    holds = proof_holds(conversation.account, now)
    person_id = conversation.person_id if holds else None
    found = [] if person_id is None else repository.open_of_person(connection, person_id)
    if conversation.case_id is not None and conversation.case_id not in {case.id for case in found}:
        own = repository.get(connection, conversation.case_id)
        if not own.is_of_another(conversation.person_id):
            found = [own, *found]
    return holds, found


def none(*, holds: bool, can_prove: bool) -> Say:
    if holds or not can_prove:
        return Say(key="case.none_yours" if holds else "case.none_here")
    return Say(key="case.none_here_prove", buttons=("prove", "person"))
