"""The public form for a lost link, and the way from the page of a case into another channel."""

from __future__ import annotations

import html
import re
import statistics
import time

import httpx
import pytest
from playwright.async_api import Browser, expect
from sqlalchemy import select

from bot.store.tables import Timer
from escalation.lost_links import LOST_LINK_TIMER
from escalation.numbers import new_number
from tests.browser import WIDTHS, calm, needs_chromium, new_context, serious_faults
from tests.conftest import MovedClock
from tests.console.world import Visitor, World
from tests.tracking.test_tracking_page import case_of, path_of


async def ask(visitor: Visitor, number: str, language: str = "en") -> httpx.Response:
    return await visitor.client.post(f"/track?lang={language}", data={"number": number})


async def asked_for(world: World) -> list[str]:
    query = select(Timer.key).where(Timer.kind == LOST_LINK_TIMER).order_by(Timer.id)
    return await world.store.read(lambda c: list(c.execute(query).scalars()))


async def test_every_number_hears_the_same_and_leaves_the_same_behind(world: World) -> None:
    case, unknown = await case_of(world), new_number()
    async with world.visitor() as visitor:
        answers = [await ask(visitor, number) for number in (case.number, unknown, "nonsense", "")]
    assert {answer.status_code for answer in answers} == {200}
    assert len({answer.text for answer in answers}) == 1
    assert world.desk.words.say("tracking.lost_asked", "en") in html.unescape(answers[0].text)
    assert case.number not in answers[0].text
    assert sorted(await asked_for(world)) == sorted([case.number, unknown])


async def test_the_answer_takes_the_same_time_for_every_number(world: World, clock: MovedClock) -> None:
    """The median of many: a single one tells more about the machine than about the desk."""
    case = await case_of(world)
    taken: dict[bool, list[float]] = {True: [], False: []}
    async with world.visitor() as visitor:
        for _ in range(20):
            clock.move(minutes=10)
            for known in (True, False):
                began = time.perf_counter()
                await ask(visitor, case.number if known else new_number())
                taken[known].append(time.perf_counter() - began)
    there, nowhere = (statistics.median(taken[known]) for known in (True, False))
    assert 0.5 < there / nowhere < 2.0


async def test_a_number_can_be_written_as_people_write_it(world: World) -> None:
    case = await case_of(world)
    async with world.visitor() as visitor:
        await ask(visitor, f" {case.number.lower().replace('-', ' ')} ")
    assert await asked_for(world) == [case.number]


async def test_ten_requests_of_one_client_in_ten_minutes(world: World, clock: MovedClock) -> None:
    async with world.visitor() as visitor:
        assert {(await ask(visitor, new_number())).status_code for _ in range(10)} == {200}
        refused = await ask(visitor, new_number())
        assert (refused.status_code, refused.headers["retry-after"]) == (429, "600")
        assert len(await asked_for(world)) == 10
        clock.move(minutes=10)
        assert (await ask(visitor, new_number())).status_code == 200


async def test_a_form_that_is_too_large_asks_for_nothing(world: World) -> None:
    case = await case_of(world)
    async with world.visitor() as visitor:
        answer = await visitor.client.post("/track", data={"more": "x" * 5000, "number": case.number})
    assert answer.status_code == 200
    assert await asked_for(world) == []


async def test_the_page_of_a_case_leads_into_another_channel(world: World) -> None:
    case = await case_of(world)
    async with world.visitor() as visitor:
        page = (await visitor.get(path_of(world, case))).text
        [action] = re.findall(r'action="([^"]+/elsewhere[^"]*)"', page)
        links = await visitor.client.post(action)
        assert 'href="https://messenger.example/desk?start=token"' in links.text
        wrong = await visitor.client.post(f"/track/{case.number}/wrong/elsewhere")
        assert wrong.status_code == 404


@needs_chromium
@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("language", ["en", "zh"])
async def test_the_pages_in_a_browser_without_a_script(
    world: World, browser: Browser, language: str, width: str
) -> None:
    case, say = await case_of(world, language), world.desk.words.say
    size = {"width": WIDTHS[width], "height": 900}
    context = await new_context(browser, language, viewport=size, java_script_enabled=False)
    page = await context.new_page()
    await page.goto(f"{world.url}/track?lang={language}")
    await page.get_by_label(say("tracking.lost_number", language)).fill(case.number)
    await page.get_by_role("button", name=say("tracking.lost_button", language)).click()
    await expect(page.get_by_role("status")).to_have_text(say("tracking.lost_asked", language))
    assert await asked_for(world) == [case.number]
    await page.goto(f"{world.url}{path_of(world, case)}?lang={language}")
    await page.get_by_role("button", name=say("tracking.elsewhere_button", language)).click()
    await expect(page.get_by_role("link", name="Messenger")).to_be_visible()
    await context.close()


@needs_chromium
@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("scheme", ["light", "dark"])
async def test_the_form_is_accessible_and_fits(world: World, browser: Browser, scheme: str, width: str) -> None:
    size = {"width": WIDTHS[width], "height": 900}
    context = await new_context(browser, "zh", viewport=size, color_scheme=scheme)
    page = await context.new_page()
    complaints = calm(page)
    case = await case_of(world)
    for path in ("/track", path_of(world, case)):
        await page.goto(f"{world.url}{path}")
        assert await serious_faults(page) == []
        assert await page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
    assert complaints == []
    await context.close()
