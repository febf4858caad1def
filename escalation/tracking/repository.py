"""What the tracking page may know of a case. Nothing else is read, so nothing else can leak."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, select

from bot.store.tables import Case, CaseEvent


@dataclass(frozen=True, kw_only=True)
class PublicCase:
    id: int
    number: str
    language: str
    status: str
    awaited: str
    link_version: int
    answer_due_at: datetime
    decision_due_at: datetime
    resolved_at: datetime | None


@dataclass(frozen=True, kw_only=True)
class PublicEvent:
    kind: str
    at: datetime


def find(connection: Connection, number: str) -> PublicCase | None:
    columns = [getattr(Case, name) for name in PublicCase.__dataclass_fields__]
    row = connection.execute(select(*columns).where(Case.number == number)).one_or_none()
    return None if row is None else PublicCase(**row._mapping)


def events(connection: Connection, case_id: int) -> list[PublicEvent]:
    query = select(CaseEvent.kind, CaseEvent.at).where(CaseEvent.case_id == case_id, CaseEvent.public.is_(True))
    return [PublicEvent(**row._mapping) for row in connection.execute(query.order_by(CaseEvent.seq))]
