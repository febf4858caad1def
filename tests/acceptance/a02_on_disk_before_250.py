"""A2: between the read of a mail's final dot and the write of its 250 lies a successful sync; without one, no 250.

python -m tests.acceptance.a02_on_disk_before_250 --database both

Needs strace. On SQLite the syncs of the app itself are seen, and then made to fail (EIO). On PostgreSQL the server
syncs: its processes are followed too; then it is stopped and killed, and one that does not sync is refused.
"""

from __future__ import annotations

import asyncio
import re
import sys
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path

from sqlalchemy import create_engine, text

from bot.store.store import Store
from tests.acceptance import strace
from tests.acceptance.bar import Bar, main
from tests.acceptance.kept import damaged, differently_shown
from tests.acceptance.strace import Call
from tests.fakes.postgres import Postgres
from tests.fakes.rasa import FakeRasa
from tests.fakes.web import serving
from tests.process.desk import DeskProcess
from tests.process.people import letter
from tests.process.wire import offer

MAILS = 100
AT_ONCE = 10
EVERY_TENTH_BYTES = 100_000
"""Too large for a row: its bytes are a file with a sync of its own."""
AGAIN_SECONDS = 30.0
READS = ("read", "readv", "recvfrom", "recvmsg")
WRITES = ("write", "writev", "sendto", "sendmsg")
SYNCS = ("fsync", "fdatasync")
DATABASE_FILE = re.compile(r"<[^>]*(redress\.db(-wal)?|/pg_wal/\w+)>")
RAW_FILE = re.compile(r"<[^>]*/data/raw/[^>]*>")
Fault = Callable[[], Awaitable[None]]


