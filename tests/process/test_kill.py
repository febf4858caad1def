"""kill -9 at random moments while mail and chat arrive: nothing lost, nothing repeated, order kept, soon recovered."""

from __future__ import annotations

import asyncio
import random
import time
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import func, select

from actions.commands import Command, HandToPerson, OpenCase, Say
from bot.ledger import draw_up
from bot.store.store import Store
from bot.store.tables import Case, Conversation, Inbox, Outbox
from tests.fakes.rasa import FakeRasa
from tests.fakes.web import serving
from tests.process.desk import DeskProcess
from tests.process.people import Chatter, letter, post

ROUNDS = 5
CHATTERS = 3
MAILS = 4
LEASE_SECONDS = 3.0


def propose(body: dict[str, Any]) -> Sequence[Command]:
    """Every third message is a complaint."""
    if "complaint" in body["text"]:
        return (OpenCase(label="withdrawal_issue"), HandToPerson(reasons=("money_missing",)))
    return (Say(key="greeting"),)


async def write_meanwhile(desk: DeskProcess, chatters: Sequence[Chatter], number: int) -> None:
    """One round of traffic; returns when everything was confirmed."""

    async def chat(chatter: Chatter) -> None:
        for part in range(3):
            await chatter.say(f"round {number} part {part}")

    async def mail(index: int) -> None:
        sender = f"writer{number}.{index}@mail.example"
        kind = "complaint" if index % 2 else "question"
        assert (await post(desk, letter(sender, f"A {kind}", f"My {kind} {number}.{index}"), sender)).startswith("250")

    await asyncio.gather(*(chat(one) for one in chatters), *(mail(index) for index in range(MAILS)))


async def unfinished(store: Store) -> int:
    inbox = select(func.count()).select_from(Inbox).where(Inbox.state == "new")
    outbox = select(func.count()).select_from(Outbox).where(Outbox.state.in_(("new", "sending")))
    return await store.read(lambda c: int(c.execute(inbox).scalar_one()) + int(c.execute(outbox).scalar_one()))


async def recovery(store: Store) -> float:
    """Seconds until everything that the last desk left unfinished is done."""
    began = time.monotonic()
    query = select(Inbox.id).where(Inbox.state == "new")
    left = await store.read(lambda c: set(c.execute(query).scalars()))
    async with asyncio.timeout(60):
        while left & await store.read(lambda c: set(c.execute(query).scalars())):
            await asyncio.sleep(0.05)
    return time.monotonic() - began


async def quiet(store: Store) -> None:
    async with asyncio.timeout(60):
        while await unfinished(store):
            await asyncio.sleep(0.05)


@pytest.mark.timeout(300)
async def test_nothing_is_lost_repeated_or_reordered(database_url: str, tmp_path: Path) -> None:
    moments = random.Random(2026)
    rasa = FakeRasa(propose)
    async with serving(rasa.app) as rasa_url:
        desk = DeskProcess(tmp_path, database_url, rasa_url, WORK__LEASE_SECONDS=str(LEASE_SECONDS))
        await desk.start()
        chatters = [Chatter(desk) for _ in range(CHATTERS)]
        store = Store(database_url)
        took = []
        for number in range(ROUNDS):
            traffic = asyncio.create_task(write_meanwhile(desk, chatters, number))
            await asyncio.sleep(moments.uniform(0.05, 1.2))
            await desk.kill()
            await desk.start()
            took.append(await recovery(store))
            await traffic
        await quiet(store)
        await asyncio.gather(*(chatter.wait_for(ROUNDS * 3) for chatter in chatters))
        await desk.stop()
        try:
            await check(store, chatters)
        finally:
            store.close()
    print(f"recovered in {[round(seconds, 1) for seconds in took]} s with a lease of {LEASE_SECONDS:g} s")
    assert max(took) <= LEASE_SECONDS + 1


async def check(store: Store, chatters: Sequence[Chatter]) -> None:
    book = await store.read(draw_up)
    assert book.balanced
    assert book.received == ROUNDS * (CHATTERS * 3 + MAILS)
    assert not book.outcomes.get("parked")
    mails_that_complain = ROUNDS * (MAILS // 2)
    cases = await store.read(lambda c: c.execute(select(func.count()).select_from(Case)).scalar_one())
    assert cases == mails_that_complain
    origins = await store.read(lambda c: list(c.execute(select(Outbox.origin)).scalars()))
    assert [origin for origin, times in Counter(origins).items() if times > 1] == []
    query = select(Inbox.conversation_id, Inbox.text).join(Conversation).order_by(Inbox.conversation_id, Inbox.seq)
    texts = await store.read(lambda c: [(int(row[0]), str(row[1])) for row in c.execute(query)])
    for conversation_id in {conversation for conversation, _ in texts}:
        said = [text for conversation, text in texts if conversation == conversation_id and "part" in text]
        assert said == sorted(said)
    assert [chatter.shown_twice for chatter in chatters] == [0] * CHATTERS
    assert [len(chatter.heard()) for chatter in chatters] == [ROUNDS * 3] * CHATTERS
    assert [len(chatter.stored) for chatter in chatters] == [ROUNDS * 3] * CHATTERS
