"""A real Chromium, and what every page is held to in it: nothing to complain about, and open to everybody."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from playwright.async_api import Browser, BrowserContext, Page, Route, async_playwright

CHROMIUM = shutil.which("chromium")
AXE = Path(__file__).parents[1] / "frontend" / "node_modules" / "axe-core" / "axe.min.js"
ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
WIDTHS = {"wide": 1280, "narrow": 375}

needs_chromium = pytest.mark.skipif(CHROMIUM is None, reason="Chromium is not installed (apt-get install chromium)")


@asynccontextmanager
async def chromium() -> AsyncGenerator[Browser]:
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        try:
            yield browser
        finally:
            await browser.close()


async def new_context(browser: Browser, language: str = "en", **options: Any) -> BrowserContext:
    """Script errors and anything that the content security policy blocks fail the test (see `calm`)."""
    locale = "zh-CN" if language == "zh" else "en-GB"
    return await browser.new_context(locale=locale, timezone_id="UTC", reduced_motion="reduce", **options)


def calm(page: Page) -> list[str]:
    """Collects what the browser complains about."""
    complaints: list[str] = []
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on("console", lambda message: complaints.append(message.text) if message.type == "error" else None)
    return complaints


async def serious_faults(page: Page) -> list[str]:
    """What axe finds serious or critical. Skips where axe is not installed."""
    if not AXE.exists():
        pytest.skip("axe-core is not installed (npm ci in frontend/)")
    await page.wait_for_load_state("load")  # a page without its style sheet yet has the browser's own colours
    await page.evaluate(AXE.read_text(encoding="utf-8"))
    found = await page.evaluate("axe.run(document, {resultTypes: ['violations']})")
    return [
        f"{fault['id']}: {fault['nodes'][0]['html']} {fault['nodes'][0]['failureSummary']}"
        for fault in found["violations"]
        if fault["impact"] in ("serious", "critical")
    ]


async def arrived(page: Page, url: str) -> None:
    """The page is there and its scripts have run: `wait_for_url` alone may return before they did, and a key pressed
    then is answered by the browser's own form instead of the script, or by nobody."""
    await page.wait_for_url(url)
    await page.wait_for_function("document.readyState === 'complete'")


class LateAnswer:
    """The first answer to requests for `path`: fetched at once, given to the page only when it is released."""

    def __init__(self) -> None:
        self.asked, self.released = asyncio.Event(), asyncio.Event()

    async def of(self, page: Page, path: str) -> None:
        await page.route(path, self._hold, times=1)

    async def _hold(self, route: Route) -> None:
        answer = await route.fetch()
        self.asked.set()
        await self.released.wait()
        await route.fulfill(response=answer)
