"""Wake-ups between two processes on one PostgreSQL."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable

import pytest
from sqlalchemy import create_engine, text

from bot.hub import Hub
from bot.store.bell import MAX_TOPICS, Bell

SECONDS = 30


@pytest.fixture
def url(postgres: Callable[[], str]) -> str:
    return postgres()


@pytest.fixture
async def hubs(url: str) -> AsyncIterator[tuple[Hub, Hub]]:
    """Two hubs as of two processes, once each has heard the other."""
    pair = Hub(Bell(url)), Hub(Bell(url))
    running = [asyncio.create_task(hub.run()) for hub in pair]
    for one, other in (pair, pair[::-1]):
        await until_heard(one, other, "ready")
    yield pair
    for task in running:
        task.cancel()
    await asyncio.gather(*running, return_exceptions=True)


async def until_heard(speaker: Hub, listener: Hub, topic: str) -> None:
    async with listener.watch(topic) as woken:
        hearing = asyncio.ensure_future(anext(woken))
        async with asyncio.timeout(SECONDS):
            while not hearing.done():
                speaker.publish(topic)
                await asyncio.wait([hearing], timeout=0.1)


async def test_what_one_process_publishes_wakes_the_other(hubs: tuple[Hub, Hub]) -> None:
    async with hubs[1].watch("conversation:fake:用户") as woken:
        hubs[0].publish("conversation:fake:用户", "queue")
        await asyncio.wait_for(anext(woken), SECONDS)


async def test_a_process_is_not_woken_by_itself_twice(hubs: tuple[Hub, Hub]) -> None:
    async with hubs[0].watch("a") as mine, hubs[1].watch("a") as theirs:
        hubs[0].publish("a")
        await anext(mine)
        await asyncio.wait_for(anext(theirs), SECONDS)
        hubs[1].publish("b")
        async with hubs[0].watch("b") as after:
            hubs[1].publish("b")
            await asyncio.wait_for(anext(after), SECONDS)  # whatever came back of "a" has been heard by now
        again = asyncio.ensure_future(anext(mine))
        await asyncio.sleep(0)
        assert not again.done()
        again.cancel()


async def test_more_topics_than_a_notice_holds_wake_everybody(hubs: tuple[Hub, Hub]) -> None:
    async with hubs[1].watch("topic 7") as woken:
        hubs[0].publish(*(f"topic {number}" * 20 for number in range(MAX_TOPICS * 2)))
        await asyncio.wait_for(anext(woken), SECONDS)


async def test_after_a_lost_connection_everybody_wakes_and_hears_again(hubs: tuple[Hub, Hub], url: str) -> None:
    async with hubs[1].watch("anything") as woken:
        await asyncio.to_thread(_hang_up, url)
        await asyncio.wait_for(anext(woken), SECONDS)
    await until_heard(hubs[0], hubs[1], "after")


def _hang_up(url: str) -> None:
    """The server ends all other connections to this database."""
    engine = create_engine(url)
    with engine.connect() as connection:
        query = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database()"
        connection.execute(text(f"{query} AND pid <> pg_backend_pid()"))
    engine.dispose()
