"""A20: parts fail while people write; they hear the truth soon, every complaint is a case, nothing is said twice.

python -m tests.acceptance.a20_dependencies_fail
"""

from __future__ import annotations

import asyncio
import re
import sqlite3
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import select
from sqlalchemy.engine import make_url

from actions.commands import Command, HandToPerson, OpenCase
from bot import catalogue
from bot.ledger import draw_up
from bot.store.store import Store
from bot.store.tables import Case, Inbox, Outbox
from tests.acceptance.bar import Bar, main
from tests.acceptance.relay import FakeRelay
from tests.fakes.rasa import FakeRasa
from tests.fakes.web import serving
from tests.process.desk import NO_CAPS, DeskProcess, free_port
from tests.process.people import Chatter, letter, post

NUMBER = re.compile(r"RD-[0-9A-Z]{5}-[0-9A-Z]{5}")
TOLD_WITHIN_SECONDS = 10.0
CHATS_PER_FAULT = 7
MAILS_PER_FAULT = 7
Fault = Callable[[], AbstractAsyncContextManager[None]]


def complaint(_body: dict[str, Any]) -> Sequence[Command]:
    return (OpenCase(label="withdrawal_issue"), HandToPerson(reasons=("money_missing",)))


class Trial:
    """One desk, one Rasa and one relay; faults come and go while people write."""

    def __init__(self, desk: DeskProcess, rasa: FakeRasa, relay: FakeRelay, database_url: str) -> None:
        self.desk, self.rasa, self.relay = desk, rasa, relay
        self.database_url = database_url
        self.waits: dict[str, list[float]] = {}
        self.said: list[str] = []

    async def suffer(self, name: str, fault: Fault) -> None:
        """Chats and mails while `fault` lasts; notes how long each chatter waited for a first word."""
        async with fault():
            chats = [self._chat() for _ in range(CHATS_PER_FAULT)]
            mails = [self._mail(f"{name}.{number}") for number in range(MAILS_PER_FAULT)]
            self.waits[name] = list((await asyncio.gather(asyncio.gather(*chats), asyncio.gather(*mails)))[0])

    async def regain_trust(self) -> None:
        """Chats until the desk asks Rasa again, so that the next fault meets a desk that trusts it."""
        asked = len(self.rasa.seen)
        while len(self.rasa.seen) == asked:
            await asyncio.sleep(1)
            await self._chat()

    async def _chat(self) -> float:
        chatter, began = Chatter(self.desk, language="zh"), time.monotonic()
        await chatter.say("我的提现不见了，请帮我查一下")
        stored = time.monotonic()
        self.said += await chatter.wait_for(1, seconds=60)
        return time.monotonic() - min(stored, began + TOLD_WITHIN_SECONDS)

    async def _mail(self, name: str) -> None:
        sender = f"{name.replace(' ', '-')}@mail.example"
        await post(self.desk, letter(sender, "Complaint", "My withdrawal is missing."), sender)

    @asynccontextmanager
    async def rasa_mode(self, mode: str) -> AsyncIterator[None]:
        await self.regain_trust()
        self.rasa.mode = mode
        yield
        self.rasa.mode = "well"
        self.rasa.released.set()
        self.rasa.released = asyncio.Event()

    @asynccontextmanager
    async def database_locked(self) -> AsyncIterator[None]:
        """Somebody holds the database for three seconds; afterwards everything goes on."""
        path = make_url(self.database_url).database
        assert path is not None
        holder = sqlite3.connect(path, isolation_level=None, timeout=30, check_same_thread=False)
        await asyncio.to_thread(holder.execute, "BEGIN EXCLUSIVE")
        asyncio.get_running_loop().call_later(3, holder.close)  # closing rolls back
        yield

    @asynccontextmanager
    async def relay_mode(self, mode: str) -> AsyncIterator[None]:
        self.relay.mode = mode
        yield
        self.relay.mode = "well"


async def run(bar: Bar, folder: Path, database_url: str) -> None:
    rasa, relay, port = FakeRasa(complaint), FakeRelay(), free_port()
    async with relay.listening() as relay_port:
        desk = DeskProcess(
            folder,
            database_url,
            f"http://127.0.0.1:{port}",
            CHANNEL__MAIL__RELAY_HOST="127.0.0.1",
            CHANNEL__MAIL__RELAY_PORT=str(relay_port),
            CHANNEL__MAIL__RELAY_STARTTLS="false",
            **NO_CAPS,
        )
        await desk.start()
        trial = Trial(desk, rasa, relay, database_url)
        await trial.suffer("Rasa down", _nothing)
        async with serving(rasa.app, port):
            for mode in ("hang", "error", "nothing", "html", "huge"):
                await trial.suffer(f"Rasa {mode}", lambda mode=mode: trial.rasa_mode(mode))  # type: ignore[misc]
            for mode in ("busy", "drop"):
                await trial.suffer(f"relay {mode}", lambda mode=mode: trial.relay_mode(mode))  # type: ignore[misc]
            if database_url.startswith("sqlite"):
                await trial.suffer("database locked", trial.database_locked)
            store = Store(database_url)
            await _everything_sent(store)
            await desk.stop()
        try:
            await _judge(bar, trial, store)
        finally:
            store.close()


@asynccontextmanager
async def _nothing() -> AsyncIterator[None]:
    yield


async def _everything_sent(store: Store) -> None:
    async with asyncio.timeout(240):
        while await store.read(_unfinished):
            await asyncio.sleep(0.2)


def _unfinished(connection: Any) -> int:
    waiting = connection.execute(select(Outbox.id).where(Outbox.state.in_(("new", "sending")))).all()
    return len(waiting) + len(connection.execute(select(Inbox.id).where(Inbox.state == "new")).all())


async def _judge(bar: Bar, trial: Trial, store: Store) -> None:
    for name, waits in trial.waits.items():
        told = max(waits) <= TOLD_WITHIN_SECONDS
        bar.require(told, f"{name}: {len(waits)} chats heard a first word", f"{max(waits):.1f} s at most")
    words = catalogue.whole()
    truths = {words.say("case.assistant_unavailable", "zh"), words.say("case.person_soon", "zh")}
    true = [text for text in trial.said if text in truths or NUMBER.search(text)]
    bar.require(len(true) == len(trial.said), "true sentences on chat", f"{len(true)} of {len(trial.said)}")
    received = await store.read(lambda c: len(c.execute(select(Inbox.id)).all()))
    numbers = await store.read(lambda c: set(c.execute(select(Case.number)).scalars()))
    bar.require(len(numbers) == received, "every complaint is a case", f"{len(numbers)} of {received}")
    texts = await store.read(lambda c: list(c.execute(select(Outbox.text)).scalars()))
    spoken = {number for text in [*texts, *trial.relay.bodies] for number in NUMBER.findall(text)}
    bar.require(spoken <= numbers, "numbers said that do not exist", len(spoken - numbers))
    recipients = Counter(trial.relay.recipients)
    twice = [address for address, times in recipients.items() if times > 1]
    bar.require(not twice, "mails answered twice", len(twice))
    mails = len(trial.waits) * MAILS_PER_FAULT
    bar.require(len(recipients) == mails, "mails answered once", f"{len(recipients)} of {mails}")
    book = await store.read(draw_up)
    bar.require(book.balanced and not book.outcomes.get("in_progress"), "the ledger balances", dict(book.outcomes))


if __name__ == "__main__":
    main("A20", run)
