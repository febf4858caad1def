"""A database of the first schema with work waiting in it, brought to the newest one; and upgrades that go wrong."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from alembic import command
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, MetaData, create_engine, func, select, text
from sqlalchemy.exc import DBAPIError

from bot.belonging import insist_on_own
from bot.clock import now
from bot.files import sha256
from bot.keys import root_secret
from bot.repository import whole
from bot.store import migrate as migrations
from bot.store.engine import LOCK_MS, open_engine
from bot.store.migrate import config, migrate
from bot.store.store import Store
from bot.store.tables import Conversation, Inbox, Outbox, Timer
from tests.operator.commands import books, quiet
from tests.operator.conftest import Places, emptied
from tests.process.desk import DeskProcess
from tests.process.people import letter

PEER = "li@user.example"


@pytest.fixture
def old_database(empty_database: str) -> str:
    """At the first schema, with the work of the table at the end of this file waiting."""
    command.upgrade(config(empty_database), "0001")
    engine = open_engine(empty_database, writer=True)
    with engine.begin() as connection:
        fill(connection)
    engine.dispose()
    return empty_database


@pytest.mark.timeout(300)
async def test_what_waited_before_an_upgrade_is_finished_after_it(
    old_database: str, tmp_path: Path, rasa_url: str
) -> None:
    desk = DeskProcess(tmp_path, old_database, rasa_url, WORK__LEASE_SECONDS="3")
    await desk.start()
    store = Store(old_database)
    await quiet(store)
    outcomes = select(Inbox.external_id, Inbox.outcome).order_by(Inbox.id)
    assert await store.read(lambda c: [tuple(row) for row in c.execute(outcomes)]) == [
        ("queued", "opened"),
        ("leased", "opened"),
        ("parked", "parked"),
    ]
    sent = select(Outbox.origin, Outbox.state).where(Outbox.conversation_id == 3).order_by(Outbox.seq)
    said = await store.read(lambda c: [tuple(row) for row in c.execute(sent)])
    assert said[:2] == [("agent:one", "sent"), ("agent:two", "sent")]
    assert said[2][0].startswith("timer:")
    old_timer = select(Timer.id).where(Timer.id == 7, Timer.key == "3")  # it rang, which is what was said third
    assert await store.read(lambda c: c.execute(old_timer).first()) is None
    pending = select(func.sum(Conversation.pending))
    assert await store.read(lambda c: c.execute(pending).scalar_one()) == 0
    store.close()
    assert (await books(desk))[0] == 0
    code, said_by_parked = await desk.redress("parked", "replay", "inbox:3", "--by", "Mei")
    assert code == 0, said_by_parked
    assert await desk.stop() == 0


async def test_a_second_process_waits_for_the_first_ones_migration(
    postgres: Callable[[], str], tmp_path: Path, rasa_url: str
) -> None:
    """Both want to migrate while somebody else does: they wait, and both succeed."""
    url = emptied(postgres())
    desk = DeskProcess(tmp_path, url, rasa_url)
    engine = create_engine(url)
    with engine.connect() as connection:
        connection.execute(text(f"SELECT pg_advisory_xact_lock({7_233_733_377})"))
        both = [asyncio.create_task(desk.redress("check")) for _ in range(2)]
        waiting = text("SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted")
        async with asyncio.timeout(120):
            while connection.execute(waiting).scalar_one() < 2:
                assert not any(task.done() for task in both)
                await asyncio.sleep(0.05)
        await asyncio.sleep(LOCK_MS / 1000 + 0.5)  # longer than anybody waits for a row
        assert not any(task.done() for task in both)
        connection.rollback()
    engine.dispose()
    assert [code for code, _ in await asyncio.gather(*both)] == [0, 0]


async def test_two_first_starts_at_once_make_one_administrator(
    postgres: Callable[[], str], tmp_path: Path, rasa_url: str
) -> None:
    url = emptied(postgres())
    shared = {"DATA_DIR": str(tmp_path / "data")}
    desks = [DeskProcess(tmp_path / name, url, rasa_url, **shared) for name in ("one", "two")]
    await asyncio.gather(*(desk.start() for desk in desks))
    store = Store(url)
    assert await store.read(lambda c: c.execute(text("SELECT login FROM agent")).scalars().all()) == ["admin"]
    store.close()
    assert [await desk.stop() for desk in desks] == [0, 0]


BAD = """
from alembic import op

revision = "9001"
down_revision = "{head}"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("CREATE TABLE half_done (id integer)")
    op.execute("UPDATE conversation SET owner = 'nobody'")
    op.execute("SELECT * FROM a_table_that_is_not_there")
