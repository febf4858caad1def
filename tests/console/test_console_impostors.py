"""Somebody who is called like us answered the user: agents see it on the page and in the list."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from playwright.async_api import Browser, expect

from escalation import repository
from escalation.impostors import IMPOSTOR
from tests.browser import WIDTHS, calm, needs_chromium, new_context, serious_faults
from tests.console.signing_in import sign_in
from tests.console.world import Talk, World, open_case, talk, waiting

WHO = "Demo Exchange Official Support <b>" + "x" * 60 + " (@demo_help@far.example)"
LINK = "https://network.example/@demo_help/113"


async def answered(world: World, conversation_id: int) -> int:
    """The account's own conversation."""
    liar = await talk(world.store, world.clock(), Talk(channel="mail", subject="-"))
    data = {"conversation_id": liar, "who": WHO, "link": LINK, "reasons": ["our_name_support"]}
    await world.store.write(lambda c: repository.add_note(c, conversation_id, IMPOSTOR, at=world.clock(), data=data))
    return liar


@needs_chromium
@pytest.mark.parametrize(
    ("language", "scheme", "heading"), [("en", "light", "Fake support?"), ("zh", "dark", "疑似假冒客服")]
)
async def test_it_is_seen_and_fits(
    world: World, browser: Browser, language: str, scheme: Any, heading: str, tmp_path: Path
) -> None:
    conversation_id = await waiting(world)
    liar = await answered(world, conversation_id)
    context = await new_context(browser, language, color_scheme=scheme, bypass_csp=True)
    page = await context.new_page()
    complaints = calm(page)
    await sign_in(page, world, "li")
    await expect(page.locator(f"#entry-{conversation_id}")).to_contain_text(heading)
    for name, width in WIDTHS.items():
        await page.set_viewport_size({"width": width, "height": 900})
        assert await serious_faults(page) == []
        await page.screenshot(path=tmp_path / f"list-{language}-{name}.png", full_page=True)
    await page.goto(f"{world.url}/console/c/{conversation_id}")
    card = page.locator("#impostors")
    await expect(card).to_contain_text(WHO)
    await expect(card.locator("a").nth(0)).to_have_attribute("href", LINK)
    await expect(card.locator("a").nth(1)).to_have_attribute("href", f"/console/c/{liar}")
    for name, width in WIDTHS.items():
        await page.set_viewport_size({"width": width, "height": 900})
        assert await serious_faults(page) == []
        assert await page.evaluate("document.documentElement.scrollWidth") <= width
        await page.screenshot(path=tmp_path / f"page-{language}-{name}.png", full_page=True)
    assert complaints == []
    await context.close()


async def test_whoever_looks_at_another_conversation_of_the_case_sees_it_too(world: World) -> None:
    first = await talk(world.store, world.clock(), Talk(channel="mail", subject="Withdrawal missing"))
    case = await open_case(world.store, first, world.clock())
    other = await talk(world.store, world.clock(), Talk(channel="mail", subject="Still missing"))
    await answered(world, first)
    async with world.signed_in("li") as li:
        assert LINK not in (await li.get(f"/console/c/{other}")).text
        await li.post(f"/console/c/{other}/take")
        await li.post(f"/console/c/{other}/join-case", {"number": case.number})
        assert LINK in (await li.get(f"/console/c/{other}")).text
