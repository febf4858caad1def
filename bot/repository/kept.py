"""Which files the rows name: raw messages too large for their row, evidence, and complete uploads.

Also answers on a database of an older schema (a back-up before an upgrade), so it asks only for what has always been
there, and for later tables by name.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol

from sqlalchemy import Connection, func, inspect, select, text

from bot.store.tables import Evidence, Inbox

PAGE = 200
_COUNT_OF_UPLOADS = "SELECT count(*)"
_UPLOADS = "SELECT upload.id AS upload_id, upload.sha256, upload.size, inbox.id AS inbox_id"
_NAMED_BUT_UNFINISHED = """
FROM inbox
JOIN conversation ON conversation.id = inbox.conversation_id
JOIN upload ON upload.channel = conversation.channel AND upload.conversation_key = conversation.key
    AND upload.used_by = inbox.external_id
WHERE inbox.state <> 'done' AND upload.sha256 IS NOT NULL
"""
"""From the few messages to their files, not the other way: the uploads of years are in that table."""
RAW, EVIDENCE = "raw", "evidence"
"""The folders in the data folder."""


class Read(Protocol):
    """Answers a query, in a transaction of its own or in one that sees a snapshot."""

    def __call__[T](self, query: Callable[[Connection], T]) -> T: ...


@dataclass(frozen=True, kw_only=True)
class KeptFile:
    """A file that a row names. `inline` has its bytes when they live in the row instead."""

    folder: str
    sha256: str
    size: int
    named_by: str
    """"inbox:12" or "evidence:3"."""
    inline: bytes | None = None


def count(connection: Connection) -> int:
    """How many files `everything` will name."""
    found = (
        int(connection.execute(select(func.count()).select_from(Inbox)).scalar_one()),
        int(connection.execute(select(func.count()).select_from(Evidence)).scalar_one()),
        int(connection.execute(text(_COUNT_OF_UPLOADS + _NAMED_BUT_UNFINISHED)).scalar_one())
        if _has_uploads(connection)
        else 0,
    )
    return sum(found)


def raw(connection: Connection, after: int) -> Sequence[tuple[int, KeptFile]]:
    """A page of received messages after the id `after`, each with its id."""
    query = select(Inbox.id, Inbox.raw_sha256, Inbox.raw_size, Inbox.raw).where(Inbox.id > after)
    rows = connection.execute(query.order_by(Inbox.id).limit(PAGE))
    return [
        (
            row.id,
            KeptFile(folder=RAW, sha256=row.raw_sha256, size=row.raw_size, named_by=f"inbox:{row.id}", inline=row.raw),
        )
        for row in rows
    ]


def evidence(connection: Connection, after: int) -> Sequence[tuple[int, KeptFile]]:
    query = select(Evidence.id, Evidence.sha256, Evidence.size).where(Evidence.id > after)
    rows = connection.execute(query.order_by(Evidence.id).limit(PAGE))
    return [
        (row.id, KeptFile(folder=EVIDENCE, sha256=row.sha256, size=row.size, named_by=f"evidence:{row.id}"))
        for row in rows
    ]


def uploads(connection: Connection, after: str) -> Sequence[tuple[str, KeptFile]]:
    """Files that came ahead of a message which is stored: until its turn has ended, no evidence row names them."""
    if not _has_uploads(connection):
        return []
    query = f"{_UPLOADS} {_NAMED_BUT_UNFINISHED} AND upload.id > :after ORDER BY upload.id LIMIT {PAGE}"
    rows = connection.execute(text(query), {"after": after})
    return [
        (
            row.upload_id,
            KeptFile(folder=EVIDENCE, sha256=row.sha256, size=row.size, named_by=f"inbox:{row.inbox_id}"),
        )
        for row in rows
    ]


def _has_uploads(connection: Connection) -> bool:
    return inspect(connection).has_table("upload")


def everything(read: Read) -> Iterator[KeptFile]:
    """Page by page. Each page is one call of `read`, so that no transaction stays open while files are read."""
    yield from _paged(read, raw, 0)
    yield from _paged(read, evidence, 0)
    yield from _paged(read, uploads, "")


def _paged[K](
    read: Read, page: Callable[[Connection, K], Sequence[tuple[K, KeptFile]]], after: K
) -> Iterator[KeptFile]:
    def look(connection: Connection) -> Sequence[tuple[K, KeptFile]]:
        return page(connection, after)

    while found := read(look):
        yield from (file for _, file in found)
        after = found[-1][0]
