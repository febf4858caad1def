"""How the road stands right now: depths and ages, for whoever watches the desk.

Answered from the small partial indexes of unfinished rows, never from the whole tables: a scrape must cost the same
after a million messages as after ten.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, func, select, text

from bot.repository import parked
from bot.store.tables import UNFINISHED, Inbox, Outbox, Timer

# Written out, not bound: SQLite uses a partial index only when the query repeats its condition word for word.
_UNFINISHED = text(f"inbox.{UNFINISHED}")
_ON_THE_WAY = text("outbox.state in ('new', 'sending')")


@dataclass(frozen=True, kw_only=True)
class Standing:
    inbox: Mapping[str, int]
    """Unfinished rows by state: new, parked."""
    outbox: Mapping[str, int]
    """Unfinished rows by state: new, sending, parked, failed, unknown."""
    oldest_inbox: datetime | None
    """When the oldest message that waits for its turn was received."""
    oldest_outbox: datetime | None
    """Since when the oldest message that has not left yet is to leave: new ones and those in mid-send."""
    inbox_attempts: int
    """Broken turns of messages that still wait."""
    outbox_attempts: int
    """Failed sendings of messages that still wait."""
    timers: int
    """Timers set."""
    timers_overdue: int
    oldest_timer: datetime | None
    """When the most overdue timer should have rung."""


def look(connection: Connection, now: datetime) -> Standing:
    received = connection.execute(
        select(Inbox.state, func.count(), func.min(Inbox.received_at), func.sum(Inbox.attempts))
        .where(_UNFINISHED)
        .group_by(Inbox.state)
    ).all()
    waiting = {row[0]: row for row in received}.get("new")
    leaving = connection.execute(
        select(Outbox.state, func.count(), func.sum(Outbox.attempts)).where(_ON_THE_WAY).group_by(Outbox.state)
    ).all()
    stuck = connection.execute(select(Outbox.state, func.count()).where(parked.UNSETTLED).group_by(Outbox.state)).all()
    overdue, oldest_timer = connection.execute(
        select(func.count(), func.min(Timer.due_at)).where(Timer.due_at <= now)
    ).one()
    return Standing(
        inbox={row[0]: row[1] for row in received},
        outbox={str(row[0]): int(row[1]) for row in (*leaving, *stuck)},
        oldest_inbox=None if waiting is None else waiting[2],
        oldest_outbox=_leaving_since(connection),
        inbox_attempts=0 if waiting is None else int(waiting[3]),
        outbox_attempts=sum(int(row[2]) for row in leaving),
        timers=int(connection.execute(select(func.count()).select_from(Timer)).scalar_one()),
        timers_overdue=overdue,
        oldest_timer=oldest_timer,
    )


def _leaving_since(connection: Connection) -> datetime | None:
    """Whether it may go now does not matter: after each failure a row's next try is due a little later."""
    since = func.coalesce(Outbox.tried_since, Outbox.created_at, type_=Outbox.created_at.type)
    found: datetime | None = connection.execute(select(func.min(since)).where(_ON_THE_WAY)).scalar_one()
    return found
