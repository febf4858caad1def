"""How much came in one conversation lately: counted from what is stored, so that it holds for all processes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from functools import cache
from typing import Any

from sqlalchemy import Connection, Select, bindparam, func, select

from bot.store.tables import Evidence, Inbox
from channels.contract import Kind


def earlier(connection: Connection, conversation_id: int, seq: int, places: Iterable[int]) -> Mapping[int, datetime]:
    """When the n-th message before place `seq` came, for each n of `places` for which there is one. What no person
    wrote does not count. All before `seq` must be finished."""
    where = {"conversation_id": conversation_id, "seq": seq}
    found = {n: connection.execute(_nth(), {**where, "skipped": n - 1}).scalar_one_or_none() for n in places}
    return {n: at for n, at in found.items() if at is not None}


@cache
def _nth() -> Select[datetime]:
    """Walks back the index of places: as many rows as the cap, however long the conversation is."""
    query = select(Inbox.received_at).where(
        Inbox.conversation_id == bindparam("conversation_id"),
        Inbox.seq < bindparam("seq"),
        Inbox.kind == Kind.MESSAGE.value,
    )
    return query.order_by(Inbox.seq.desc()).limit(1).offset(bindparam("skipped"))


def files_since(connection: Connection, conversation_id: int, since: datetime) -> tuple[int, int]:
    """How many files were kept since then, and their bytes together."""
    row: Any = connection.execute(_FILES, {"conversation_id": conversation_id, "since": since}).one()
    return int(row[0]), int(row[1])


_FILES = select(func.count(), func.coalesce(func.sum(Evidence.size), 0)).where(
    Evidence.conversation_id == bindparam("conversation_id"), Evidence.collected_at > bindparam("since")
)
