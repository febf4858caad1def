"""The page of the knowledge gaps in a real browser: accessible, and whole on a narrow screen."""

from __future__ import annotations

from functools import partial

import pytest
from playwright.async_api import Browser

from escalation.help import repository
from escalation.help.repository import Gap
from tests.browser import WIDTHS, calm, needs_chromium, new_context, serious_faults
from tests.console.signing_in import sign_in
from tests.console.world import World

pytestmark = needs_chromium


@pytest.mark.parametrize("language", ["en", "zh"])
@pytest.mark.parametrize("width", WIDTHS)
async def test_the_gaps_are_accessible_and_fit(world: World, browser: Browser, language: str, width: str) -> None:
    for number, label in enumerate(("fees_limits", "fees_limits", None)):
        text = "为什么这么贵" if number else "why is it so expensive " * 8
        gap = Gap(text=text, alike=text, language="zh" if number else "en", why="far", label=label, article="fees")
        await world.store.write(partial(repository.add_gap, gap=gap, at=world.clock()))
    await world.store.write(lambda c: repository.add_vote(c, "fees", "en", world.clock(), helped=False))
    context = await new_context(browser, language, viewport={"width": WIDTHS[width], "height": 900})
    page = await context.new_page()
    complaints = calm(page)
    await sign_in(page, world, "sue")
    await page.goto(f"{world.url}/console/gaps")
    assert await serious_faults(page) == []
    assert await page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
    assert complaints == []
    await context.close()
