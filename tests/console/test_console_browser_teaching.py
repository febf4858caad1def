"""The form by which agents teach the bot, in a real browser, by keyboard alone, in both languages."""

from __future__ import annotations

import pytest
from playwright.async_api import Browser, expect

from bot.hub import conversation_topic
from bot.repository import corrections
from tests.browser import calm, needs_chromium, new_context, serious_faults
from tests.console.signing_in import sign_in
from tests.console.world import Talk, World, hear_in, open_case, talk

pytestmark = needs_chromium
WORDS = {
    "en": ("Class corrected: Withdrawal → Deposit", "Correct the class"),
    "zh": ("更正分类：提现问题 → 充值问题", "更正分类"),
}


@pytest.mark.parametrize("language", ["en", "zh"])
@pytest.mark.parametrize("width", [1280, 375])
async def test_a_correction_is_made_by_keyboard(world: World, browser: Browser, language: str, width: int) -> None:
    conversation_id = await talk(world.store, world.clock(), Talk(language=language, text="my coins / 我的币"))
    await open_case(world.store, conversation_id, world.clock())
    context = await new_context(browser, language, viewport={"width": width, "height": 900})
    page = await context.new_page()
    complaints = calm(page)
    await sign_in(page, world, "li")
    await page.goto(f"{world.url}/console/c/{conversation_id}")
    await page.keyboard.press("c")
    await expect(page.locator("#teach-label")).to_be_focused()
    await page.locator("#teach-label").select_option("deposit_issue")
    await page.keyboard.press("Tab")
    await page.keyboard.press("Space")
    assert await serious_faults(page) == []

    await world.store.write(lambda c: hear_in(c, conversation_id, "still there?", "en", world.clock()))
    world.desk.hub.publish(conversation_topic("webchat", "key-1"))
    await expect(page.locator("#transcript .line-user")).to_have_count(2)
    await expect(page.locator("#teach-label")).to_have_value("deposit_issue")

    await page.keyboard.press("Tab")
    await page.keyboard.press("Enter")
    done, title = WORDS[language]
    await expect(page.locator("#transcript")).to_contain_text("需要立案" if language == "zh" else "needs a case")
    await expect(page.locator("#timeline li").last).to_contain_text(done)
    await expect(page.locator("#teach summary")).to_have_text(title)
    [row] = await world.store.read(corrections.holding)
    assert (row.old_label, row.new_label, row.new_escalate) == ("withdrawal_issue", "deposit_issue", True)
    assert complaints == []
    await context.close()
