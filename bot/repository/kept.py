"""Which files the rows name: raw messages too large for their row, evidence, and complete uploads.

Also answers on a database of an older schema (a back-up before an upgrade), so it asks only for what has always been
there, and for later tables by name.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Protocol

from sqlalchemy import Connection, func, inspect, select, text

from bot.store.tables import Evidence, Inbox

PAGE = 200
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
    return int(
        connection.execute(select(func.count()).select_from(Inbox)).scalar_one()
        + connection.execute(select(func.count()).select_from(Evidence)).scalar_one()
    )


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


def uploads(connection: Connection) -> Sequence[KeptFile]:
    """Files that came ahead of a message which is stored: until its turn has ended, no evidence row names them."""
    if not inspect(connection).has_table("upload"):
        return []
    query = "SELECT upload.sha256, upload.size, inbox.id FROM upload JOIN inbox"
    named = "ON inbox.channel = upload.channel AND inbox.external_id = upload.used_by"
    rows = connection.execute(text(f"{query} {named} WHERE upload.sha256 IS NOT NULL"))
    return [KeptFile(folder=EVIDENCE, sha256=row.sha256, size=row.size, named_by=f"inbox:{row.id}") for row in rows]


def everything(read: Read) -> Iterator[KeptFile]:
    """Page by page. Each page is one call of `read`, so that no transaction stays open while files are read."""
    for page in (raw, evidence):
        after = 0
        while found := read(partial(page, after=after)):
            yield from (file for _, file in found)
            after = found[-1][0]
    yield from read(uploads)
