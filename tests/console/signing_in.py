"""An agent signs in, in a real browser."""

from __future__ import annotations

from playwright.async_api import Page

from tests.browser import arrived
from tests.console.world import PASSWORD, World


async def sign_in(page: Page, world: World, login: str) -> None:
    await page.goto(f"{world.url}/console/login")
    await page.locator("input[name=login]").fill(login)
    await page.locator("input[name=password]").fill(PASSWORD)
    await page.locator("main button").click()
    await arrived(page, "**/console/")
