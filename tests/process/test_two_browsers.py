"""A user in one browser and an agent in another, on a real desk: nothing shown twice, and the bot keeps silent."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from playwright.async_api import Browser, Page, expect

from actions.commands import Command, HandToPerson, OpenCase, Say
from bot import catalogue
from bot.store.migrate import migrate
from tests.browser import arrived, needs_chromium, serious_faults
from tests.fakes.rasa import FakeRasa
from tests.fakes.web import serving
from tests.process.desk import ADMIN_PASSWORD, DeskProcess
from tests.webchat.browser import Widget

pytestmark = [needs_chromium, pytest.mark.timeout(240)]
expect.set_options(timeout=20_000)


def propose(body: dict[str, Any]) -> Sequence[Command]:
    if "hacked" in body["text"]:
        return (OpenCase(label="account_security_theft", severity="critical"), HandToPerson(reasons=("theft",)))
    return (Say(key="greeting"),)


@pytest.fixture
async def rasa() -> FakeRasa:
    return FakeRasa(propose)


@pytest.fixture
async def desk(tmp_path: Path, rasa: FakeRasa) -> AsyncIterator[DeskProcess]:
    url = f"sqlite:///{tmp_path / 'redress.db'}"
    migrate(url)
    async with serving(rasa.app) as rasa_url:
        started = DeskProcess(tmp_path, url, rasa_url)
        await started.start()
        yield started
        await started.stop()


async def sign_in(page: Page, desk: DeskProcess) -> None:
    await page.goto(f"{desk.url}/console/login")
    await page.locator("input[name=login]").fill("admin")
    await page.locator("input[name=password]").fill(ADMIN_PASSWORD)
    await page.locator("main button").click()
    await arrived(page, "**/console/")


async def test_chat_reload_outage_take_over_and_silence(browser: Browser, desk: DeskProcess, rasa: FakeRasa) -> None:
    words = catalogue.whole()
    user_context = await browser.new_context(reduced_motion="reduce")
    user = Widget(await user_context.new_page())
    await user.page.goto(f"{desk.url}/chat?lang=en")

    await user.write("hello")
    said = ["hello", words.say("bot.greeting", "en")]
    await expect(user.texts()).to_have_text(said)
    await user.page.reload()
    await expect(user.texts()).to_have_text(said)

    await user_context.set_offline(True)
    await user.write("I was hacked and my BTC is gone")
    await expect(user.texts()).to_have_count(2)
    await user_context.set_offline(False)
    await expect(user.texts()).to_have_count(5)
    shown = await user.texts().all_inner_texts()
    assert shown.count("I was hacked and my BTC is gone") == 1
    assert "RD-" in shown[3]
    assert await serious_faults(user.page) == []

    agent_context = await browser.new_context(reduced_motion="reduce")
    agent = await agent_context.new_page()
    await sign_in(agent, desk)
    assert await serious_faults(agent) == []
    await agent.locator("a[href^='/console/c/']").first.click()
    await agent.locator("#take").click()
    await expect(agent.locator("#hand-back")).to_be_visible()
    assert await serious_faults(agent) == []
    asked = len(rasa.seen)

    await user.write("hello? anybody?")
    await expect(agent.locator("main")).to_contain_text("hello? anybody?")
    await agent.locator("#reply textarea").fill("I am here and have your case.")
    await agent.locator("#reply button.primary").click()
    await expect(user.texts().last).to_have_text("I am here and have your case.")
    await user.page.reload()
    await expect(user.texts()).to_have_count(8)
    everything = await user.texts().all_inner_texts()
    assert everything[5:] == [
        words.say("case.agent_joined", "en", name="Administrator"),
        "hello? anybody?",
        "I am here and have your case.",
    ]
    assert len(rasa.seen) == asked
    await _look_at_the_tracking_page(user, shown[3])


async def _look_at_the_tracking_page(user: Widget, acknowledgement: str) -> None:
    link = next(word for word in acknowledgement.split() if "/track/" in word)
    for language in ("en", "zh"):
        page = await user.page.context.new_page()
        await page.goto(f"{link}?lang={language}")
        await expect(page.locator("main")).to_contain_text("RD-")
        assert await serious_faults(page) == []
