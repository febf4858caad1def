"""Where the conversations' state is kept: Rasa's SQL tracker store, made fit for a small SQLite file."""

from __future__ import annotations

import json
from collections import OrderedDict
from typing import Any, Dict, List, NamedTuple, Optional

import sqlalchemy as sa
import sqlalchemy.orm
import sqlalchemy.pool
from rasa.core.tracker_store import SQLTrackerStore
from rasa.shared.core.domain import Domain
from rasa.shared.core.events import SessionStarted
from rasa.shared.core.trackers import DialogueStateTracker

BUSY_MILLISECONDS = 1000
"""How long a write waits for another one; a turn has 5 s in all."""
HELD = 32
"""Conversations held in memory between their turns. Building one anew from its events takes a fifth of a turn."""


class _Held(NamedTuple):
    """A conversation as it was after its last turn.

    `events` is how many the tracker had, `newest` the id of the last of them in the database: another process may have
    gone on with the conversation since, and a turn that failed leaves events in the tracker that were never stored.
    """

    tracker: DialogueStateTracker
    domain: Domain
    events: int
    newest: Optional[int]


class DurableTrackerStore(SQLTrackerStore):
    """Survives a restart, never waits long, and keeps only what the conversation still needs.

    Unlike Rasa's fail-safe wrapper it raises when the database does: a turn that is not remembered has failed.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if self.engine.dialect.name == "sqlite":
            self.engine.dispose()
            self.engine = _kept_open(self.engine.url)
            self.sessionmaker = sa.orm.session.sessionmaker(bind=self.engine)
        self._held: OrderedDict[str, _Held] = OrderedDict()
        table = self.SQLEvent.__table__
        self._insert = table.insert()
        self._newest = sa.select([sa.func.max(table.c.id)]).where(table.c.sender_id == sa.bindparam("sender"))

    async def retrieve(self, sender_id: str) -> Optional[DialogueStateTracker]:
        """The conversation's latest session; from memory if the database knows of nothing that is not in it."""
        with self.engine.connect() as connection:
            newest = connection.execute(self._newest, {"sender": sender_id}).scalar()
        held = self._held.pop(sender_id, None)
        if held is None or not self._is_current(held, newest):
            tracker = None if newest is None else await super().retrieve(sender_id)
            if tracker is None:
                return None
            held = self._as_held(tracker, newest)
        self._hold(sender_id, held)
        return held.tracker

    async def save(self, tracker: DialogueStateTracker) -> None:
        sender = tracker.sender_id
        held = self._held.pop(sender, None)
        with self.engine.begin() as connection:
            new = self._new_events(tracker, held)
            if new:
                connection.execute(self._insert, new)
            newest = connection.execute(self._newest, {"sender": sender}).scalar()
        if _began(tracker) > 0:
            self._forget_earlier_sessions(sender)
        else:
            self._hold(sender, self._as_held(tracker, newest))

    def _new_events(self, tracker: DialogueStateTracker, held: Optional[_Held]) -> List[Dict[str, Any]]:
        """The rows of what is not stored yet."""
        if held is not None and held.tracker is tracker:
            events = list(tracker.events)[held.events :]
        else:
            with self.session_scope() as session:
                events = list(self._additional_events(session, tracker))
        return [_row(tracker.sender_id, event.as_dict()) for event in events]

    def _is_current(self, held: _Held, newest: Optional[int]) -> bool:
        whole = held.newest == newest and held.events == len(held.tracker.events)
        return whole and held.domain is self.domain

    def _as_held(self, tracker: DialogueStateTracker, newest: Optional[int]) -> _Held:
        return _Held(tracker, self.domain, len(tracker.events), newest)

    def _hold(self, sender: str, held: _Held) -> None:
        self._held[sender] = held
        while len(self._held) > HELD:
            self._held.popitem(last=False)

    def _forget_earlier_sessions(self, sender: str) -> None:
        """Deletes what came before the latest session: it is never read again and holds the user's words."""
        event = self.SQLEvent
        with self.session_scope() as session:
            latest = (
                session.query(sa.func.max(event.id))
                .filter(event.sender_id == sender, event.type_name == SessionStarted.type_name)
                .scalar()
            )
            session.query(event).filter(event.sender_id == sender, event.id < latest).delete()
            session.commit()


def _row(sender: str, event: Dict[str, Any]) -> Dict[str, Any]:
    return {
        "sender_id": sender,
        "type_name": event["event"],
        "timestamp": event.get("timestamp"),
        "data": json.dumps(event),
    }


def _began(tracker: DialogueStateTracker) -> int:
    """Where the latest session starts among the tracker's events; 0 when there was only one session."""
    places = [place for place, event in enumerate(tracker.events) if isinstance(event, SessionStarted)]
    return places[-1] if len(places) > 1 else 0


def _kept_open(url: Any) -> Any:
    """An engine whose connection stays open: by default one is opened per session, and closing the last one writes the
    log back into the file, which took a quarter of a turn."""
    engine = sa.create_engine(url, poolclass=sa.pool.QueuePool, connect_args={"check_same_thread": False})
    sa.event.listen(engine, "connect", _prepare)
    return engine


def _prepare(connection: Any, _record: Any) -> None:
    for setting in ("journal_mode=WAL", "synchronous=NORMAL", f"busy_timeout={BUSY_MILLISECONDS}"):
        connection.execute(f"PRAGMA {setting}")
