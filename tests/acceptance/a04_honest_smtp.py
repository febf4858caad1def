"""A4: what a mail server hears is true: "later" for faults of ours, "no" for what will never be taken, 250 for kept.

python -m tests.acceptance.a04_honest_smtp --database both
"""

from __future__ import annotations

import asyncio
import re
import sqlite3
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path

from sqlalchemy import create_engine, func, select, text
from sqlalchemy.engine import make_url

from bot.store.store import Store
from bot.store.tables import Case, Inbox
from tests.acceptance.bar import Bar, main
from tests.acceptance.kept import damaged, differently_shown
from tests.acceptance.rasa_process import propose
from tests.fakes.postgres import Postgres
from tests.fakes.rasa import FakeRasa
from tests.fakes.web import serving
from tests.process.desk import DeskProcess
from tests.process.people import letter
from tests.process.wire import Wire, offer

DROPS = 50
MIB = 1024 * 1024
LATER = re.compile(r"45[12] 4\.3\.[01] ")
INSIDE = re.compile(r"error|exception|traceback|sqlite|psycopg|postgres|select|insert|inbox|\.py|/\w+/", re.IGNORECASE)
"""What a reply must not tell of us."""
QUIET_SECONDS = 120.0


class Trial:
    def __init__(self, bar: Bar, desk: DeskProcess) -> None:
        self.bar = bar
        self.desk = desk
        self.accepted: list[bytes] = []
        self._count = 0

    def write(self, extra: str = "") -> tuple[bytes, str]:
        """A new complaint and its sender, in either language."""
        self._count += 1
        sender = f"writer{self._count}@mail.example"
        words = "投诉：我的提现没有到账。" if self._count % 2 else "A complaint: my withdrawal is missing."
        return extra.encode() + letter(sender, "Complaint", words), sender

    async def offer(self, mail: bytes, sender: str, **where: str) -> str:
        said = await offer(self.desk.smtp_port, mail, sender, **where)
        if said.startswith("250"):
            self.accepted.append(mail)
        return said

    async def faulty(self, what: str, fault: AbstractAsyncContextManager[None], extra: str = "") -> None:
        """Five mails while the fault lasts: all hear "later" and nothing of our insides. Then the same ones again."""
        mails = [self.write(extra) for _ in range(5)]
        async with fault:
            began = time.monotonic()
            replies = await asyncio.gather(*(self.offer(mail, sender) for mail, sender in mails))
            took = time.monotonic() - began
        later = [reply for reply in replies if LATER.match(reply) and not INSIDE.search(reply)]
        self.bar.require(len(later) == len(mails), f"{what}: only 451 or 452 that tell nothing", sorted(set(replies)))
        self.bar.note(f"{what}: answered within {took:.1f} s")
        for mail, sender in mails:
            async with asyncio.timeout(60):
                while not (await self.offer(mail, sender)).startswith("250"):
                    await asyncio.sleep(0.2)

    async def dropped(self) -> None:
        """Clients that hang up after the final dot, and come again."""
        mails = [self.write() for _ in range(DROPS)]
        for number, (mail, sender) in enumerate(mails):
            wire = await Wire.open(self.desk.smtp_port)
            assert (await wire.until_data(sender)).startswith("354")
            await wire.send(mail + b".\r\n")
            if number % 2:
                wire.reset()
            await wire.close()
        replies = [await self.offer(mail, sender) for mail, sender in mails]
        self.bar.require(all(r.startswith("250") for r in replies), "accepted after hanging up", len(replies))

    async def limits(self) -> None:
        mail, sender = self.write()
        long_line = mail + b"x" * 20_000 + b"\r\n"
        await self._heard("a line of 20,000 bytes", "250 ", await self.offer(long_line, sender))
        huge = mail + (b"y" * 70 + b"\r\n") * (26 * MIB // 72)
        await self._heard("26 MiB", "552 5.3.4 ", await self.offer(huge, sender))
        await self._heard("26 MiB, announced", "552 5.3.4 ", await self._announced(26 * MIB))
        unknown = await self.offer(*self.write(), recipient="nobody@exchange.example")
        await self._heard("an unknown recipient", "550 5.1.1 ", unknown)
        hops = "Received: from a by b; Sun, 22 Nov 2026 08:00:00 +0000\r\n"
        await self._heard("60 Received lines", "554 5.4.6 ", await self.offer(*self.write(hops * 60)))

    async def _heard(self, what: str, code: str, reply: str) -> None:
        self.bar.require(reply.startswith(code) and not INSIDE.search(reply), f"{what}: {code.strip()}", reply)

    async def _announced(self, size: int) -> str:
        wire = await Wire.open(self.desk.smtp_port)
        await wire.reply()
        await wire.say("EHLO mail.example")
        reply = await wire.say(f"MAIL FROM:<big@mail.example> SIZE={size}")
        await wire.close()
        return reply


async def run(bar: Bar, folder: Path, database_url: str) -> None:
    async with serving(FakeRasa(propose).app) as rasa_url:
        desk = DeskProcess(folder, database_url, rasa_url)
        await desk.start()
        trial, store = Trial(bar, desk), Store(database_url)
        try:
            await trial.faulty("database stopped", _stopped(database_url))
            await trial.faulty("a table that is missing", _without_table(database_url))
            large = "X-Padding: " + "y" * 70 + "\r\n"
            await trial.faulty("a raw folder that is a file", _spoilt_folder(folder / "data" / "raw"), large * 1500)
            await trial.dropped()
            await trial.limits()
            await _kept(bar, desk, store, list(dict.fromkeys(trial.accepted)))
        finally:
            store.close()
            await desk.stop()


async def _kept(bar: Bar, desk: DeskProcess, store: Store, distinct: Sequence[bytes]) -> None:
    unfinished = select(func.count()).select_from(Inbox).where(Inbox.state == "new")
    async with asyncio.timeout(QUIET_SECONDS):
        while await store.read(lambda c: c.execute(unfinished).scalar_one()):
            await asyncio.sleep(0.1)
    rows, cases = await store.read(
        lambda c: [c.execute(select(func.count()).select_from(table)).scalar_one() for table in (Inbox, Case)]
    )
    bar.require(rows == len(distinct), "inbox rows for the distinct mails", f"{rows} for {len(distinct)}")
    bar.require(cases == len(distinct), "cases for the distinct complaints", f"{cases} for {len(distinct)}")
    wrong = await damaged(desk, store, distinct)
    bar.require(not wrong, "kept byte for byte", f"{len(distinct) - len(wrong)} of {len(distinct)}")
    sample = [distinct[0], distinct[len(distinct) // 2], distinct[-1]]
    shown = await differently_shown(desk, store, sample)
    bar.require(not shown, "shown so by `redress raw`", f"{len(sample)} looked at")


@asynccontextmanager
async def _stopped(database_url: str) -> AsyncIterator[None]:
    """PostgreSQL is stopped; an SQLite database, which nothing serves, is held by somebody else."""
    if server := Postgres.running.get(database_url):
        await asyncio.to_thread(server.stop, "fast")
        try:
            yield
        finally:
            await asyncio.to_thread(server.start)
        return
    path = make_url(database_url).database
    assert path is not None
    holder = sqlite3.connect(path, isolation_level=None, timeout=30)
    holder.execute("BEGIN EXCLUSIVE")
    try:
        yield
    finally:
        holder.close()  # rolls back


@asynccontextmanager
async def _without_table(database_url: str) -> AsyncIterator[None]:
    """A fault that the handler does not expect."""
    engine = create_engine(database_url, isolation_level="AUTOCOMMIT")

    def rename(old: str, new: str) -> None:
        with engine.connect() as connection:
            connection.execute(text(f"ALTER TABLE {old} RENAME TO {new}"))

    rename("inbox", "inbox_elsewhere")
    try:
        yield
    finally:
        rename("inbox_elsewhere", "inbox")
        engine.dispose()


@asynccontextmanager
async def _spoilt_folder(folder: Path) -> AsyncIterator[None]:
    aside = folder.with_name("raw.aside")
    folder.rename(aside)
    folder.touch()
    try:
        yield
    finally:
        folder.unlink()
        aside.rename(folder)


if __name__ == "__main__":
    main("A4", run)
