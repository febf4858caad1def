"""Possible relations: agents see what a conversation may belong to, and add it to the case with one press."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from playwright.async_api import Browser, expect

from bot.repository import conversations
from escalation import repository
from escalation.relations import NAMED_CONVERSATION, RELATED, SAID_NUMBER
from tests.browser import WIDTHS, calm, needs_chromium, new_context, serious_faults
from tests.console.signing_in import sign_in
from tests.console.world import Talk, World, open_case, talk, waiting


async def stray(world: World, language: str = "en") -> tuple[int, int, str]:
    """A conversation that names another one, whose case has a number, and a third one without a case."""
    first = await talk(world.store, world.clock(), Talk(channel="mail", subject="Withdrawal missing / 提现未到账"))
    case = await open_case(world.store, first, world.clock())
    caseless = await talk(world.store, world.clock(), Talk(channel="mail", subject="A question", language=language))
    conversation_id = await waiting(world)

    def note(connection: Any) -> None:
        relations = [(first, case.id, NAMED_CONVERSATION), (None, case.id, SAID_NUMBER)]
        for related, case_id, reason in [*relations, (caseless, None, NAMED_CONVERSATION)]:
            data = {"conversation_id": related, "case_id": case_id, "reason": reason}
            repository.add_note(connection, conversation_id, RELATED, at=world.clock(), data=data)

    await world.store.write(note)
    return conversation_id, first, case.number


@pytest.mark.parametrize(
    ("language", "heading", "event"),
    [("en", "Possible relations", "Possible relation"), ("zh", "可能相关", "可能相关")],
)
async def test_relations_are_shown_once_and_joined_by_the_owner(
    world: World, language: str, heading: str, event: str
) -> None:
    conversation_id, first, number = await stray(world)
    page = f"/console/c/{conversation_id}?lang={language}"
    async with world.signed_in("li") as li:
        before = (await li.get(page)).text
        assert heading in before
        assert event in before
        assert before.count(f'<a href="/console/c/{first}">') == 1
        assert f'name="number" value="{number}"' not in before
        await li.post(f"/console/c/{conversation_id}/take")
        assert f'name="number" value="{number}"' in (await li.get(page)).text
        await li.post(f"/console/c/{conversation_id}/join-case", {"number": number})
        after = (await li.get(page)).text
    row = await world.store.read(lambda c: conversations.get(c, conversation_id))
    case = await world.store.read(lambda c: repository.find(c, number))
    assert case is not None
    assert row.case_id == case.id
    assert after.count(f'<a href="/console/c/{first}">') == 1  # among the conversations of the case
    assert heading in after  # the one without a case is still there
    assert f'name="number" value="{number}"' not in after


@needs_chromium
@pytest.mark.parametrize(("language", "scheme"), [("en", "light"), ("zh", "dark")])
async def test_the_page_is_accessible_and_fits(
    world: World, browser: Browser, language: str, scheme: Any, tmp_path: Path
) -> None:
    conversation_id, _, number = await stray(world, language)
    context = await new_context(browser, language, color_scheme=scheme, bypass_csp=True)
    page = await context.new_page()
    complaints = calm(page)
    await sign_in(page, world, "li")
    await page.goto(f"{world.url}/console/c/{conversation_id}")
    await page.click("#take")
    button = page.locator("#relations button")
    await expect(button).to_contain_text(number)
    for name, width in WIDTHS.items():
        await page.set_viewport_size({"width": width, "height": 900})
        assert await serious_faults(page) == []
        assert await page.evaluate("document.documentElement.scrollWidth") <= width
        await page.screenshot(path=tmp_path / f"relations-{language}-{name}.png", full_page=True)
    await button.click()
    await expect(page.locator("#relations button")).to_have_count(0)
    await expect(page.locator("#facts")).to_contain_text(number)
    assert complaints == []
    await context.close()
