"""Broadcasts as their authors see them, and what stands on the public page."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, insert, or_, select, update
from sqlalchemy.orm import aliased

from bot.store.broadcast_tables import Broadcast
from bot.store.tables import Agent
from bot.wording import base
from bot.wording.traditional import HANT, traditional
from escalation.broadcast.policy import PUBLISHED

DRAFT, PLANNED, RUNNING, DONE, STOPPED = "draft", "planned", "running", "done", "stopped"
SHOWN = 50


@dataclass(frozen=True, kw_only=True)
class BroadcastRow:
    id: int
    kind: str
    title_en: str
    title_zh: str
    text_en: str
    text_zh: str
    starts_at: datetime
    shown_until: datetime | None
    state: str
    created_at: datetime
    started_at: datetime | None
    stopped_at: datetime | None

    def title(self, language: str) -> str:
        """In 繁體 it is the Chinese one, converted; so is the text."""
        return _written({"en": self.title_en, "zh": self.title_zh}, language)

    def text(self, language: str) -> str:
        return _written({"en": self.text_en, "zh": self.text_zh}, language)


@dataclass(frozen=True, kw_only=True)
class People:
    """Who did what with a broadcast; None: nobody yet."""

    created: str
    started: str | None
    stopped: str | None


def _written(texts: Mapping[str, str], language: str) -> str:
    text = texts[base(language)]
    return traditional(text) if language == HANT else text


_COLUMNS = [getattr(Broadcast, name) for name in BroadcastRow.__dataclass_fields__]


def add(connection: Connection, **values: Any) -> int:
    return int(connection.execute(insert(Broadcast).values(state=DRAFT, **values).returning(Broadcast.id)).scalar_one())


def get(connection: Connection, broadcast_id: int) -> BroadcastRow | None:
    return _row(connection, select(*_COLUMNS).where(Broadcast.id == broadcast_id))


def lock(connection: Connection, broadcast_id: int) -> BroadcastRow | None:
    """Held until the commit."""
    return _row(connection, select(*_COLUMNS).where(Broadcast.id == broadcast_id).with_for_update())


def _row(connection: Connection, query: Any) -> BroadcastRow | None:
    row = connection.execute(query).one_or_none()
    return None if row is None else BroadcastRow(**row._mapping)


def change(connection: Connection, broadcast_id: int, **values: Any) -> None:
    connection.execute(update(Broadcast).where(Broadcast.id == broadcast_id).values(**values))


def newest(connection: Connection) -> Sequence[BroadcastRow]:
    query = select(*_COLUMNS).order_by(Broadcast.id.desc()).limit(SHOWN)
    return [BroadcastRow(**row._mapping) for row in connection.execute(query)]


def people(connection: Connection, broadcast_id: int) -> People:
    created, started, stopped = aliased(Agent), aliased(Agent), aliased(Agent)
    query = (
        select(created.name.label("created"), started.name.label("started"), stopped.name.label("stopped"))
        .select_from(Broadcast)
        .join(created, created.id == Broadcast.created_by)
        .outerjoin(started, started.id == Broadcast.started_by)
        .outerjoin(stopped, stopped.id == Broadcast.stopped_by)
        .where(Broadcast.id == broadcast_id)
    )
    return People(**connection.execute(query).one()._mapping)


def published(connection: Connection, now: datetime) -> Sequence[BroadcastRow]:
    """What everybody may read now, newest first. What was stopped was wrong, and is not shown."""
    query = select(*_COLUMNS).where(
        Broadcast.state.in_((PLANNED, RUNNING, DONE)),
        Broadcast.kind.in_(PUBLISHED),
        Broadcast.starts_at <= now,
        or_(Broadcast.shown_until.is_(None), Broadcast.shown_until > now),
    )
    rows = connection.execute(query.order_by(Broadcast.starts_at.desc(), Broadcast.id.desc()).limit(SHOWN))
    return [BroadcastRow(**row._mapping) for row in rows]
