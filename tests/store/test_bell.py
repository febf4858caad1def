"""Wake-ups between two processes on one PostgreSQL."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from sqlalchemy import create_engine, text
from sqlalchemy.engine import make_url

from bot.hub import Hub
from bot.store import bell
from bot.store.bell import MAX_TOPICS, Bell
from bot.store.topics import EVERYTHING

SECONDS = 30


@pytest.fixture
def url(postgres: Callable[[], str]) -> str:
    return postgres()


@pytest.fixture
async def hubs(url: str) -> AsyncIterator[tuple[Hub, Hub]]:
    """Two hubs as of two processes, once each has heard the other."""
    pair = Hub(Bell(url)), Hub(Bell(url))
    running = [asyncio.create_task(hub.run()) for hub in pair]
    for _ in range(4):  # that each tells everything when it connects, and hears its own, may count as heard thrice
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


class Cable:
    """Everything between a client and the server goes through it; `cut` drops it all without closing anything."""

    def __init__(self, url: str) -> None:
        self._url = make_url(url)
        self._socket = Path(str(self._url.query["host"])) / f".s.PGSQL.{self._url.port or 5432}"
        self._ends: list[asyncio.StreamWriter] = []
        self._passing: set[asyncio.Task[None]] = set()

    @asynccontextmanager
    async def url(self) -> AsyncIterator[str]:
        server = await asyncio.start_server(self._connect, "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]
        yield self._url.set(host="127.0.0.1", port=port, query={}).render_as_string(hide_password=False)
        server.close()
        self.cut()
        for end in self._ends:
            end.close()
        await asyncio.gather(*(end.wait_closed() for end in self._ends), return_exceptions=True)
        await server.wait_closed()

    def cut(self) -> None:
        """Those who are connected hear nothing any more, and are not told; who connects anew gets through."""
        for task in self._passing:
            task.cancel()
        self._passing.clear()

    async def _connect(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        theirs, ours = await asyncio.open_unix_connection(str(self._socket))
        self._ends += [writer, ours]
        self._passing |= {asyncio.create_task(_pass_on(*way)) for way in ((reader, ours), (theirs, writer))}


async def _pass_on(source: asyncio.StreamReader, target: asyncio.StreamWriter) -> None:
    while data := await source.read(65536):
        target.write(data)
        await target.drain()
    target.close()


async def test_a_connection_that_was_silently_dropped_is_noticed(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bell, "PULSE_SECONDS", 0.3)
    monkeypatch.setattr(bell, "LEAVE_SECONDS", 0.1)
    cable = Cable(url)
    async with cable.url() as through:
        near, far = Hub(Bell(url)), Hub(Bell(through))
        running = [asyncio.create_task(hub.run()) for hub in (near, far)]
        await until_heard(near, far, "before")
        async with far.watch("anything") as woken:
            cable.cut()
            await asyncio.wait_for(anext(woken), SECONDS)  # what was said meanwhile may be lost: everybody looks
        await until_heard(near, far, "after")
        await until_heard(far, near, "and back")
        for task in running:
            task.cancel()
        await asyncio.gather(*running, return_exceptions=True)


async def test_a_quiet_connection_is_kept(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The proof that it still hears comes back; nobody is woken by it, here or elsewhere."""
    monkeypatch.setattr(bell, "PULSE_SECONDS", 0.1)
    heard: list[Sequence[str]] = []
    one, other = Bell(url), Bell(url)
    running = [asyncio.create_task(each.run(lambda topics: heard.append(topics))) for each in (one, other)]
    await asyncio.sleep(1.5)
    assert [topics for topics in heard if topics not in ([], [EVERYTHING])] == []
    assert len([topics for topics in heard if topics == [EVERYTHING]]) <= 4  # from connecting, once each
    assert heard.count([]) >= 5
    for task in running:
        task.cancel()
    await asyncio.gather(*running, return_exceptions=True)
