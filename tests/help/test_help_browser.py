"""The help pages in a real browser: without JavaScript, by keyboard, accessible, and whole on a narrow screen."""

from __future__ import annotations

import pytest
from playwright.async_api import Browser, expect

from tests.browser import WIDTHS, calm, needs_chromium, new_context, serious_faults
from tests.help.conftest import Help

pytestmark = needs_chromium
PATHS = ("/help", "/help?q=withdraw", "/help?q=qwzx", "/help/how_to_withdraw", "/help/fees?voted=no", "/notices")


@pytest.mark.parametrize("language", ["en", "zh"])
@pytest.mark.parametrize("width", WIDTHS)
async def test_every_page_is_accessible_and_fits(pages: Help, browser: Browser, language: str, width: str) -> None:
    size = {"width": WIDTHS[width], "height": 900}
    context = await new_context(browser, language, viewport=size)
    opened = await context.new_page()
    complaints = calm(opened)
    for path in PATHS:
        await opened.goto(pages.url + path)
        assert await serious_faults(opened) == [], path
        assert await opened.evaluate("document.documentElement.scrollWidth <= window.innerWidth"), path
    assert complaints == []
    await context.close()


async def test_search_vote_and_language_need_no_script_and_no_mouse(pages: Help, browser: Browser) -> None:
    context = await new_context(browser, "zh", java_script_enabled=False)
    opened = await context.new_page()
    await opened.goto(f"{pages.url}/help")
    await opened.get_by_role("searchbox").fill("谷歌验证")
    await opened.keyboard.press("Enter")
    await opened.get_by_role("listitem").get_by_role("link").first.press("Enter")
    await expect(opened.get_by_text("这篇文章有帮助吗？")).to_be_visible()
    await opened.get_by_role("button", name="没有帮助").press("Enter")
    await expect(opened.get_by_text("谢谢您的反馈")).to_be_visible()
    await opened.get_by_role("link", name="English").click()
    await expect(opened.get_by_text("Thank you for telling us")).to_be_visible()
    await context.close()
