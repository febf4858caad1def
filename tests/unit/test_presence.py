"""Who is there, over several processes of the desk on one database."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from sqlalchemy import Connection, insert

from bot.hub import Hub
from bot.presence import LIFE, Presence, attention_topic
from bot.repository import attention
from bot.repository.attention import USER
from bot.store.store import Store
from bot.store.tables import Conversation
from tests.conftest import MovedClock

ANNA, BO = "agent:1", "agent:2"
PATIENCE_SECONDS = 20


@asynccontextmanager
async def process(store: Store, clock: MovedClock) -> AsyncIterator[Presence]:
    """One process of the desk; at the end it stops as it should."""
    presence = Presence(store, clock, Hub())
    running = asyncio.create_task(presence.run())
    try:
        yield presence
    finally:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)


async def here(store: Store, clock: MovedClock) -> frozenset[str]:
    return await store.read(lambda connection: attention.present(connection, "fake", "one", clock()))


async def until(store: Store, clock: MovedClock, *expected: str) -> None:
    """The desk's processes write a moment after it happened."""
    async with asyncio.timeout(PATIENCE_SECONDS):
        while await here(store, clock) != frozenset(expected):
            await asyncio.sleep(0.02)


async def test_everybody_in_every_process_is_seen_once(store: Store, clock: MovedClock) -> None:
    async with process(store, clock) as one, process(store, clock) as two:
        with one.inside("fake", "one", USER), one.inside("fake", "one", ANNA), two.inside("fake", "one", ANNA):
            with two.inside("fake", "one", BO), two.inside("fake", "other", BO):
                await until(store, clock, USER, ANNA, BO)
            await until(store, clock, USER, ANNA)
        await until(store, clock)


async def test_two_windows_are_one_presence(store: Store, clock: MovedClock) -> None:
    async with process(store, clock) as one:
        with one.inside("fake", "one", ANNA):
            with one.inside("fake", "one", ANNA):
                await until(store, clock, ANNA)
            with one.inside("fake", "one", BO):
                await until(store, clock, ANNA, BO)  # so the closed window has been looked at
        await until(store, clock)


async def test_a_process_that_dies_takes_its_people_with_it(store: Store, clock: MovedClock) -> None:
    await store.write(lambda c: add_conversation(c, clock))
    dying = Presence(store, clock, Hub())
    running = asyncio.create_task(dying.run())
    with dying.inside("fake", "one", USER):
        await until(store, clock, USER)
        died_at = clock() + LIFE
        clock.move(seconds=LIFE.total_seconds() + 1)
        assert await here(store, clock) == frozenset(), "it has given no sign of life"
        async with process(store, clock) as other:
            with other.inside("fake", "one", ANNA):
                await until(store, clock, ANNA)
        marks = await store.read(lambda connection: attention.marks(connection, 1))
        assert marks.user_left_at == died_at
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)


async def test_a_process_that_was_only_slow_is_back(store: Store, clock: MovedClock) -> None:
    async with process(store, clock) as slow:
        with slow.inside("fake", "one", USER):
            await until(store, clock, USER)
            clock.move(minutes=5)
            await store.write(lambda connection: attention.bury(connection, clock()))
            with slow.inside("fake", "one", ANNA):
                await until(store, clock, USER, ANNA)


async def test_who_watches_is_woken(store: Store, clock: MovedClock) -> None:
    hub = Hub()
    presence = Presence(store, clock, hub)
    running = asyncio.create_task(presence.run())
    async with hub.watch(attention_topic("fake", "one")) as woken:
        with presence.inside("fake", "one", ANNA):
            await asyncio.wait_for(anext(woken), PATIENCE_SECONDS)
            assert await here(store, clock) == {ANNA}
        await asyncio.wait_for(anext(woken), PATIENCE_SECONDS)
        assert await here(store, clock) == frozenset()
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)


def add_conversation(connection: Connection, clock: MovedClock) -> None:
    values = {"id": 1, "channel": "fake", "key": "one", "recipient": "x", "created_at": clock(), "active_at": clock()}
    connection.execute(insert(Conversation).values(**values))


async def test_marks_only_grow(store: Store, clock: MovedClock) -> None:
    async def moved(**seqs: int) -> bool:
        return await store.write(lambda connection: attention.raise_marks(connection, 1, **seqs))

    await store.write(lambda c: add_conversation(c, clock))
    assert await moved(user_seq=3)
    assert not await moved(user_seq=2)
    assert await moved(user_seq=1, person_seq=1)
    marks = await store.read(lambda connection: attention.marks(connection, 1))
    assert (marks.user_seq, marks.person_seq) == (3, 1)
