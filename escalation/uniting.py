"""Two conversations are one person's from now on: one case, one person if one was proven. In the caller's commit."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Connection

from bot.identity import repository as identity
from bot.repository import conversations
from bot.repository.conversations import ConversationRow
from escalation import repository
from escalation.merging import bring_together, merge, one_matter
from escalation.repository import CaseRow


class OfSomebodyElse(Exception):
    """The two are proven to be different persons, or a case of the one is another person's."""


def unite(
    connection: Connection, one: ConversationRow, other: ConversationRow, how: str, now: datetime
) -> CaseRow | None:
    """The case that both have now, None while there is none. `how` is the kind of proof, as agents read it.

    The caller holds both rows. Raises OfSomebodyElse; then nothing is changed.
    """
    first, second = (None if row.case_id is None else repository.get(connection, row.case_id) for row in (one, other))
    _check(one, other, [case for case in (first, second) if case is not None])
    _share_person(connection, one, other, how, now)
    case = _common(connection, first, second, now)
    for row in (one, other):
        if case is not None and row.case_id is None:
            bring_together(connection, case, row.id, "desk", now)
        repository.add_note(connection, row.id, "bound", at=now, data={"reasons": [how]})
    return case or first or second


def take_in(connection: Connection, case: CaseRow, row: ConversationRow, how: str, now: datetime) -> CaseRow:
    """The conversation belongs to the case from now on. The caller holds the row. Raises OfSomebodyElse."""
    own = None if row.case_id is None else repository.get(connection, row.case_id)
    _check(row, row, [case] if own is None else [case, own])
    common = _common(connection, case, own, now)
    if common is not None and own is None:
        bring_together(connection, common, row.id, "desk", now)
    repository.add_note(connection, row.id, "bound", at=now, data={"reasons": [how]})
    return common or case


def _check(one: ConversationRow, other: ConversationRow, known: list[CaseRow]) -> None:
    persons = {one.person_id, other.person_id, *(case.person_id for case in known)} - {None}
    if len(persons) > 1:
        raise OfSomebodyElse


def _share_person(
    connection: Connection, one: ConversationRow, other: ConversationRow, how: str, now: datetime
) -> None:
    """The account stays unproven where it was: what only its owner may see is not shown there."""
    person_id = one.person_id or other.person_id
    for row in (one, other):
        if person_id is not None and row.person_id is None:
            conversations.change(connection, row.id, person_id=person_id)
            identity.write_down_bond(connection, row.id, person_id, how, now)


def _common(connection: Connection, one: CaseRow | None, other: CaseRow | None, now: datetime) -> CaseRow | None:
    """One case out of two; None where they are about different matters and stay two."""
    if one is None or other is None or one.id == other.id:
        return one or other
    return merge(connection, one, other, now) if one_matter(one, other) else None
