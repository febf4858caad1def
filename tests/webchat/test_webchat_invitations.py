"""A link from another conversation: over HTTP, and in a real Chromium, where nothing happens before the user agrees."""

from __future__ import annotations

from collections.abc import AsyncIterator

import httpx
import pytest
import pytest_asyncio
from playwright.async_api import Browser, BrowserContext, expect

from channels.live_contract import Invited
from tests.browser import needs_chromium, new_context, serious_faults
from tests.webchat.browser import Widget
from tests.webchat.desk import RunningChat, running_chat

pytestmark = pytest.mark.asyncio(loop_scope="module")
TOKEN = "t" * 43
PRIVATE, PUBLIC = Invited(title="Telegram", public=False), Invited(title="X", public=True)


@pytest_asyncio.fixture(loop_scope="module")
async def desk() -> AsyncIterator[RunningChat]:
    async with running_chat() as running:
        yield running


async def post(desk: RunningChat, path: str, token: object, bearer: str | None = None) -> httpx.Response:
    async with httpx.AsyncClient(base_url=desk.url, trust_env=False) as http:
        made = (await http.post("/chat/session", json={})).json()
        bearer = bearer or f"{made['session']}.{made['secret']}"
        return await http.post(path, json={"token": token}, headers={"Authorization": f"Bearer {bearer}"})


async def test_looking_tells_what_is_asked_and_following_uses_it_up(desk: RunningChat) -> None:
    desk.desk.invitations.open[TOKEN] = PRIVATE
    for _ in range(2):
        looked = await post(desk, "/chat/invitation", TOKEN)
        assert "Telegram" in looked.json()["question"]
    assert (await post(desk, "/chat/invitation/follow", TOKEN)).status_code == 200
    for path in ("/chat/invitation", "/chat/invitation/follow"):
        assert ((gone := await post(desk, path, TOKEN)).status_code, gone.json()["code"]) == (410, "invitation_over")


@pytest.mark.parametrize("path", ["/chat/invitation", "/chat/invitation/follow"])
async def test_who_is_refused(desk: RunningChat, path: str) -> None:
    desk.desk.invitations.open[TOKEN] = PRIVATE
    assert (await post(desk, path, TOKEN, bearer="c1x.y")).status_code == 401
    assert (await post(desk, path, 5)).status_code == 400
    assert (await post(desk, path, "x" * 65)).status_code == 400
    async with httpx.AsyncClient(base_url=desk.url, trust_env=False) as http:
        assert (await http.get(path)).status_code == 405
        foreign = {"Origin": "https://evil.example"}
        assert (await http.post(path, json={"token": TOKEN}, headers=foreign)).status_code == 403
    assert TOKEN in desk.desk.invitations.open


async def follow_link(context: BrowserContext, desk: RunningChat, language: str) -> Widget:
    page = await context.new_page()
    await page.goto(f"{desk.url}/chat?lang={language}#join={TOKEN}")
    return Widget(page)


@needs_chromium
@pytest.mark.parametrize(("language", "yes"), [("en", "Yes, it is mine"), ("zh", "是，这是我的")])
@pytest.mark.parametrize("invited", [PRIVATE, PUBLIC], ids=["private", "public"])
async def test_yes_joins(browser: Browser, desk: RunningChat, language: str, yes: str, invited: Invited) -> None:
    desk.desk.invitations.open[TOKEN] = invited
    context = await new_context(browser, language, viewport={"width": 375, "height": 760}, color_scheme="dark")
    widget = await follow_link(context, desk, language)
    broken: list[str] = []
    widget.page.on("pageerror", lambda error: broken.append(str(error)))
    await expect(widget.page.locator("#question")).to_contain_text(invited.title)
    assert "join" not in widget.page.url
    assert desk.desk.invitations.followed == []
    assert await serious_faults(widget.page) == []
    assert await widget.page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
    await widget.page.get_by_role("button", name=yes).click()
    await expect(widget.texts()).to_have_text(["Both belong together now."])
    await expect(widget.page.locator(".question")).to_be_hidden()
    [(token, _, spoken)] = desk.desk.invitations.followed
    assert (token, spoken) == (TOKEN, language)
    assert broken == []
    await context.close()


@needs_chromium
async def test_no_leaves_everything_as_it_was(context: BrowserContext, desk: RunningChat) -> None:
    desk.desk.invitations.open[TOKEN] = PRIVATE
    widget = await follow_link(context, desk, "en")
    await widget.page.get_by_role("button", name="No", exact=True).click()
    await expect(widget.page.locator(".question")).to_be_hidden()
    await widget.page.reload()
    await expect(widget.input).to_be_visible()
    await expect(widget.page.locator(".question")).to_be_hidden()
    assert desk.desk.invitations.followed == []


@needs_chromium
async def test_the_question_outlives_a_change_of_language(context: BrowserContext, desk: RunningChat) -> None:
    desk.desk.invitations.open[TOKEN] = PRIVATE
    widget = await follow_link(context, desk, "en")
    await expect(widget.page.locator("#question")).to_be_visible()
    await widget.page.get_by_role("link", name="中文").click()
    await expect(widget.page.get_by_role("button", name="是，这是我的")).to_be_visible()


@needs_chromium
async def test_a_dead_link_says_so(context: BrowserContext, desk: RunningChat) -> None:
    widget = await follow_link(context, desk, "en")
    await expect(widget.problem).to_contain_text("used already or is too old")
