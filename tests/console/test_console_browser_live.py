"""An agent's page in a real browser while the user is there: typing both ways, what was seen, what was read."""

from __future__ import annotations

import asyncio

import pytest
from playwright.async_api import Browser, expect

from bot.hub import conversation_topic
from bot.presence import typing_topic
from bot.repository import attention
from tests.browser import calm, needs_chromium, new_context, serious_faults
from tests.console.signing_in import sign_in
from tests.console.world import Talk, World, attach, hear_in, say, talk

pytestmark = needs_chromium
PATIENCE_SECONDS = 30
WHERE = ("webchat", "key-1")


@pytest.mark.parametrize(
    ("language", "types", "connected", "read"),
    [
        ("en", "The user is typing…", "The user is connected.", "read"),
        ("zh", "用户正在输入…", "用户在线。", "已读"),
    ],
)
async def test_both_sides_give_signs(
    world: World, browser: Browser, language: str, types: str, connected: str, read: str
) -> None:
    conversation_id = await talk(world.store, world.clock(), Talk(language=language))
    await attach(world, conversation_id, "截图 screenshot.png", b"\x89PNG", "image/png")
    await say(world.store, conversation_id, "Let me look.", "sent", world.clock())
    context = await new_context(browser, language, bypass_csp=True, viewport={"width": 1200, "height": 800})
    page = await context.new_page()
    complaints = calm(page)
    await sign_in(page, world, "li")
    await page.goto(f"{world.url}/console/c/{conversation_id}")
    await seen(world, conversation_id, 2)
    with world.desk.presence.inside(*WHERE, attention.USER):
        await expect(page.locator(".user-here")).to_have_text(connected)
        world.desk.hub.publish(typing_topic("user", *WHERE))
        await expect(page.locator("#typing")).to_have_text(types)
        await world.store.write(lambda c: attention.raise_marks(c, conversation_id, user_seq=2))
        world.desk.hub.publish(conversation_topic(*WHERE))
        await expect(page.locator(".delivery-read")).to_have_text(read)
        assert await serious_faults(page) == []
        await page.locator("#take").click()
        await expect(page.locator("#reply-text")).to_be_enabled()
        async with world.desk.hub.watch(typing_topic("agent", *WHERE)) as heard:
            await page.locator("#reply-text").press_sequentially("Hello")
            await asyncio.wait_for(anext(heard), PATIENCE_SECONDS)
        await world.store.write(lambda c: hear_in(c, conversation_id, "one more", language, world.clock()))
        world.desk.hub.publish(conversation_topic(*WHERE))
        await expect(page.locator("#typing")).to_have_text("")
        await seen(world, conversation_id, 3)
    assert complaints == []
    await context.close()


async def seen(world: World, conversation_id: int, seq: int) -> None:
    async with asyncio.timeout(PATIENCE_SECONDS):
        while (await world.store.read(lambda c: attention.marks(c, conversation_id))).person_seq < seq:
            await asyncio.sleep(0.05)
