"""The widget's tray as a user meets it, and a line to the desk that a test can hold up."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager, suppress

from playwright.async_api import BrowserContext, Error, Page, Route

from tests.webchat.browser import Widget
from tests.webchat.filing import FileDesk

FILM = bytes(range(256)) * 12_000
"""Three pieces."""


class FileWidget(Widget):
    def __init__(self, page: Page) -> None:
        super().__init__(page)
        self.picker = page.locator("input[type=file]")
        self.tray = page.locator(".tray li")
        self.ready = page.locator(".tray li[data-state=ready]")
        self.kept = page.locator(".item[data-status=shown] .files button")
        self.state = page.locator(".item.user .state")
        self.thinking = page.locator(".thinking")
        self.typing = page.locator(".typing")
        self.who = page.locator(".who-is-there")

    async def attach(self, name: str, data: bytes) -> None:
        await self.picker.set_input_files({"name": name, "mimeType": "image/png", "buffer": data})


async def open_page(context: BrowserContext, desk: FileDesk, language: str = "en") -> FileWidget:
    page = await context.new_page()
    await page.goto(f"{desk.chat.url}/chat?lang={language}")
    return FileWidget(page)


@asynccontextmanager
async def held(page: Page, pattern: str) -> AsyncGenerator[None]:
    """Requests to these addresses wait until the block ends; some have been given up by then."""
    go_on = asyncio.Event()

    async def hold(route: Route) -> None:
        await go_on.wait()
        with suppress(Error):
            await route.continue_()

    await page.route(pattern, hold)
    try:
        yield
    finally:
        go_on.set()
        await page.unroute(pattern, hold)
