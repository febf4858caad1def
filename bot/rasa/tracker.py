"""Where the conversations' state is kept: Rasa's SQL tracker store, made fit for a small SQLite file."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
import sqlalchemy.orm
import sqlalchemy.pool
from rasa.core.tracker_store import SQLTrackerStore
from rasa.shared.core.events import SessionStarted
from rasa.shared.core.trackers import DialogueStateTracker

BUSY_MILLISECONDS = 1000
"""How long a write waits for another one; a turn has 5 s in all."""


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

    async def save(self, tracker: DialogueStateTracker) -> None:
        await super().save(tracker)
        if _began(tracker) > 0:
            self._forget_earlier_sessions(tracker.sender_id)

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
