"""The desk in memory keeps the promises of channels/contract.py, so that what is tested against it counts."""

from __future__ import annotations

import asyncio
import json
from datetime import UTC, datetime
from pathlib import Path

import pytest

from channels.contract import Author, InboundMessage
from channels.faults import NotStored
from tests.webchat.desk import FakeDesk, build_channel, not_stored


@pytest.fixture
def desk() -> FakeDesk:
    made = FakeDesk()
    build_channel(made, "http://127.0.0.1:1", {}, Path())
    return made


def message(client_id: str, key: str = "k") -> InboundMessage:
    raw = json.dumps({"type": "message", "id": client_id, "text": client_id}).encode()
    return InboundMessage(
        channel="webchat",
        external_id=f"{key}:{client_id}",
        conversation_key=key,
        sender=key,
        raw=raw,
        received_at=datetime.now(UTC),
        envelope={"client_id": client_id},
    )


async def test_a_repeated_message_gets_the_same_place(desk: FakeDesk) -> None:
    first = await desk.accept(message("aaaaaaaa"))
    again = await desk.accept(message("aaaaaaaa"))
    assert (again.seq, again.inbox_id, again.duplicate) == (first.seq, first.inbox_id, True)
    assert len(desk.inbox) == 1


async def test_one_order_over_both_directions_per_conversation(desk: FakeDesk) -> None:
    await desk.accept(message("aaaaaaaa"))
    desk.say("k", "answer")
    await desk.accept(message("bbbbbbbb"))
    await desk.accept(message("aaaaaaaa", key="other"))
    entries = await desk.entries("k", 0)
    assert [(entry.seq, entry.author, entry.text) for entry in entries] == [
        (1, Author.USER, "aaaaaaaa"),
        (2, Author.BOT, "answer"),
        (3, Author.USER, "bbbbbbbb"),
    ]
    assert [entry.seq for entry in await desk.entries("k", 2)] == [3]
    assert [entry.seq for entry in await desk.entries("other", 0)] == [1]
    assert await desk.entries("unknown", 0) == []


async def test_a_fault_is_raised_once_and_keeps_nothing(desk: FakeDesk) -> None:
    desk.fail_next = [not_stored()]
    with pytest.raises(NotStored):
        await desk.accept(message("aaaaaaaa"))
    assert (desk.inbox, await desk.entries("k", 0)) == ([], [])
    assert not (await desk.accept(message("aaaaaaaa"))).duplicate


async def test_every_change_wakes_the_watcher_of_its_conversation(desk: FakeDesk) -> None:
    async with desk.changes("k") as wakeups:
        desk.say("other", "not for us")
        show = desk.say_later("k", "hidden at first")
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(anext(aiter(wakeups)), 0.05)
    async with desk.changes("k") as wakeups:
        show()
        await asyncio.wait_for(anext(aiter(wakeups)), 1)
    assert [entry.text for entry in await desk.entries("k", 0)] == ["hidden at first"]
