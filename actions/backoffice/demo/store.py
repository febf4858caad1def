"""The demo exchange's books: one SQLite file, read and written through these few questions."""

from __future__ import annotations

import json
import sqlite3
import uuid
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

from actions.backoffice.contract import (
    Freeze,
    FreezeState,
    Incident,
    Restriction,
    RestrictionKind,
    User,
    UserStatus,
)
from actions.backoffice.decode import decode

_SCHEMA = (
    """
    CREATE TABLE records (
        kind TEXT NOT NULL,        -- the contract's dataclass
        owner TEXT NOT NULL,       -- a uid, for a freeze its idempotency key, "" for an incident
        began_at TEXT NOT NULL,    -- what lists are sorted by
        changed_at TEXT NOT NULL,
        ended_at TEXT,             -- NULL while it lasts
        body TEXT NOT NULL         -- the dataclass as JSON
    ) STRICT
    """,
    "CREATE INDEX records_of_owner ON records (kind, owner, began_at)",
    "CREATE UNIQUE INDEX one_user_per_uid ON records (owner) WHERE kind = 'User'",
    "CREATE UNIQUE INDEX one_freeze_per_key ON records (owner) WHERE kind = 'Freeze'",
)


class KeyReused(Exception):
    """The idempotency key was used before for another user or another reason."""


@dataclass(frozen=True, kw_only=True)
class Record:
    """A dataclass of the contract and whose it is (`owner`: a uid, "" for an incident)."""

    owner: str
    content: Any


class Store:
    """Opens the file per question: SQLite connections belong to one thread, and requests come on many."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def is_empty(self) -> bool:
        """Whether nothing was ever written here."""
        with self._connection() as db:
            return db.execute("SELECT 1 FROM sqlite_master LIMIT 1").fetchone() is None

    def fill(self, records: Iterable[Record]) -> None:
        """Creates the table and stores the records; all or nothing."""
        with self._connection() as db:
            db.execute("PRAGMA journal_mode = WAL")
            db.execute("BEGIN IMMEDIATE")
            for statement in _SCHEMA:
                db.execute(statement)
            for record in records:
                _insert(db, record.owner, record.content)

    def user(self, uid: str) -> User | None:
        """The user with this uid, or None."""
        return next(iter(self._select(User, "owner = ?", uid)), None)

    def user_by_email(self, email: str) -> User | None:
        """The user registered with this address, or None."""
        return next((user for user in self.users() if user.email.casefold() == email.casefold()), None)

    def users(self) -> tuple[User, ...]:
        """All users, by uid."""
        return tuple(sorted(self._select(User, "1"), key=lambda user: user.uid))

    def since[T](self, kind: type[T], uid: str, since: datetime) -> tuple[T, ...]:
        """The user's records of one kind, created or changed at or after `since`, newest first."""
        return self._select(kind, "owner = ? AND changed_at >= ?", uid, _text(since))

    def restrictions(self, uid: str) -> tuple[Restriction, ...]:
        """What is closed to the user now, newest first."""
        now = _text(datetime.now(UTC))
        return self._select(Restriction, "owner = ? AND (ended_at IS NULL OR ended_at > ?)", uid, now)

    def incidents(self, at: datetime) -> tuple[Incident, ...]:
        """What was wrong on the platform at that time, newest first."""
        lasting = "began_at <= ? AND (ended_at IS NULL OR ended_at > ?)"
        return self._select(Incident, lasting, _text(at), _text(at))

    def freeze(self, user: User, reason: str, key: str) -> Freeze:
        """Freezes the account, or gives the freeze made under this key. Raises KeyReused."""
        with self._connection() as db:
            db.execute("BEGIN IMMEDIATE")
            row = db.execute("SELECT body FROM records WHERE kind = 'Freeze' AND owner = ?", (key,)).fetchone()
            if row is None:
                return _freeze(db, user, reason, key)
        earlier = decode(Freeze, json.loads(row[0]))
        if (earlier.uid, earlier.reason) != (user.uid, reason):
            raise KeyReused
        return earlier

    def _select[T](self, kind: type[T], condition: str, *values: str) -> tuple[T, ...]:
        # The condition is a constant of this module; values are bound.
        query = f"SELECT body FROM records WHERE kind = ? AND {condition} ORDER BY began_at DESC, body"  # noqa: S608
        with self._connection() as db:
            rows = db.execute(query, (kind.__name__, *values)).fetchall()
        return tuple(decode(kind, json.loads(body)) for (body,) in rows)

    @contextmanager
    def _connection(self) -> Iterator[sqlite3.Connection]:
        """Commits what the block wrote; closing without a commit takes it back."""
        db = sqlite3.connect(self._path, timeout=5, isolation_level=None)
        try:
            yield db
            if db.in_transaction:
                db.execute("COMMIT")
        finally:
            db.close()


def _freeze(db: sqlite3.Connection, user: User, reason: str, key: str) -> Freeze:
    now = datetime.now(UTC).replace(microsecond=0)
    freeze = Freeze(
        id=f"FRZ-{uuid.uuid4().hex[:10].upper()}",
        uid=user.uid,
        state=FreezeState.ACTIVE,
        requested_at=now,
        reason=reason,
    )
    closed = Restriction(
        kind=RestrictionKind.ACCOUNT_FROZEN,
        since=now,
        until=None,
        reason_code="protective_freeze",
        self_service_path=None,
    )
    _insert(db, key, freeze)
    _insert(db, user.uid, closed)
    body = _json(replace(user, status=UserStatus.FROZEN))
    db.execute("UPDATE records SET body = ? WHERE kind = 'User' AND owner = ?", (body, user.uid))
    return freeze


def _insert(db: sqlite3.Connection, owner: str, content: Any) -> None:
    times = {name: value for name, value in asdict(content).items() if isinstance(value, datetime)}
    began = next(iter(times.values()))
    changed = times.get("updated_at", began)
    ended = _text(times["until"]) if "until" in times else None
    values = (type(content).__name__, owner, _text(began), _text(changed), ended, _json(content))
    db.execute("INSERT INTO records VALUES (?, ?, ?, ?, ?, ?)", values)


def _json(content: Any) -> str:
    return json.dumps(asdict(content), default=_text, ensure_ascii=False)


def _text(value: datetime | Decimal) -> str:
    """Times all in one form, so that comparing the texts compares the times."""
    if isinstance(value, Decimal):
        return f"{value:f}"
    return value.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")
