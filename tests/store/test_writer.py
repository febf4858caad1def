"""Group commit: many operations per commit, each on its own, on both databases."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from datetime import UTC, datetime
from typing import Any

import pytest
from sqlalchemy import Connection, create_engine, func, insert, select, text
from sqlalchemy.exc import DataError, IntegrityError

from bot.repository import arrivals
from bot.store import writer
from bot.store.store import Store
from bot.store.tables import Inbox, LoginAttempt, Timer
from channels.contract import InboundMessage

NOW = datetime(2026, 11, 22, tzinfo=UTC)


def add(key: str) -> Callable[[Connection], str]:
    def operation(connection: Connection) -> str:
        connection.execute(insert(Timer).values(kind="test", key=key, due_at=NOW, data={}))
        return key

    return operation


def arrival(name: str) -> arrivals.Arrival:
    message = InboundMessage(
        channel="test", external_id=name, conversation_key="one", sender="s", raw=b"", received_at=NOW
    )
    return arrivals.Arrival(message, "0" * 64, b"", "t")


def count(connection: Connection) -> int:
    return int(connection.execute(select(func.count()).select_from(Timer)).scalar_one())


async def test_many_operations_are_all_committed_and_answered(store: Store) -> None:
    keys = [str(number) for number in range(300)]
    assert await asyncio.gather(*(store.write(add(key)) for key in keys)) == keys
    assert await store.read(count) == 300


async def test_a_failing_operation_leaves_its_neighbours_alone(store: Store) -> None:
    def broken(connection: Connection) -> None:
        connection.execute(insert(LoginAttempt).values(login="half done", at=NOW))
        raise RuntimeError("a fault in the middle")

    results: list[Any] = await asyncio.gather(
        *(store.write(operation) for operation in (add("a"), broken, add("b"))), return_exceptions=True
    )
    assert results[0] == "a"
    assert results[2] == "b"
    assert isinstance(results[1], RuntimeError)
    assert await store.read(count) == 2
    left = await store.read(lambda c: c.execute(select(func.count()).select_from(LoginAttempt)).scalar_one())
    assert left == 0


async def test_a_broken_constraint_reaches_the_caller_without_its_parameters(store: Store) -> None:
    await store.write(add("private words"))
    with pytest.raises(IntegrityError) as caught:
        await store.write(add("private words"))
    assert "parameters hidden" in str(caught.value)
    assert await store.read(count) == 1


async def test_a_caller_that_goes_away_does_not_take_its_commit_with_it(store: Store) -> None:
    task = asyncio.create_task(store.write(add("hung up")))
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    await store.write(add("later"))
    assert await store.read(count) == 2


async def test_two_stores_on_one_database_keep_the_order_of_a_conversation(database_url: str) -> None:
    """Two machines accept messages of the same conversation at the same time: the order has no gap and no double."""
    stores = [Store(database_url), Store(database_url)]

    def place(connection: Connection, arriving: Sequence[arrivals.Arrival]) -> Sequence[int]:
        return [stored.accepted.seq for stored in arrivals.store(connection, arriving, NOW, NOW)]

    def accept(number: int) -> Awaitable[int]:
        return stores[number % 2].write_together(place, arrival(str(number)))

    try:
        places = await asyncio.gather(*(accept(number) for number in range(100)))
    finally:
        for opened in stores:
            opened.close()
    assert sorted(places) == list(range(1, 101))


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
async def test_a_connection_that_was_cut_while_it_rested_costs_nobody_an_operation(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(writer, "KEEP_SECONDS", 0.0)
    await store.write(add("before"))
    other = create_engine(store.url)
    with other.connect() as connection:
        others = "datname = current_database() AND pid <> pg_backend_pid()"
        connection.execute(text(f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE {others}"))
    other.dispose()
    await store.write(add("after"))
    assert await store.read(count) == 2


async def test_a_repeated_message_keeps_its_place_before_the_next(store: Store) -> None:
    """A, B and A again arrive together (the writer was held up): A was first and stays first."""

    def arrive(connection: Connection, arriving: Sequence[arrivals.Arrival]) -> Sequence[tuple[int, bool]]:
        stored = arrivals.store(connection, arriving, NOW, NOW)
        return [(one.accepted.seq, one.accepted.duplicate) for one in stored]

    a, b = arrival("a"), arrival("b")
    held = asyncio.create_task(store.write(lambda _connection: time.sleep(0.05)))  # in its thread
    await asyncio.sleep(0)
    found = await asyncio.gather(*(store.write_together(arrive, one) for one in (a, b, a)))
    await held
    assert found == [(1, False), (2, False), (1, True)]


async def test_one_of_a_group_that_fails_leaves_the_others_alone(store: Store) -> None:
    def work(connection: Connection, keys: Sequence[str]) -> Sequence[str | Exception]:
        for key in keys:
            connection.execute(insert(Timer).values(kind="test", key=key, due_at=NOW, data={}))
            if key == "bad":
                raise RuntimeError("a fault in the middle")
        return list(keys)

    tasks = [store.write_together(work, key) for key in ("a", "bad", "b")]
    first, second, third = await asyncio.gather(*tasks, return_exceptions=True)
    assert (first, third) == ("a", "b")
    assert isinstance(second, RuntimeError)
    assert await store.read(count) == 2


async def test_what_postgresql_cannot_keep_leaves_its_neighbours_alone(postgres: Callable[[], str]) -> None:
    """PostgreSQL's texts hold no NUL. Whoever sent one hears of it; what came at the same moment is stored."""
    store = Store(postgres())

    def arrive(connection: Connection, arriving: Sequence[arrivals.Arrival]) -> Sequence[int]:
        return [stored.accepted.inbox_id for stored in arrivals.store(connection, arriving, NOW, NOW)]

    held = asyncio.create_task(store.write(lambda _connection: time.sleep(0.05)))  # so that they come together
    await asyncio.sleep(0)
    arriving = [arrival(name) for name in ("a", "b\0", "c")]
    first, bad, third = await asyncio.gather(
        *(store.write_together(arrive, one) for one in arriving), return_exceptions=True
    )
    await held
    assert isinstance(bad, DataError)
    assert isinstance(first, int)
    assert isinstance(third, int)
    names = select(Inbox.external_id).order_by(Inbox.id)
    assert await store.read(lambda c: list(c.execute(names).scalars())) == ["a", "c"]
    await store.write(add("afterwards"))
    store.close()
