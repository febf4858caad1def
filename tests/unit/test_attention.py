"""What a user who watches is told of the situation, as it stands in the database."""

from __future__ import annotations

import asyncio
import threading
from datetime import timedelta

import pytest
from sqlalchemy import Connection, insert, update

from bot.attention import ChannelAttention
from bot.hub import Hub, conversation_topic
from bot.presence import Presence
from bot.repository import attention, conversations, timers
from bot.repository.attention import Spot
from bot.store.engine import open_engine
from bot.store.store import Store
from bot.store.tables import Agent, Conversation, Outbox
from channels.live_contract import Holder, Situation
from escalation import reminders
from escalation.reminders import UNREAD_TIMER, expect_reading, note_reading
from tests.conftest import MovedClock

KEY = "one"
PATIENCE_SECONDS = 20


@pytest.fixture
def hub() -> Hub:
    return Hub()


@pytest.fixture
async def watched(store: Store, clock: MovedClock, hub: Hub) -> ChannelAttention:
    values = {"id": 1, "channel": "fake", "key": KEY, "recipient": "x", "last_seq": 5}
    moments = {"created_at": clock(), "active_at": clock()}
    anna = {"id": 7, "login": "anna", "name": "Anna", "role": "agent", "password_hash": "-", "created_at": clock()}
    await store.write(lambda c: c.execute(insert(Conversation).values(**values, **moments)))
    await store.write(lambda c: c.execute(insert(Agent).values(**anna)))
    return ChannelAttention("fake", store, hub, Presence(store, clock, hub), clock)


async def own(store: Store, **values: object) -> None:
    await store.write(lambda c: c.execute(update(Conversation).values(**values)))


async def test_before_the_first_message_the_bot_has_the_word(watched: ChannelAttention) -> None:
    assert await watched.situation("nobody wrote here") == Situation(owner=Holder.BOT)


async def test_the_bot_works_while_a_message_is_unfinished(watched: ChannelAttention, store: Store) -> None:
    assert not (await watched.situation(KEY)).thinking
    await own(store, pending=1)
    assert (await watched.situation(KEY)).thinking
    await own(store, owner="queue")
    assert await watched.situation(KEY) == Situation(owner=Holder.QUEUE)


async def test_an_agent_is_named_and_is_here_while_looking(
    watched: ChannelAttention, store: Store, clock: MovedClock
) -> None:
    await own(store, owner="agent:7")
    assert await watched.situation(KEY) == Situation(owner=Holder.AGENT, name="Anna")
    await store.write(lambda c: attention.beat(c, "p", clock() + timedelta(seconds=30)))
    await store.write(lambda c: attention.come(c, "p", [Spot("fake", KEY, "agent:8")]))
    assert not (await watched.situation(KEY)).here, "that is somebody else"
    await store.write(lambda c: attention.come(c, "p", [Spot("fake", KEY, "agent:7")]))
    assert (await watched.situation(KEY)).here
    clock.move(minutes=1)
    assert not (await watched.situation(KEY)).here


async def test_reading_moves_the_mark_wakes_and_ends_the_reminder(
    watched: ChannelAttention, store: Store, clock: MovedClock
) -> None:
    await store.write(lambda c: expect_reading(c, 1, clock()))
    async with watched.changes(KEY) as woken:
        await watched.user_read(KEY, 99)
        await asyncio.wait_for(anext(woken), PATIENCE_SECONDS)
    assert (await watched.situation(KEY)).read == 5, "no further than there is anything to read"
    assert not await store.read(lambda c: timers.exists(c, UNREAD_TIMER, "1"))
    await watched.user_read("nobody wrote here", 3)


def answered(connection: Connection, clock: MovedClock, seq: int) -> None:
    """What an agent's process commits with an answer."""
    conversations.lock(connection, 1)
    values = {"conversation_id": 1, "author": "agent", "text": "t", "language": "en", "state": "sent"}
    moments = {"created_at": clock(), "message_id": f"m{seq}", "origin": f"o{seq}", "seq": seq}
    connection.execute(insert(Outbox).values(**values, **moments))
    expect_reading(connection, 1, clock() + timedelta(minutes=15))


async def test_an_answer_while_another_process_notes_the_one_before_as_read_is_announced(
    watched: ChannelAttention, store: Store, clock: MovedClock, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    await store.write(lambda c: answered(c, clock, 1))
    await store.write(
        lambda c: attention.raise_marks(c, 1, person_seq=1)
    )  # the first mark holds the conversation by itself
    noted, go_on, other = threading.Event(), threading.Event(), Store(database_url)

    def slowly(connection: Connection, conversation_id: int) -> None:
        note_reading(connection, conversation_id)
        noted.set()
        assert go_on.wait(PATIENCE_SECONDS)

    monkeypatch.setattr(reminders, "note_reading", slowly)
    reading = asyncio.create_task(watched.user_read(KEY, 1))
    assert await asyncio.to_thread(noted.wait, PATIENCE_SECONDS)
    answering = asyncio.create_task(other.write(lambda c: answered(c, clock, 2)))
    await asyncio.wait({answering}, timeout=0.5)
    go_on.set()
    await asyncio.gather(reading, answering)
    assert await store.read(lambda c: timers.exists(c, UNREAD_TIMER, "1"))
    other.close()


async def test_marks_of_two_processes_only_grow(watched: ChannelAttention, store: Store, database_url: str) -> None:
    await store.write(lambda c: attention.raise_marks(c, 1, user_seq=1, person_seq=1))
    engine = open_engine(database_url, writer=True)
    with engine.connect() as first:
        attention.raise_marks(first, 1, user_seq=5)
        late = asyncio.create_task(store.write(lambda c: attention.raise_marks(c, 1, user_seq=3, person_seq=3)))
        await asyncio.wait({late}, timeout=0.5)
        first.commit()
    assert await late, "one of them has moved"
    marks = await store.read(lambda c: attention.marks(c, 1))
    assert (marks.user_seq, marks.person_seq) == (5, 3)
    engine.dispose()


async def test_every_change_of_the_conversation_wakes(watched: ChannelAttention, hub: Hub) -> None:
    async with watched.changes(KEY) as woken, watched.agent_types(KEY) as typing:
        hub.publish(conversation_topic("fake", KEY))
        await asyncio.wait_for(anext(woken), PATIENCE_SECONDS)
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(anext(typing), 0.05)
