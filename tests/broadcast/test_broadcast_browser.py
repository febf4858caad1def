"""In a real Chromium: a chat that subscribes and is shown a notice, the public pages, and the page of the console."""

from __future__ import annotations

import pytest
from playwright.async_api import Browser, Page, expect

from tests.broadcast.conftest import ONE_DATABASE, TEXTS, TITLES, Cast, link_in
from tests.browser import WIDTHS, calm, needs_chromium, new_context, serious_faults
from tests.fakes.web import serving
from tests.letters import plain_text

pytestmark = [needs_chromium, ONE_DATABASE, pytest.mark.asyncio(loop_scope="module")]


@pytest.mark.parametrize(
    ("language", "get", "stop"), [("en", "Get notices", "Stop notices"), ("zh", "订阅通知", "退订通知")]
)
async def test_a_chat_subscribes_sees_a_notice_above_it_and_leaves(
    cast: Cast, browser: Browser, language: str, get: str, stop: str
) -> None:
    cast.settings.public_url = ""
    cast.clock.move(hours=14)  # at night: what is only seen by who looks disturbs nobody
    async with serving(cast.desk.app) as url:
        cast.settings.public_url = url
        await cast.restart()
    async with serving(cast.desk.app, int(url.rsplit(":", 1)[1])) as url:
        context = await new_context(browser, language)
        page = await context.new_page()
        complaints = calm(page)
        await page.goto(f"{url}/chat?lang={language}")
        await page.get_by_role("button", name=get).click()
        await expect(page.get_by_role("button", name=stop)).to_be_visible()
        said_before = await page.locator(".item").count()
        await cast.begin()
        await cast.go()
        notice = page.locator("details.news")
        await expect(notice).to_contain_text(TITLES[language])
        await expect(notice.locator("p")).to_have_text(TEXTS[language])
        assert await page.locator(".item").count() == said_before  # beside the conversation, not in it
        assert await serious_faults(page) == []
        await notice.locator("summary").click()
        await page.reload()
        await expect(notice).to_be_visible()
        await expect(notice.locator("p")).to_be_hidden()
        await page.locator("button.subscription", has_text=stop).click()
        await expect(notice).to_be_hidden()
        await expect(page.locator("button.subscription")).to_have_text(get)
        missing = [each for each in complaints if "404" in each]  # the browser's own question for /favicon.ico
        assert (complaints, len(missing) <= 1) == (missing, True)
        await context.close()
    assert await cast.cases() == 0


@pytest.mark.parametrize("language", ["en", "zh"])
async def test_the_public_pages_are_accessible_and_fit(cast: Cast, browser: Browser, language: str) -> None:
    await cast.subscribe("li@user.example", language)
    await cast.begin()
    await cast.go()
    leave = link_in(cast.mails()[0], "leave")
    async with serving(cast.desk.app) as url:
        context = await new_context(browser, language)
        page = await context.new_page()
        complaints = calm(page)
        for path in ("/subscribe", leave, "/notices"):
            await page.goto(f"{url}{path}")
            await whole(page)
        await page.goto(f"{url}/subscribe")
        await page.locator("input[name=address]").fill("ann@user.example")
        await page.locator("main button").click()
        await whole(page)
        await cast.deliver()
        assert url not in plain_text(cast.mails()[-1])
        await page.goto(f"{url}{link_in(cast.mails()[-1], 'confirm')}")
        await whole(page)
        await page.locator("main button").click()
        await whole(page)
        assert complaints == []
        await context.close()


async def whole(page: Page) -> None:
    for width in WIDTHS.values():
        await page.set_viewport_size({"width": width, "height": 800})
        assert await serious_faults(page) == []
        assert await page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
