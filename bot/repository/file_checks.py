"""What is known of files that people sent: what they are, and whether they may be opened."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal

from sqlalchemy import Connection, bindparam, func, select, text, update

from bot.store.file_tables import UNEXAMINED, UNSCANNED, FileCheck
from bot.store.moment import Moment
from bot.store.tables import Conversation, Evidence

type Bar = Literal["infected", "unscanned", "scan_failed"]
"""Why a file must not be opened."""


@dataclass(frozen=True, kw_only=True)
class CheckRow:
    sha256: str
    examined: bool
    examine_attempts: int
    facts: Mapping[str, Any] = field(default_factory=dict)
    scan: str
    finding: str
    scan_attempts: int
    scanned_at: datetime | None


_COLUMNS = [getattr(FileCheck, name) for name in CheckRow.__dataclass_fields__]
_BEGIN = text(
    "INSERT INTO file_check (sha256, examine_at, scan_at) VALUES (:sha256, :at, :at) ON CONFLICT (sha256) DO NOTHING"
).bindparams(bindparam("at", type_=Moment()))


def barred(check: CheckRow | None, *, scanning: bool) -> Bar | None:
    """Whether a file may be handed out. `scanning`: a scanner is configured, so nothing goes out before its word.

    What it found holds, also when there is no scanner any more.
    """
    if check is not None and check.scan == "infected":
        return "infected"
    if not scanning or (check is not None and check.scan == "clean"):
        return None
    return "scan_failed" if check is not None and check.scan == "failed" else "unscanned"


def begin(connection: Connection, digests: Iterable[str], at: datetime) -> None:
    """Files that are new from now on wait to be looked into and scanned; known ones stay as they are."""
    # In one order, so that two processes with the same files never wait for each other.
    if unique := sorted(set(digests)):
        connection.execute(_BEGIN, [{"sha256": digest, "at": at} for digest in unique])


def find(connection: Connection, digest: str) -> CheckRow | None:
    return of_all(connection, [digest]).get(digest)


def of_all(connection: Connection, digests: Sequence[str]) -> Mapping[str, CheckRow]:
    if not digests:
        return {}
    rows = connection.execute(select(*_COLUMNS).where(FileCheck.sha256.in_(sorted(set(digests)))))
    return {row.sha256: CheckRow(**row._mapping) for row in rows}


def to_examine(connection: Connection, now: datetime, limit: int) -> Sequence[CheckRow]:
    query = select(*_COLUMNS).where(text(UNEXAMINED), FileCheck.examine_at <= now)
    return [CheckRow(**row._mapping) for row in connection.execute(query.order_by(FileCheck.examine_at).limit(limit))]


def to_scan(connection: Connection, now: datetime, limit: int) -> Sequence[CheckRow]:
    query = select(*_COLUMNS).where(text(UNSCANNED), FileCheck.scan_at <= now)
    return [CheckRow(**row._mapping) for row in connection.execute(query.order_by(FileCheck.scan_at).limit(limit))]


def claim(
    connection: Connection, digest: str, now: datetime, until: datetime, work: Literal["examine", "scan"]
) -> bool:
    """Takes a file for a while; False when another process has it, or is done with it."""
    due, left = (FileCheck.examine_at, UNEXAMINED) if work == "examine" else (FileCheck.scan_at, UNSCANNED)
    query = update(FileCheck).where(FileCheck.sha256 == digest, text(left), due <= now)
    return connection.execute(query.values({due: until})).rowcount == 1


def change(connection: Connection, digest: str, **values: Any) -> None:
    connection.execute(update(FileCheck).where(FileCheck.sha256 == digest).values(**values))


def unscanned(connection: Connection) -> int:
    """How many files no scanner has judged yet."""
    query = select(func.count()).select_from(FileCheck).where(text(UNSCANNED), FileCheck.scan == "waiting")
    return int(connection.execute(query).scalar_one())


def conversations_with(connection: Connection, digest: str) -> Sequence[tuple[str, str]]:
    """Channel and key of every conversation in which the file was sent."""
    query = select(Conversation.channel, Conversation.key).join(Evidence, Evidence.conversation_id == Conversation.id)
    return [(row.channel, row.key) for row in connection.execute(query.where(Evidence.sha256 == digest).distinct())]
