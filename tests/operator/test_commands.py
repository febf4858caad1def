"""The operator's commands: what they say, their exit codes, and that they work beside a running desk."""

from __future__ import annotations

import json
import sys
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import Connection, select, update

from bot.operator.reconcile import moment
from bot.store.store import Store
from bot.store.tables import Conversation, Deed, Inbox, Outbox
from tests.operator.commands import quiet, reading
from tests.operator.conftest import Place, Places
from tests.process.desk import DeskProcess, free_port
from tests.process.people import letter, post

AT = datetime(2026, 11, 22, 9, 0, tzinfo=UTC)


def parked(connection: Connection) -> None:
    """As if no machine could go on with the first message."""
    connection.execute(update(Inbox).where(Inbox.id == 1).values(state="parked", outcome="parked", attempts=3))
    connection.execute(update(Conversation).where(Conversation.id == 1).values(pending=0))


async def test_a_running_desk_takes_up_what_is_replayed(database_url: str, tmp_path: Path, rasa_url: str) -> None:
    desk = DeskProcess(tmp_path, database_url, rasa_url)
    await desk.start()
    assert (await post(desk, letter("li@user.example", "Help", "hello"), "li@user.example")).startswith("250")
    store = Store(database_url)
    await quiet(store)
    await store.write(parked)
    code, said = await desk.redress("parked", "list", "--json")
    [row] = json.loads(said)
    assert (code, row["name"], row["state"], row["attempts"]) == (0, "inbox:1", "parked", 3)
    assert "hello" not in said
    code, said = await desk.redress("parked", "replay", "inbox:1", "--by", "Mei")
    assert (code, said) == (0, "inbox:1 goes back to the road\n")
    await quiet(store)
    ended = select(Inbox.state, Inbox.outcome)
    assert await store.read(lambda c: c.execute(ended).one()) == ("done", "answered")
    said_before = select(Outbox.origin)  # the turn had committed its answer: it is not said again
    assert await store.read(lambda c: c.execute(said_before).scalars().all()) == ["inbox:1:0"]
    assert (await desk.redress("parked", "replay", "inbox:1"))[0] == 1
    store.close()
    assert await desk.stop() == 0


@pytest.fixture
def place(places: Places) -> Place:
    """A desk that does not run, with three messages, the first of them parked."""
    made = places("first")
    made.fill(3)
    with closing(Store(made.database)) as store, store._writing.begin() as connection:
        parked(connection)
    return made


def test_parked_rows_are_listed_shown_and_set_aside_without_a_running_desk(place: Place) -> None:
    code, said = place.redress("parked", "list")
    assert (code, said.split("\t")[:3]) == (0, ["inbox:1", "parked", "fake"])
    assert json.loads(place.redress("parked", "show", "inbox:1")[1])["attempts"] == 3
    assert place.redress("parked", "show", "inbox:2") == (1, "inbox:2 is not parked\n")
    code, said = place.redress("parked", "discard", "inbox:1", "inbox:2", "--reason", "a probe", "--by", "Mei")
    assert (code, said) == (1, "inbox:1 is set aside\ninbox:2 is not parked\n")
    deeds = reading(place.database, lambda c: c.execute(select(Deed.target, Deed.person, Deed.reason)).all())
    assert deeds == [("inbox:1", "Mei", "a probe")]
    assert place.redress("parked", "list") == (0, "nothing is parked\n")
    code, said = place.redress("reconcile")
    assert (code, json.loads(said)["rejected"]) == (0, 1)


def test_all_means_every_parked_row(place: Place) -> None:
    assert place.redress("parked", "replay", "--all") == (0, "inbox:1 goes back to the road\n")
    assert place.redress("parked", "replay", "--all") == (1, "nothing is parked\n")
    assert json.loads(place.redress("reconcile")[1])["in_progress"] == 3


@pytest.mark.parametrize(
    "call",
    [
        ("replay",),
        ("replay", "inbox:1", "--all"),
        ("replay", "letter:1"),
        ("discard", "inbox:1", "--by", "Mei"),
        ("discard", "inbox:1", "--reason", "a probe"),
        ("discard", "--reason", "a probe", "--by", "Mei"),
        (),
    ],
)
def test_a_wrong_call_is_2_and_does_nothing(place: Place, call: tuple[str, ...]) -> None:
    try:
        code, _ = place.redress("parked", *call)
    except SystemExit as left:
        code = int(str(left.code))
    assert code == 2
    assert "inbox:1" in place.redress("parked", "list")[1]


def test_reconcile_names_what_is_unproven(place: Place) -> None:
    with closing(Store(place.database)) as store, store._writing.begin() as connection:
        connection.execute(update(Inbox).where(Inbox.id == 2).values(state="done", outcome="answered"))
    code, said = place.redress("reconcile")
    book = json.loads(said)
    assert (code, book["balanced"], book["unproven"], book["suspects"]) == (
        1,
        False,
        {"answered": 1},
        {"answered": [2]},
    )


def test_reconcile_can_look_at_what_came_since(place: Place) -> None:
    with closing(Store(place.database)) as store, store._writing.begin() as connection:
        old = datetime.now(UTC) - timedelta(days=3)
        connection.execute(update(Inbox).where(Inbox.id == 1).values(received_at=old))
    code, said = place.redress("reconcile", "--since", "24h")
    book = json.loads(said)
    assert (code, book["received"], book["in_progress"]) == (0, 2, 2)
    assert json.loads(place.redress("reconcile", "--since", "2020-01-01")[1])["received"] == 3
    assert place.redress("reconcile", "--since", "yesterday")[0] == 2


def test_on_a_terminal_the_books_are_a_table(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True, raising=False)
    code, said = place.redress("reconcile", "--files")
    assert (code, said.splitlines()[0].split()) == (0, ["received", "3"])
    assert "the books balance" in said
    assert "every file is there with its bytes" in said
    assert json.loads(place.redress("reconcile", "--json")[1])["received"] == 3


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("90m", datetime(2026, 11, 22, 7, 30, tzinfo=UTC)),
        ("24h", datetime(2026, 11, 21, 9, 0, tzinfo=UTC)),
        ("7 d", datetime(2026, 11, 15, 9, 0, tzinfo=UTC)),
        ("2026-11-01", datetime(2026, 11, 1, tzinfo=UTC)),
        ("2026-11-01T08:00+08:00", datetime(2026, 11, 1, tzinfo=UTC)),
    ],
)
def test_a_time_is_written_as_people_write_it(written: str, meant: datetime) -> None:
    assert moment(written, AT) == meant


@pytest.mark.parametrize("written", ["", "7", "7w", "-1h", "tomorrow", "2026-13-01", "9" * 9 + "d"])
def test_what_is_no_time_is_refused(written: str) -> None:
    with pytest.raises(ValueError, match="is no time"):
        moment(written, AT)


@pytest.mark.parametrize("call", [("parked", "list"), ("reconcile",), ("check",), ("raw", "1"), ("serve",)])
def test_a_database_that_is_down_is_no_wrong_call(places: Places, call: tuple[str, ...]) -> None:
    """A script may try the same again later: 1. A wrong call would stay wrong: 2."""
    place = places("first")
    place.database_url = f"postgresql+psycopg://nobody@127.0.0.1:{free_port()}/nothing"
    code, said = place.redress(*call)
    assert (code, said.startswith("Redress cannot use its database: ")) == (1, True), said