"""


def test_a_migration_that_fails_leaves_the_old_schema_whole(
    old_database: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, places: Places
) -> None:
    before = described(old_database)
    head = ScriptDirectory.from_config(config(old_database)).get_current_head()
    shutil.copytree(migrations.MIGRATIONS, tmp_path / "migrations")
    (tmp_path / "migrations" / "versions" / "9001_bad.py").write_text(BAD.format(head=head), encoding="utf-8")
    with monkeypatch.context() as patch:
        patch.setattr(migrations, "MIGRATIONS", tmp_path / "migrations")
        with pytest.raises(DBAPIError):
            migrate(old_database)
        assert described(old_database) == before
        place = places("first")
        place.database_url = old_database
        code, said = place.redress("check")
        assert (code, "cannot use its database" in said) == (1, True)
    migrate(old_database)
    assert described(old_database)["revision"] == [head]


def test_a_strangers_database_is_refused_before_it_is_upgraded(
    database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, places: Places
) -> None:
    """A wrong data folder with a newer program must not upgrade somebody else's desk."""
    theirs, ours = places("theirs"), places("ours")
    theirs.database_url = ours.database_url = database_url
    store = Store(database_url)
    asyncio.run(insist_on_own(store, theirs.data))
    store.close()
    head = ScriptDirectory.from_config(config(database_url)).get_current_head()
    shutil.copytree(migrations.MIGRATIONS, tmp_path / "migrations")
    newer = BAD.format(head=head).partition('    op.execute("UPDATE')[0]
    (tmp_path / "migrations" / "versions" / "9001_newer.py").write_text(newer, encoding="utf-8")
    monkeypatch.setattr(migrations, "MIGRATIONS", tmp_path / "migrations")
    before = described(database_url)
    for with_key in (False, True):
        if with_key:
            root_secret(ours.data)
        for call in ("serve", "check"):
            code, said = ours.redress(call)
            assert (code, "belongs to another data folder" in said) == (2, True), said
        assert (ours.data / "instance.key").exists() is with_key
    assert described(database_url) == before
    assert theirs.redress("check")[0] == 0
    assert described(database_url)["revision"] == ["9001"]


def described(url: str) -> dict[str, list[Any]]:
    """Revision, tables with their columns, and the rows that a bad migration would have touched."""
    engine = create_engine(url)
    found = MetaData()
    found.reflect(engine)
    with engine.connect() as connection:
        owners = connection.execute(text("SELECT owner FROM conversation ORDER BY id")).scalars().all()
        revision = whole.revision(connection)
    engine.dispose()
    tables = {table.name: sorted(column.name for column in table.columns) for table in found.sorted_tables}
    return {"revision": [revision], "owners": list(owners), **tables}


def fill(connection: Connection) -> None:
    """Rows as the first schema knew them: reflected, for today's classes have more columns."""
    tables = MetaData()
    tables.reflect(connection)
    moment = now() - timedelta(hours=2)

    def add(table: str, **values: Any) -> None:
        connection.execute(tables.tables[table].insert().values(**values))

    for number in range(1, 5):
        add("conversation", id=number, **conversation(number, moment, connection))
    for number, (name, state) in enumerate([("queued", "new"), ("leased", "new"), ("parked", "parked")], 1):
        raw = letter(PEER, "A complaint", f"My complaint {name}")
        outcome = None if state == "new" else "parked"
        place = {"id": number, "conversation_id": number if number < 3 else 4, "seq": 1, "external_id": name}
        kept = {"raw": raw, "raw_sha256": sha256(raw), "raw_size": len(raw), "text": "", "envelope": ENVELOPE}
        add("inbox", **place, **kept, **RECEIVED, state=state, outcome=outcome, received_at=at(moment, connection))
    for number, (name, state) in enumerate([("one", "sending"), ("two", "new")], 1):
        place = {"conversation_id": 3, "seq": number, "origin": f"agent:{name}", "message_id": name * 8}
        lease = {"token": "dead", "lease_until": at(moment, connection)} if state == "sending" else {}
        add("outbox", **place, **lease, **SAID, state=state, text=name, created_at=at(moment, connection))
    due = {"due_at": at(moment, connection), "data": {"conversation_id": 3}}
    add("timer", id=7, kind="queue_patience", key="3", **due)
    add("note", conversation_id=4, after_seq=1, kind="queued", text="", data={}, at=at(moment, connection))


ENVELOPE = {"mail_from": PEER, "rcpt_to": ["complaints@exchange.example"], "peer": "127.0.0.1", "helo": "x"}
RECEIVED = {"channel": "mail", "sender": PEER, "attempts": 0, "deaths": 0}
SAID = {"author": "agent", "author_name": "Anna", "language": "en", "buttons": [], "attempts": 0}


def conversation(number: int, moment: datetime, connection: Connection) -> dict[str, Any]:
    """1 waits, 2 is held by a worker that died, 3 waits for a person who never came, 4 has a parked message."""
    owner = "bot" if number < 3 else "queue"
    lease = {"lease_token": "dead", "lease_until": at(moment, connection)} if number == 2 else {}
    fixed = {"channel": "mail", "recipient": PEER, "subject": "", "thread": {}, "owner_epoch": 0, "language": "en"}
    times = {"created_at": at(moment, connection), "active_at": at(moment, connection)}
    counts = {"last_seq": 2, "pending": 1 if number < 3 else 0}
    return {**fixed, **times, **counts, **lease, "key": f"{number:032x}", "owner": owner}


def at(moment: datetime, connection: Connection) -> datetime:
    """SQLite keeps UTC without saying so."""
    return moment if connection.dialect.name == "postgresql" else moment.replace(tzinfo=None)
