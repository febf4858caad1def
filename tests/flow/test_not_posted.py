"""What a public channel kept to itself was not said: agents read so, and the books do not count it as an answer."""

from __future__ import annotations

from pathlib import Path

import pytest
from alembic import command
from sqlalchemy import select, text

from bot import ledger
from bot.repository import outbox as outbox_rows
from bot.store.engine import open_engine
from bot.store.migrate import config, migrate
from bot.store.tables import Note, Outbox
from channels.contract import SendReceipt
from escalation.console.repository import conversation as shown
from escalation.console.transcript import lines
from tests.flow.conftest import Road
from tests.phone_desk.test_phone_storage import AT, CONVERSATION, OUTBOX

REASON = "not posted: a reply to this author was posted or tried within 24 hours"


@pytest.fixture
def silent(road: Road, monkeypatch: pytest.MonkeyPatch) -> Road:
    """A channel of which the peer's rules let nothing more out."""

    async def send(*_arguments: object) -> SendReceipt:
        return SendReceipt(peer_id=REASON, posted=False)

    monkeypatch.setattr(road.channel, "send", send)
    return road


async def test_what_was_not_posted_was_not_said(silent: Road) -> None:
    await silent.say("hello")
    query = select(Outbox.state, Outbox.error, Outbox.peer_id, Outbox.sent_at, Outbox.conversation_id)
    rows = await silent.store.read(lambda c: c.execute(query).all())
    assert rows
    assert {tuple(row)[:4] for row in rows} == {("not_posted", REASON, None, None)}
    conversation_id = rows[0].conversation_id
    assert await silent.store.read(lambda c: outbox_rows.first_lines_of_bot(c, conversation_id)) == []
    found = await silent.store.read(lambda c: shown.everything(c, conversation_id, silent.clock()))
    assert found is not None
    assert {line.delivery for line in lines(found, {}) if line.outbox_id is not None} == {"not_posted"}
    assert await silent.store.read(lambda c: c.execute(select(Note.kind)).all()) == [], "nobody has to do anything"


async def test_the_books_do_not_count_it_as_answered(silent: Road, monkeypatch: pytest.MonkeyPatch) -> None:
    await silent.say("hello")
    monkeypatch.undo()
    await silent.say("hello again")
    book = await silent.store.read(ledger.draw_up)
    assert (book.received, book.outcomes["answered"], book.outcomes["not_posted"]) == (2, 1, 1)
    assert book.balanced


def test_the_migration_takes_back_what_counted_as_sent(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'old.db'}"
    command.upgrade(config(url), "0015")
    opened = open_engine(url, writer=True)
    with opened.begin() as connection:
        connection.execute(text(CONVERSATION), {"at": AT})
        for number in (1, 2):
            connection.execute(text(OUTBOX), {"id": number, "name": f"m{number}", "at": AT, "state": "sent"})
        connection.execute(text("UPDATE outbox SET sent_at = created_at, peer_id = '17'"))
        connection.execute(text("UPDATE outbox SET peer_id = :why WHERE id = 2"), {"why": REASON})
    opened.dispose()
    migrate(url)
    opened = open_engine(url, writer=True)
    with opened.connect() as connection:
        rows = connection.execute(text("SELECT state, peer_id, error, sent_at IS NULL FROM outbox ORDER BY id")).all()
        assert [tuple(row) for row in rows] == [("sent", "17", None, 0), ("not_posted", None, REASON, 1)]
        assert connection.execute(text("PRAGMA integrity_check")).scalar_one() == "ok"
    opened.dispose()
