"""Wake-ups inside the process: merged perhaps, lost never."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from contextlib import AsyncExitStack

import pytest

from bot import hub as hub_module
from bot.hub import MOST_NEWS, Hub


async def test_a_publish_after_entering_wakes() -> None:
    hub = Hub()
    async with hub.watch("a", "b") as woken:
        hub.publish("b")
        hub.publish("a")
        await asyncio.wait_for(anext(woken), 10)
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(anext(woken), 0.01)


async def test_a_wait_that_was_given_up_does_not_end_the_watching() -> None:
    hub = Hub()
    async with hub.watch("a") as woken:
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(anext(woken), 0.01)
        hub.publish("a")
        await asyncio.wait_for(anext(woken), 10)


async def test_who_left_is_forgotten() -> None:
    hub = Hub()
    async with hub.watch("a"):
        pass
    hub.publish("a")
    assert not hub._watchers


async def test_everybody_looks_again_though_nobody_woke_them(monkeypatch: pytest.MonkeyPatch) -> None:
    """The process that had something to say was killed after its commit, or the word was lost on its way."""
    monkeypatch.setattr(hub_module, "ROUND_SECONDS", 0.05)
    hub = Hub()
    running = asyncio.create_task(hub.run())
    async with hub.watch("queue") as queue, hub.watch("typing:user:x") as sign, hub.watch("conversation:x") as chat:
        for _ in range(2):
            await asyncio.wait_for(anext(queue), 5)
            await asyncio.wait_for(anext(chat), 5)
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(anext(sign), 0.1)  # says that somebody types: nobody does
    running.cancel()


async def test_looking_again_is_spread_over_the_round(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hub_module, "ROUND_SECONDS", 0.4)
    hub, woken = Hub(), []
    wake = hub._wake

    def note(topics: Sequence[str]) -> None:
        woken.append(len(topics))
        wake(topics)

    monkeypatch.setattr(hub, "_wake", note)
    running = asyncio.create_task(hub.run())
    async with AsyncExitStack() as watching:
        for number in range(10):
            await watching.enter_async_context(hub.watch(f"conversation:{number}"))
        last = await watching.enter_async_context(hub.watch("last"))
        await asyncio.wait_for(anext(last), 5)
    running.cancel()
    assert set(woken) == {1}


async def test_a_wake_up_brings_along_what_came() -> None:
    hub = Hub()
    async with hub.watch("a") as woken:
        hub.tell("a", [1])
        hub.tell("a", [2, 3])
        assert await asyncio.wait_for(anext(woken), 10) == [1, 2, 3]
        hub.tell("a", [4])
        assert await asyncio.wait_for(anext(woken), 10) == [4]


async def test_who_must_look_at_one_thing_looks_at_all() -> None:
    hub = Hub()
    async with hub.watch("a") as woken:
        hub.tell("a", [1])
        hub.publish("a")
        hub.tell("a", [2])
        assert await asyncio.wait_for(anext(woken), 10) is None
        hub.tell("a", list(range(MOST_NEWS)))
        hub.tell("a", [0])
        assert await asyncio.wait_for(anext(woken), 10) is None


async def test_what_was_to_be_told_soon_is_not_told_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hub_module, "SOON_SECONDS", 0.02)
    hub = Hub()
    async with hub.watch("a") as told, hub.watch("b") as untold:
        for topic in ("a", "b"):
            hub.publish_soon(topic)
            hub.publish_soon(topic)
        hub.tell("a", [1])
        assert await asyncio.wait_for(anext(told), 10) == [1]
        assert await asyncio.wait_for(anext(untold), 10) is None
        for woken in (told, untold):
            with pytest.raises(TimeoutError):
                await asyncio.wait_for(anext(woken), 0.05)
