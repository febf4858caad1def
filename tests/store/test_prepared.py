"""Statements that the driver runs: what goes in and comes out is what SQLAlchemy would give, and so are the errors."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import Connection, Engine, bindparam, delete, event, insert, select, text, update
from sqlalchemy.exc import DBAPIError, IntegrityError, ProgrammingError

from bot.store import bulk
from bot.store.engine import open_engine, out_of_order
from bot.store.prepared import Prepared, run
from bot.store.tables import Timer, table

TIMER = table(Timer)
NOW = datetime(2026, 11, 5, 12, 30, 0, 123456, tzinfo=UTC)
NAMES = ("kind", "key", "due_at", "data")
ADD = Prepared(
    insert(TIMER)
    .values({name: bindparam(f"new_{name}", type_=TIMER.c[name].type) for name in NAMES})
    .returning(TIMER.c.id, TIMER.c.due_at)
)
ALL = select(*(TIMER.c[name] for name in NAMES)).order_by(TIMER.c.key)


@pytest.fixture
def engine(database_url: str) -> Iterator[Engine]:
    opened = open_engine(database_url, writer=True)
    yield opened
    opened.dispose()


@pytest.fixture
def connection(engine: Engine) -> Iterator[Connection]:
    with engine.connect() as opened:
        yield opened


def add(connection: Connection, key: str, data: Any = None, due_at: datetime = NOW) -> tuple[Any, ...]:
    given = {"new_kind": "test", "new_key": key, "new_due_at": due_at, "new_data": {} if data is None else data}
    (row,) = ADD.rows(connection, given)
    return row


def test_what_went_in_comes_out_as_sqlalchemy_gives_it(connection: Connection) -> None:
    data = {"名字": "100% “Anna”", "list": [1, None, 2.5], "deep": {"a": {}}}
    abroad = NOW.astimezone(datetime.strptime("+0800", "%z").tzinfo)
    row_id, due_at = add(connection, "one", data, abroad)
    assert (row_id, due_at) == (1, NOW)
    add(connection, "two")
    rows = Prepared(ALL).rows(connection, {})
    assert rows[0] == ("test", "one", NOW, data)
    assert rows == [tuple(row) for row in connection.execute(ALL)]


def test_what_the_statement_says_and_what_is_given_go_together(connection: Connection) -> None:
    for number in range(5):
        add(connection, f"k{number}", due_at=NOW + timedelta(hours=number))
    late = Prepared(
        select(TIMER.c.key)
        .where(TIMER.c.kind == "test", TIMER.c.due_at > bindparam("after"), bulk.among(TIMER.c.key, "keys"))
        .order_by(TIMER.c.key.desc())
        .limit(2)
    )
    given = {"after": NOW + timedelta(minutes=30), "keys": ["k0", "k1", "k3", "k4"]}
    assert late.rows(connection, given) == [("k4",), ("k3",)]
    assert late.rows(connection, {**given, "keys": []}) == []
    with pytest.raises(KeyError, match="after"):
        late.rows(connection, {"keys": ["k1"]})


def test_a_change_says_how_many_rows_it_met(connection: Connection) -> None:
    for key in ("one", "two"):
        add(connection, key)
    put_off = Prepared(update(TIMER).where(TIMER.c.kind == bindparam("of_kind")).values(data={"late": True}))
    gone = Prepared(delete(TIMER).where(TIMER.c.key == bindparam("of_key")))
    assert put_off.change(connection, {"of_kind": "test"}) == 2
    assert put_off.change(connection, {"of_kind": "other"}) == 0
    assert gone.change(connection, {"of_key": "one"}) == 1
    found = Prepared(select(TIMER.c.key, TIMER.c.data)).one_or_none(connection, {})
    assert found == ("two", {"late": True})
    gone.change(connection, {"of_key": "two"})
    assert Prepared(select(TIMER.c.key)).one_or_none(connection, {}) is None


def test_it_is_part_of_the_transaction(engine: Engine) -> None:
    with engine.connect() as connection:
        add(connection, "one")
        assert connection.in_transaction()
        connection.rollback()
        assert Prepared(ALL).rows(connection, {}) == []
    with engine.begin() as connection:
        add(connection, "two")
    with engine.connect() as connection:
        assert [row[1] for row in Prepared(ALL).rows(connection, {})] == ["two"]


def test_an_error_is_sqlalchemys_and_tells_nothing_of_what_was_given(connection: Connection) -> None:
    add(connection, "one", {"secret": "hunter2"})
    with pytest.raises(IntegrityError) as twice:
        add(connection, "one", {"secret": "hunter2"})
    assert not out_of_order(twice.value)
    assert "hunter2" not in str(twice.value).partition("DETAIL")[0]
    connection.rollback()
    with pytest.raises(DBAPIError):
        run(connection, "SELECT nothing FROM nowhere", ())
    connection.rollback()
    add(connection, "one")


def test_who_listens_hears_what_is_asked(engine: Engine, connection: Connection) -> None:
    heard: list[tuple[str, bool]] = []
    event.listen(engine, "before_cursor_execute", lambda *given: heard.append((given[2].split()[0], given[5])))
    add(connection, "one")
    bulk.add(connection, TIMER, [{"kind": "test", "key": key, "due_at": NOW, "data": {}} for key in ("two", "three")])
    assert ("INSERT", False) in heard
    assert len(heard) >= 2


def test_a_statement_whose_text_depends_on_what_is_given_is_refused(connection: Connection) -> None:
    with pytest.raises(AssertionError, match="its text would change"):
        Prepared(select(TIMER.c.key).where(TIMER.c.key.in_(bindparam("keys", expanding=True)))).rows(
            connection, {"keys": ["one"]}
        )


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
def test_a_lost_connection_is_given_up_and_the_next_one_serves(engine: Engine) -> None:
    with engine.connect() as connection:
        ((process,),) = run(connection, "SELECT pg_backend_pid()", None)[0]
        with engine.connect() as other:
            other.execute(text("SELECT pg_terminate_backend(:pid)"), {"pid": process})
        with pytest.raises(DBAPIError) as lost:
            Prepared(ALL).rows(connection, {})
        assert lost.value.connection_invalidated
        assert not isinstance(lost.value, ProgrammingError)
        assert out_of_order(lost.value)
    with engine.begin() as connection:
        add(connection, "one")
