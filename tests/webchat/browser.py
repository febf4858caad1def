"""A real Chromium with the chat open in it."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

from playwright.async_api import Locator, Page
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import Route

from tests.webchat.desk import serving


class Widget:
    """The widget as a user meets it: by its labels, in either language."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.launcher = page.locator("button.launcher")
        self.panel = page.locator("#panel")
        self.input = page.locator("#text")
        self.log = page.get_by_role("log")
        self.status = page.locator(".status")
        self.problem = page.locator("#problem")
        self.choices = page.locator("[role=group].choices button")

    async def open(self) -> None:
        await self.launcher.click()

    async def write(self, text: str) -> None:
        await self.input.fill(text)
        await self.input.press("Enter")

    def texts(self) -> Locator:
        """What was said and is known to the desk, one element per message, in order."""
        return self.page.locator(".item[data-status=shown] .text")


@asynccontextmanager
async def site() -> AsyncGenerator[Site]:
    """A site of somebody else, under a policy that allows nothing but the desk; it embeds what `embed` says."""
    made = Site()

    async def page(request: Request) -> Response:
        return HTMLResponse(made.markup, headers={"Content-Security-Policy": made.policy})

    async with serving(Starlette(routes=[Route("/", page)])) as port:
        made.url = f"http://127.0.0.1:{port}"
        yield made


class Site:
    def __init__(self) -> None:
        self.url = ""
        self.markup = ""
        self.policy = ""

    def embed(self, desk_url: str, attributes: str = "") -> None:
        sources = f"{desk_url} {desk_url.replace('http', 'ws', 1)}"
        self.policy = f"default-src 'none'; script-src {desk_url}; connect-src {sources}; style-src 'none'"
        self.markup = (
            '<!doctype html><html lang="en"><head><title>An exchange</title>'
            f'<script src="{desk_url}/widget/redress-chat.js" defer></script></head>'
            f'<body><main><h1>Prices</h1></main><redress-chat server="{desk_url}" {attributes}></redress-chat></body>'
        )
