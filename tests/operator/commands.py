"""Helpers for tests that work a desk from the command line, as its operator does."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Sequence
from typing import Any
from uuid import uuid4

from sqlalchemy import Connection, func, select

from actions.commands import Command, HandToPerson, OpenCase, Say
from bot.store.store import Store
from bot.store.tables import Inbox, Outbox
from tests.process.desk import DeskProcess
from tests.process.people import Chatter, letter, post


def propose(body: dict[str, Any]) -> Sequence[Command]:
    """A complaint becomes a case; everything else is greeted."""
    if "complaint" in body["text"]:
        return (OpenCase(label="withdrawal_issue"), HandToPerson(reasons=("money_missing",)))
    return (Say(key="greeting"),)


def reading[T](url: str, query: Callable[[Connection], T]) -> T:
    store = Store(url)
    try:
        return asyncio.run(store.read(query))
    finally:
        store.close()


async def unfinished(store: Store) -> int:
    inbox = select(func.count()).select_from(Inbox).where(Inbox.state == "new")
    outbox = select(func.count()).select_from(Outbox).where(Outbox.state.in_(("new", "sending")))
    return await store.read(lambda c: int(c.execute(inbox).scalar_one()) + int(c.execute(outbox).scalar_one()))


async def quiet(store: Store, seconds: float = 90) -> None:
    """Until nothing is left to do."""
    async with asyncio.timeout(seconds):
        while await unfinished(store):
            await asyncio.sleep(0.05)


async def books(desk: DeskProcess, *arguments: str) -> tuple[int, dict[str, Any]]:
    """`redress reconcile`: exit code and what it says."""
    code, said = await desk.redress("reconcile", *arguments)
    assert said.splitlines()[-1].startswith("{"), said
    body: dict[str, Any] = json.loads(said.splitlines()[-1])
    return code, body


class Traffic:
    """People who write until they are told to stop. `confirmed` holds what the desk said it has stored."""

    def __init__(self, desk: DeskProcess, chatters: int, mailers: int) -> None:
        self.desk = desk
        self.chatters = [Chatter(desk, language="zh" if number % 2 else "en") for number in range(chatters)]
        self.confirmed: set[str] = set()
        """A word of each stored message that no other has."""
        self._mailers = mailers
        self._stop = asyncio.Event()
        self._grown = asyncio.Event()
        self._tasks: list[asyncio.Task[None]] = []

    def start(self) -> None:
        self._tasks = [asyncio.create_task(self._chat(chatter)) for chatter in self.chatters]
        self._tasks += [asyncio.create_task(self._mail(number)) for number in range(self._mailers)]

    async def grow(self, count: int, seconds: float = 120) -> None:
        """Until `count` more messages are confirmed."""
        goal = len(self.confirmed) + count
        async with asyncio.timeout(seconds):
            while len(self.confirmed) < goal:
                self._grown.clear()
                await self._grown.wait()

    async def stop(self) -> None:
        """Everybody finishes the message in hand: it is confirmed then, too."""
        self._stop.set()
        await asyncio.gather(*self._tasks)

    async def _chat(self, chatter: Chatter) -> None:
        while not self._stop.is_set():
            word = f"w{uuid4().hex}"
            await chatter.say(f"你好 {word}" if chatter.language == "zh" else f"hello {word}")
            self._confirm(word)
            await asyncio.sleep(2.1)  # the chat takes 30 messages a minute from one session

    async def _mail(self, number: int) -> None:
        while not self._stop.is_set():
            word = f"w{uuid4().hex}"
            sender = f"writer{number}@mail.example"
            text = f"A complaint {word}\n" + "x" * (100_000 if number % 2 else 10)  # some do not fit into their row
            assert (await post(self.desk, letter(sender, f"About {word}", text), sender)).startswith("250")
            self._confirm(word)

    def _confirm(self, word: str) -> None:
        self.confirmed.add(word)
        self._grown.set()