class Post:
    """Sends mails and remembers which were accepted."""

    def __init__(self, desk: DeskProcess) -> None:
        self._desk = desk
        self._made = 0
        self.accepted: list[bytes] = []

    async def send(self, count: int) -> list[str]:
        """The answers. `AT_ONCE` at the same time, each over a connection of its own, tried once."""
        slots = asyncio.Semaphore(AT_ONCE)
        return list(await asyncio.gather(*(self._one(slots) for _ in range(count))))

    async def _one(self, slots: asyncio.Semaphore) -> str:
        self._made += 1
        sender = f"writer{self._made}@mail.example"
        body = "我的提现没有到账。" if self._made % 2 else "My withdrawal is missing."
        if self._made % 10 == 0:
            body += "\r\n" + ("x" * 70 + "\r\n") * (EVERY_TENTH_BYTES // 72)
        mail = letter(sender, "A complaint", body)
        async with slots:
            said = await offer(self._desk.smtp_port, mail, sender)
        if said.startswith("250"):
            self.accepted.append(mail)
        return said


async def run(mails: int, bar: Bar, folder: Path, database_url: str) -> None:
    async with serving(FakeRasa().app) as rasa_url:
        desk = DeskProcess(folder, database_url, rasa_url)
        await desk.start()
        store, post = Store(database_url), Post(desk)
        try:
            await _synced_first(bar, desk, database_url, post, mails)
            if database_url.startswith("sqlite"):
                await _fault(bar, "EIO on every sync", post, _failing_syncs(desk))
            else:
                for mode in ("fast", "immediate"):
                    await _fault(bar, f"PostgreSQL stopped ({mode})", post, _without_server(database_url, mode))
            await _all_is_well(bar, desk, store, post)
        finally:
            store.close()
            await desk.stop()
    if not database_url.startswith("sqlite"):
        await _unsafe_is_refused(bar, folder, database_url)


async def _synced_first(bar: Bar, desk: DeskProcess, database_url: str, post: Post, mails: int) -> None:
    output = desk.folder / "strace.txt"
    server = Postgres.running.get(database_url)
    followed = [desk.pid, *(server.processes() if server else [])]
    async with strace.following(followed, output, "-e", f"trace={','.join(READS + WRITES + SYNCS)}"):
        answers = Counter(said[:3] for said in await post.send(mails))
        while answers["250"] < mails:  # a machine at its limits may have said "later"
            answers += Counter(said[:3] for said in await post.send(mails - answers["250"]))
        await desk.state()  # the thread that wrote the last 250 has gone on, so that strace has noted it
    bar.require(set(answers) <= {"250", "451", "452"}, "answers", dict(answers))
    proven = _proven_connections(list(strace.calls(output)), desk.smtp_port)
    figure = f"{sum(proven)} of {len(proven)}"
    bar.require(sum(proven) == len(proven) == mails, "a sync between the final dot and the 250", figure)


def _proven_connections(seen: Sequence[Call], port: int) -> list[bool]:
    """For each connection that heard 250: whether a sync began after its final dot was read, and ended before."""
    syncs = [call for call in seen if call.name in SYNCS and call.result == 0]
    talks: list[list[Call]] = []
    by_peer: dict[str, list[Call]] = {}
    for call in seen:
        if call.name in READS + WRITES and (peer := re.match(rf"\d+<TCP:\[[^]]*:{port}->([^]]*)\]>", call.arguments)):
            if '"220 ' in call.arguments:  # a new connection, perhaps from a port that was used before
                by_peer[peer[1]] = []
                talks.append(by_peer[peer[1]])
            by_peer[peer[1]].append(call)
    return [_proven(talk, syncs) for talk in talks if _written(talk, '"250 2.6.0') is not None]


def _proven(talk: Sequence[Call], syncs: Sequence[Call]) -> bool:
    begun, answer = _written(talk, '"354 '), _written(talk, '"250 2.6.0')
    assert begun is not None
    assert answer is not None
    received = [call for call in talk[begun:answer] if call.name in READS]
    dot = received[-1]
    between = [sync for sync in syncs if sync.began >= dot.began and sync.ended <= talk[answer].began]
    in_database = any(DATABASE_FILE.search(sync.arguments) for sync in between)
    in_file = any(RAW_FILE.search(sync.arguments) for sync in between)
    small = sum(call.result for call in received) < EVERY_TENTH_BYTES
    return '.\\r\\n"' in dot.arguments and in_database and (in_file or small)


def _written(talk: Sequence[Call], words: str) -> int | None:
    return next((n for n, call in enumerate(talk) if call.name in WRITES and words in call.arguments), None)


@asynccontextmanager
async def _failing_syncs(desk: DeskProcess) -> AsyncIterator[None]:
    names = ",".join(SYNCS)
    options = ("-e", f"trace={names}", "-e", f"inject={names}:error=EIO")
    async with strace.following([desk.pid], desk.folder / "eio.txt", *options):
        yield


@asynccontextmanager
async def _without_server(database_url: str, mode: str) -> AsyncIterator[None]:
    server = Postgres.running[database_url]
    await asyncio.to_thread(server.stop, mode)
    try:
        yield
    finally:
        await asyncio.to_thread(server.start)


async def _fault(bar: Bar, what: str, post: Post, fault: object) -> None:
    """Nothing but "later" while the fault lasts; then the desk accepts again by itself."""
    async with fault:  # type: ignore[attr-defined] # an asynccontextmanager
        answers = Counter(said[:3] for said in await post.send(20))
    bar.require(set(answers) <= {"451", "452"}, f"{what}: answers to 20 mails", dict(answers))
    began = asyncio.get_running_loop().time()
    async with asyncio.timeout(AGAIN_SECONDS):
        while not (await post.send(1))[0].startswith("250"):
            await asyncio.sleep(0.2)
    took = asyncio.get_running_loop().time() - began
    bar.require(took <= AGAIN_SECONDS, f"{what}: accepts again without a restart", f"after {took:.1f} s")


async def _all_is_well(bar: Bar, desk: DeskProcess, store: Store, post: Post) -> None:
    wrong = await damaged(desk, store, post.accepted)
    bar.require(not wrong, "accepted mails kept byte for byte, once", f"{len(post.accepted) - len(wrong)}")
    sample = [post.accepted[9], post.accepted[-1]]
    bar.require(
        not await differently_shown(desk, store, sample), "shown so by `redress raw`", f"{len(sample)} looked at"
    )
    if store.url.startswith("sqlite"):
        found = await store.read(lambda c: list(c.execute(text("PRAGMA integrity_check")).scalars()))
        bar.require(found == ["ok"], "PRAGMA integrity_check", *found)


async def _unsafe_is_refused(bar: Bar, folder: Path, database_url: str) -> None:
    """`fsync` and `full_page_writes` are the server's; `synchronous_commit` can be a database's own setting."""
    engine = create_engine(database_url, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        name = connection.execute(text("SELECT current_database()")).scalar_one()
        connection.execute(text(f"ALTER DATABASE {name} SET synchronous_commit = off"))
        code, said = await DeskProcess(folder, database_url, "http://127.0.0.1:9").redress("serve")
        refused = code == 2 and "synchronous_commit" in said
        bar.require(refused, "a start with synchronous_commit=off is refused", said.strip()[-100:])
        connection.execute(text(f"ALTER DATABASE {name} RESET synchronous_commit"))
    engine.dispose()


if __name__ == "__main__":
    if lacking := strace.missing():
        sys.exit(lacking)
    main("A2", partial(run, MAILS))
