"""Ten thousand mentions of a first look or a long outage, fetched within quota and stored once each.

X is the fake of the tests: real HTTP, signed requests, quotas per quarter of an hour. Time is moved, so that waiting
for a quota costs nothing; what is measured is the work. The floor is the same look with a desk that forgets at once.
"""

from __future__ import annotations

import random
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import timedelta
from itertools import count
from pathlib import Path

from sqlalchemy import text

from bench.floors import postgres
from bench.frame import AtLeast, Benchmark, Place, Step, Steps
from bot.clock import now
from bot.files import Files
from bot.inbox import Inbox
from bot.store.migrate import migrate
from bot.store.store import Store
from channels.contract import Accept
from tests.fakes.desk import FakeDesk
from tests.monitor.harness import Time
from tests.twitter.harness import channel
from tests.twitter.x_api import ACCOUNT, XApi

MENTIONS = 10_000
AUTHORS = 300
FORGOTTEN, SQLITE, POSTGRESQL = "only looked at", "stored on SQLite", "stored on PostgreSQL"


@asynccontextmanager
async def _open(place: Place) -> AsyncIterator[Steps]:
    async with AsyncExitStack() as stack:
        server = await stack.enter_async_context(postgres(place.folder))
        numbers = count(1)

        def fresh(kind: str) -> str:
            """A new database for each round: in the old one all would be known."""
            name = f"mentions{next(numbers)}"
            return server.database(name) if kind == POSTGRESQL else f"sqlite:///{place.folder / name}.db"

        def stored(kind: str) -> Step:
            async def run() -> float:
                return await _stored(place.folder / f"round{next(numbers)}", fresh(kind))

            return run

        async def forgotten() -> float:
            return await _back_fill(place.folder / f"round{next(numbers)}", None)

        yield {FORGOTTEN: forgotten, SQLITE: stored(SQLITE), POSTGRESQL: stored(POSTGRESQL)}


async def _stored(folder: Path, url: str) -> float:
    migrate(url)
    store = Store(url)
    inbox = Inbox(store, Files(folder / "raw"), now, timedelta(seconds=15), lambda _claim: None, lambda: False)
    try:
        rate = await _back_fill(folder, inbox.accept)
        counts = await store.read(
            lambda connection: [
                connection.execute(text(f"SELECT count(*) FROM {table}")).scalar_one()  # noqa: S608 - names of ours
                for table in ("inbox", "conversation")
            ]
        )
    finally:
        store.close()
    if counts != [MENTIONS, AUTHORS]:
        raise AssertionError(f"{MENTIONS} mentions of {AUTHORS} authors became {counts} messages and conversations")
    return rate


async def _back_fill(folder: Path, accept: Accept | None) -> float:
    """Mentions a second of real time."""
    moved, desk = Time(), FakeDesk(accept)
    async with XApi(now=moved.wall).running() as api:
        _mention(api)
        built = channel(folder, desk, api.url, moved)
        began = time.perf_counter()
        await built.start()
        while len(desk.stored) < MENTIONS:
            await moved.run(60)
        took = time.perf_counter() - began
        await built.stop()
        await built.close()
    if api.over_quota:
        raise AssertionError(f"{api.over_quota} calls were made though the quota was used up")
    return MENTIONS / took


def _mention(api: XApi) -> None:
    """Over a day; every author at least once."""
    chance = random.Random(22)  # noqa: S311 - no secret hangs on it
    for number in range(MENTIONS):
        author = 1000 + (number if number < AUTHORS else chance.randrange(AUTHORS))
        api.say(f"@{ACCOUNT['username']} complaint {number}", author, ago=80_000 * (1 - number / MENTIONS))


BENCHMARKS = [
    Benchmark(
        name="mentions",
        question="How many mentions a second are fetched within quota and stored, one conversation per author?",
        unit="mentions/s",
        open=_open,
        bars=(
            AtLeast(SQLITE, 0.5, of=FORGOTTEN, goal=True),
            AtLeast(POSTGRESQL, 0.5, of=FORGOTTEN, goal=True),
        ),
    )
]
