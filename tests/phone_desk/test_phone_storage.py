"""When nothing can be stored the page says so and gives back what was typed; what the migration changes is only what it
means to change."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from alembic import command
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError

from bot.store import engine
from bot.store.engine import open_engine
from bot.store.migrate import config, migrate
from tests.phone_desk.desk import MEGABYTE, NONCE, form, kept, key_in, phone_desk

AT = "2026-11-22 08:00:00"
CONVERSATION = (
    "INSERT INTO conversation (id, channel, key, recipient, subject, thread, owner, owner_epoch, last_seq, pending,"
    " created_at, active_at) VALUES (1, 'c', 'k', 'r', '', '{}', 'bot', 0, 1, 0, :at, :at)"
)
OUTBOX = (
    "INSERT INTO outbox (id, origin, message_id, conversation_id, seq, author, author_name, text, language, buttons,"
    " created_at, state, attempts) VALUES (:id, :name, :name, 1, :id, 'desk', '', 'x', 'en', '[]', :at, :state, 0)"
)


async def test_not_saved_is_said_and_the_words_and_files_go_through_later(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another program has the database locked for longer than the desk waits."""
    monkeypatch.setattr(engine, "SQLITE_BUSY_MS", 300)
    async with phone_desk(tmp_path) as place:
        li = place.people["li"]
        hidden = await form(li)
        with closing(sqlite3.connect(tmp_path / "redress.db", isolation_level=None)) as other:
            other.execute("BEGIN IMMEDIATE")
            place.moved.move(minutes=2)  # so that noting that the agent is still there would be a write, too
            answer = await key_in(place, "li", {"words": "Where is my money?"}, hidden=hidden)
            other.execute("ROLLBACK")
        assert answer.status_code == 503
        assert "Not saved" in answer.text
        assert "Where is my money?" in answer.text
        assert NONCE.findall(answer.text) == [hidden["nonce"]]
        talk = await kept(place, "li", {"words": "Where is my money?"}, [("a.png", b"\x89PNG")], hidden=hidden)
        assert len(await place.received(talk)) == 1

        await place.channel.stop()
        hidden = await form(li)
        answer = await key_in(place, "li", {}, [("b.png", b"\x89PNG")], hidden=hidden)
        assert answer.status_code == 503
        assert "b.png" in answer.text  # it has come, and need not be chosen again
        assert 'name="upload"' in answer.text


async def test_files_that_are_too_many_or_too_large_are_refused_with_the_words_kept(tmp_path: Path) -> None:
    async with phone_desk(tmp_path) as place:
        for files, sentence in (
            ([("a", b"x")] * 4, "at most 3"),
            ([("a", b"x" * (3 * MEGABYTE + 1))], "larger than 3 MB"),
            ([("a", b"")], "is empty"),
        ):
            answer = await key_in(place, "li", {"words": "Where is my money?"}, files)
            assert answer.status_code == 422
            assert sentence in answer.text
            assert "Where is my money?" in answer.text
        huge = await key_in(place, "li", {}, [("a", b"x" * 11_000_000)])
        assert huge.status_code == 413


def test_the_migration_keeps_what_others_refer_to(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'old.db'}"
    command.upgrade(config(url), "0013")
    opened = open_engine(url, writer=True)
    with opened.begin() as connection:
        connection.execute(text(CONVERSATION), {"at": AT})
        connection.execute(text(OUTBOX), {"id": 1, "name": "a", "at": AT, "state": "sent"})
    opened.dispose()
    migrate(url)
    opened = open_engine(url, writer=True)
    with opened.begin() as connection:
        connection.execute(text(OUTBOX), {"id": 2, "name": "b", "at": AT, "state": "by_hand"})
        assert connection.execute(text("SELECT state FROM outbox ORDER BY id")).scalars().all() == ["sent", "by_hand"]
        assert connection.execute(text("PRAGMA integrity_check")).scalar_one() == "ok"
    with opened.connect() as connection, pytest.raises(IntegrityError, match="ck_outbox_state"):
        connection.execute(text(OUTBOX), {"id": 3, "name": "c", "at": AT, "state": "lost"})
    opened.dispose()


def test_a_state_that_does_not_exist_is_refused(database_url: str) -> None:
    opened = open_engine(database_url, writer=True)
    with opened.connect() as connection:
        connection.execute(text(CONVERSATION), {"at": AT})
        connection.execute(text(OUTBOX), {"id": 2, "name": "b", "at": AT, "state": "by_hand"})
        with pytest.raises(IntegrityError, match="ck_outbox_state"):
            connection.execute(text(OUTBOX), {"id": 3, "name": "c", "at": AT, "state": "lost"})
    opened.dispose()
