"""Cases: opening one, joining one, resolving and reopening. All inside the caller's commit."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from sqlalchemy import Connection

from bot.identity.policy import proof_holds
from bot.repository import conversations, inbox
from bot.repository.conversations import ConversationRow
from escalation import repository
from escalation.merging import UNCLASSIFIED, bring_together, merge, one_matter
from escalation.numbers import new_number
from escalation.repository import CaseRow

LOOK_BACK = 200
"""How many messages back the first contact is looked for."""


@dataclass(frozen=True, kw_only=True)
class Promise:
    """What a complainant is promised, as configured."""

    first_answer: timedelta
    decision: timedelta
    same_matter: timedelta
    """Messages no further apart than this belong to one matter: the clock starts with the first of them."""


def first_contact(moments: Sequence[datetime], same_matter: timedelta) -> datetime:
    """When a matter was first brought up. `moments` are the times of a conversation's messages, newest first.

    With a week as `same_matter`: a complaint an hour after "hello" counts from the hello, a complaint two months
    after it counts from itself.
    """
    found = moments[0]
    for earlier in moments[1:]:
        if found - earlier > same_matter:
            break
        found = min(found, earlier)
    return found


@dataclass(frozen=True, kw_only=True)
class Opening:
    """Why and about what a case is opened."""

    label: str
    severity: str
    reasons: Sequence[str]
    language: str
    actor: str
    facts: Mapping[str, str]
    inbox_id: int | None = None


def open_or_join(
    connection: Connection, conversation: ConversationRow, opening: Opening, promise: Promise, now: datetime
) -> tuple[CaseRow, bool]:
    """The case of this conversation and whether it is new. Twice for one message gives one case.

    A person who is proven now has one case about one matter, in whatever conversations it is brought up; so has
    somebody whose conversations are bound to one another.
    """
    if opening.inbox_id is not None and (known := repository.opened_by(connection, opening.inbox_id)):
        return known, True
    person_id = conversation.person_id if proof_holds(conversation.account, now) else None
    if conversation.case_id is not None:
        current = repository.get(connection, conversation.case_id)
        takes_more = current.status == "open" or opening.label in (current.label, UNCLASSIFIED)
        if takes_more and not current.is_of_another(conversation.person_id):
            return _join(connection, _made_one(connection, current, person_id, now), opening, now), False
    if person_id is not None:
        known = repository.same_matter(connection, person_id, opening.label, now - promise.same_matter)
        if known is not None:
            bring_together(connection, known, conversation.id, opening.actor, now)
            return _join(connection, known, opening, now), False
    companions = sorted(repository.companions(connection, conversation.id))
    known = _of_companions(connection, conversation, companions, opening.label)
    if known is not None:
        bring_together(connection, known, conversation.id, opening.actor, now)
        return _join(connection, known, opening, now), False
    case = _open(connection, conversation, opening, promise, now)
    for each in (conversations.get_many(connection, companions) if companions else {}).values():
        if each.case_id is None and not case.is_of_another(each.person_id):
            bring_together(connection, case, each.id, opening.actor, now)
    return case, True


def _made_one(connection: Connection, current: CaseRow, person_id: int | None, now: datetime) -> CaseRow:
    """Complaints that were made on several channels before it was proven that one person made them."""
    for other in [] if person_id is None else repository.open_of_person(connection, person_id):
        if other.id != current.id and other.label == current.label and one_matter(current, other):
            current = merge(connection, current, other, now)
    return current


def _of_companions(
    connection: Connection, conversation: ConversationRow, companions: Sequence[int], label: str
) -> CaseRow | None:
    """The open case of a bound conversation: the only matter, or the one that is spoken of here, too."""
    rows = conversations.get_many(connection, companions).values() if companions else ()
    theirs = {row.case_id for row in rows if row.case_id is not None} - {conversation.case_id}
    for case in (repository.get(connection, case_id) for case_id in sorted(theirs)):
        fits = conversation.case_id is None or label in (case.label, UNCLASSIFIED) or case.label == UNCLASSIFIED
        if case.status == "open" and fits and not case.is_of_another(conversation.person_id):
            return case
    return None


def _open(
    connection: Connection, conversation: ConversationRow, opening: Opening, promise: Promise, now: datetime
) -> CaseRow:
    """The clocks run from the first contact, not from the moment the bot understood (DR (EU) 2025/294, Art. 6)."""
    began = now
    if conversation.case_id is None:
        began = first_contact(inbox.received_at(connection, conversation.id, LOOK_BACK), promise.same_matter)
    case_id = repository.add(
        connection,
        number=new_number(),
        opened_by_inbox=opening.inbox_id,
        label=opening.label,
        severity=opening.severity,
        reasons=list(opening.reasons),
        language=opening.language,
        person_id=conversation.person_id if proof_holds(conversation.account, now) else None,
        first_contact_at=began,
        opened_at=now,
        answer_due_at=began + promise.first_answer,
        decision_due_at=began + promise.decision,
    )
    conversations.change(connection, conversation.id, case_id=case_id)
    facts = {"label": opening.label, "reasons": list(opening.reasons), "facts": dict(opening.facts)}
    repository.add_event(connection, case_id, "opened", actor=opening.actor, at=now, public=True, data=facts)
    return repository.get(connection, case_id)


def _join(connection: Connection, case: CaseRow, opening: Opening, now: datetime) -> CaseRow:
    if case.status != "open":
        reopen(connection, case, opening.actor, now)
    if case.label == UNCLASSIFIED and opening.label != UNCLASSIFIED:
        repository.change(connection, case.id, label=opening.label, severity=opening.severity)
    add_message(connection, case.id, now, opening.facts)
    return replace(case, status="open")


def add_message(connection: Connection, case_id: int, now: datetime, facts: Mapping[str, str] | None = None) -> None:
    """`facts` are what the message told beyond its words; the newest value of a fact is the one that holds."""
    repository.change(connection, case_id, awaited="us")
    data = {"facts": dict(facts)} if facts else {}
    repository.add_event(connection, case_id, "message_added", actor="user", at=now, public=True, data=data)


def reopen(connection: Connection, case: CaseRow, actor: str, now: datetime) -> None:
    repository.change(connection, case.id, status="open", resolved_at=None)
    repository.add_event(connection, case.id, "reopened", actor=actor, at=now, public=True)


def relabel(connection: Connection, case: CaseRow, label: str, actor: str, now: datetime) -> None:
    """What the case is about was seen wrongly; the timeline keeps what it was taken for."""
    if label == case.label:
        return
    repository.change(connection, case.id, label=label)
    data = {"before": case.label, "label": label}
    repository.add_event(connection, case.id, "relabelled", actor=actor, at=now, public=False, data=data)


def resolve(connection: Connection, case_id: int, actor: str, now: datetime) -> None:
    repository.change(connection, case_id, status="resolved", awaited="user", resolved_at=now)
    repository.add_event(connection, case_id, "resolved", actor=actor, at=now, public=True)
