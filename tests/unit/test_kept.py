"""Which files the rows name, page by page: those of uploads only while nothing else names them."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

import pytest
from sqlalchemy import Connection, insert

from bot.repository import kept
from bot.store.engine import open_engine
from bot.store.live_tables import Upload
from bot.store.tables import Conversation, Inbox
from tests.conftest import MovedClock

FILES = 5


def add(connection: Connection, at: datetime, state: str, number: int) -> None:
    """A message with a file that came ahead of it."""
    row = {"id": number, "channel": "fake", "created_at": at, "active_at": at, "recipient": "x"}
    connection.execute(insert(Conversation).values(**row, key=f"k{number}"))
    values = {"id": number, "channel": "fake", "external_id": f"m{number}", "conversation_id": number, "seq": 1}
    raw = {"raw_sha256": "r" * 64, "raw_size": 1, "raw": b"r", "sender": "x", "received_at": at}
    connection.execute(insert(Inbox).values(**values, **raw, state=state))
    file = {"channel": "fake", "conversation_key": f"k{number}", "filename": "f", "size": 9, "used_by": f"m{number}"}
    times = {"created_at": at, "expires_at": at}
    connection.execute(insert(Upload).values(id=f"u{number}", sha256=f"{number:064}", **file, **times))


def test_files_of_unfinished_messages_are_named_on_pages(
    database_url: str, clock: MovedClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(kept, "PAGE", 2)
    engine, reads = open_engine(database_url), []

    def read[T](query: Callable[[Connection], T]) -> T:
        with engine.connect() as connection:
            reads.append(1)
            return query(connection)

    with engine.begin() as connection:
        for number in range(FILES):
            add(connection, clock(), "parked" if number == 1 else "new", number + 1)
        for number in range(FILES, 2 * FILES):
            add(connection, clock(), "done", number + 1)
    found = list(kept.everything(read))
    named = [file.named_by for file in found if file.folder == kept.EVIDENCE]
    assert named == [f"inbox:{number + 1}" for number in range(FILES)]
    assert read(kept.count) == len(found) == 3 * FILES
    assert len(reads) == 6 + 1 + 4 + 1
    engine.dispose()
