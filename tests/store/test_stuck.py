"""A process that hangs in the middle, and a server that may not be written: the others go on, or say so. PostgreSQL."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import contextmanager

import pytest
from sqlalchemy import Connection, create_engine, insert, select, text, update

from bot.store import engine
from bot.store.engine import IDLE_MS, LOCK_MS, may_pause, one_moment, open_engine
from bot.store.store import Store
from bot.store.tables import Timer
from channels.faults import NotStored
from tests.store.test_writer import NOW, add

HOLDER = """
import sys
from sqlalchemy import text
from bot.store.engine import open_engine

with open_engine(sys.argv[1], writer=True).begin() as connection:
    connection.execute(text("SELECT id FROM timer FOR UPDATE"))
    print("held", flush=True)
    sys.stdin.read()
"""


@pytest.fixture
def url(postgres: Callable[[], str]) -> str:
    return postgres()


@pytest.fixture
async def opened(url: str) -> AsyncIterator[Store]:
    made = Store(url)
    await made.write(add("one"))
    yield made
    made.close()


@contextmanager
def stopped_in_the_middle(url: str) -> Iterator[None]:
    """Another process locks the rows and is stopped, as by a debugger, a full machine or a broken disk."""
    process = subprocess.Popen([sys.executable, "-c", HOLDER, url], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    try:
        assert process.stdout is not None
        assert process.stdout.readline() == b"held\n"
        os.kill(process.pid, signal.SIGSTOP)
        yield
    finally:
        process.kill()
        process.communicate()


def touch(connection: Connection) -> None:
    connection.execute(update(Timer).values(due_at=NOW))


async def test_a_process_that_was_stopped_holds_up_the_others_for_a_while_only(opened: Store, url: str) -> None:
    with stopped_in_the_middle(url):
        began = time.monotonic()
        with pytest.raises(NotStored):
            await opened.write(touch)
        assert time.monotonic() - began < LOCK_MS / 1000 + 3
        await opened.write(add("a neighbour"))  # what needs none of its rows goes on
        await until_written(opened, touch)
        assert time.monotonic() - began < (IDLE_MS + LOCK_MS) / 1000 + 5


async def until_written(opened: Store, run: Callable[[Connection], object]) -> None:
    while True:
        try:
            await opened.write(run)
            return
        except NotStored:
            continue


async def test_a_connection_that_was_ended_for_idling_means_later(opened: Store) -> None:
    """The process that was stopped goes on: its transaction is gone, and nothing of it was kept."""

    def idle(connection: Connection) -> None:
        connection.execute(text("SET LOCAL idle_in_transaction_session_timeout = 50"))
        connection.execute(insert(Timer).values(kind="test", key="half", due_at=NOW, data={}))
        time.sleep(0.5)
        connection.execute(text("SELECT 1"))

    with pytest.raises(NotStored):
        await opened.write(idle)
    await opened.write(add("afterwards"))
    keys = select(Timer.key).order_by(Timer.key)
    assert await opened.read(lambda c: list(c.execute(keys).scalars())) == ["afterwards", "one"]


def shown(connection: Connection, name: str) -> str:
    return str(connection.execute(text(f"SHOW {name}")).scalar_one())


def test_what_the_operators_url_says_comes_first(url: str) -> None:
    theirs = url + ("&" if "?" in url else "?") + "options=-c%20lock_timeout%3D7s&connect_timeout=9"
    opened = open_engine(theirs)
    with opened.connect() as connection:
        assert shown(connection, "lock_timeout") == "7s"
        assert shown(connection, "idle_in_transaction_session_timeout") == "10s"
    opened.dispose()
    assert "connect_timeout" not in engine.patience(theirs)
    assert "connect_timeout" in engine.patience(url)


def test_a_backup_may_take_its_time(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engine, "IDLE_MS", 50)
    opened = open_engine(url)
    with opened.connect() as connection:
        one_moment(connection)
        may_pause(connection)
        time.sleep(0.3)  # a large file is copied
        assert shown(connection, "transaction_isolation") == "repeatable read"
    opened.dispose()


async def test_a_database_that_may_only_be_read_stores_nothing_and_says_so(opened: Store, url: str) -> None:
    """As after a fail-over to a server that has not been promoted."""
    read_only(url, on=True)
    with pytest.raises(NotStored, match="read-only"):
        await until_told(opened)
    assert len(await opened.read(lambda c: c.execute(select(Timer.id)).all())) == 1
    read_only(url, on=False)
    await until_written(opened, add("writable again"))


async def until_told(opened: Store) -> None:
    """The connections of before are ended: the first to notice hears that, the next what is the matter."""
    try:
        await opened.write(add("lost"))
    except NotStored:
        await opened.write(add("lost"))


def read_only(url: str, *, on: bool) -> None:
    administrator = create_engine(url, isolation_level="AUTOCOMMIT")
    with administrator.connect() as connection:
        connection.execute(text("SET default_transaction_read_only = off"))
        name = connection.execute(text("SELECT current_database()")).scalar_one()
        connection.execute(text(f"ALTER DATABASE {name} SET default_transaction_read_only = {'on' if on else 'off'}"))
        query = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database()"
        connection.execute(text(f"{query} AND pid <> pg_backend_pid()"))
    administrator.dispose()
