"""Wake-ups inside the process: merged perhaps, lost never."""

from __future__ import annotations

import asyncio

import pytest

from bot.hub import Hub


async def test_a_publish_after_entering_wakes() -> None:
    hub = Hub()
    async with hub.watch("a", "b") as woken:
        hub.publish("b")
        hub.publish("a")
        await asyncio.wait_for(anext(woken), 1)
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(anext(woken), 0.01)


async def test_a_wait_that_was_given_up_does_not_end_the_watching() -> None:
    hub = Hub()
    async with hub.watch("a") as woken:
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(anext(woken), 0.01)
        hub.publish("a")
        await asyncio.wait_for(anext(woken), 1)


async def test_who_left_is_forgotten() -> None:
    hub = Hub()
    async with hub.watch("a"):
        pass
    hub.publish("a")
    assert not hub._watchers
