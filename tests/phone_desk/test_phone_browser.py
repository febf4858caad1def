"""The page for calls and letters in a real browser: keyboard, narrow, dark, in both languages, and on paper."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from playwright.async_api import Browser, Page, expect

from tests.browser import WIDTHS, arrived, calm, chromium, needs_chromium, serious_faults
from tests.console.world import PASSWORD
from tests.phone_desk.desk import PhoneDesk, form, kept, key_in, number_of

pytestmark = [pytest.mark.asyncio(loop_scope="module"), needs_chromium]


@asynccontextmanager
async def signed_in(place: PhoneDesk, browser: Browser, **options: Any) -> AsyncIterator[Page]:
    """Li, in a browser of their own."""
    given = {"locale": "en-GB", "timezone_id": "Asia/Shanghai", "reduced_motion": "reduce", **options}
    context = await browser.new_context(**given)
    page = await context.new_page()
    await page.goto(f"{place.url}/console/login")
    await page.locator("input[name=login]").fill("li")
    await page.locator("input[name=password]").fill(PASSWORD)
    await page.locator("main button").click()
    await arrived(page, "**/console/")
    yield page
    await context.close()


async def test_a_call_is_keyed_in_by_keyboard_in_local_time(place: PhoneDesk, tmp_path: Path) -> None:
    recording = tmp_path / "call.wav"
    recording.write_bytes(b"RIFF....WAVE")
    async with chromium() as browser, signed_in(place, browser) as page:
        complaints = calm(page)
        await page.get_by_role("link", name="Call or letter").press("Enter")
        await arrived(page, "**/console/record/")
        shown = await page.locator("#f-at").input_value()
        assert shown == f"{place.clock() + timedelta(hours=8):%Y-%m-%dT%H:%M}"[: len(shown)]
        await expect(page.locator("#h-at")).to_contain_text("Your local time")
        await page.locator("#f-words").focus()
        await page.keyboard.type("I asked five days ago.")
        await page.keyboard.press("Tab")
        await page.locator("#f-files").set_input_files(recording)
        await page.locator("#f-name").focus()
        await page.keyboard.type("Mei Chen")
        await page.reload()
        await expect(page.locator("#f-words")).to_have_value("I asked five days ago.")
        await page.locator("#f-files").set_input_files(recording)
        await page.locator("form.sheet button").focus()
        await page.keyboard.press("Enter")
        await page.wait_for_url(re.compile(r"/console/record/\d+$"))
        talk = int(page.url.rpartition("/")[2])
        await expect(page.locator(".big")).to_have_text(re.compile(r"^RD-"))
        [message] = await place.received(talk)
        assert timedelta(0) <= place.clock() - message.received_at < timedelta(minutes=3)
        assert [file.filename for file in await place.evidence(talk)] == ["call.wav"]
        await page.get_by_role("button", name="Told on the phone").press("Enter")
        await arrived(page, f"**/console/c/{talk}")
        await expect(page.locator("#transcript")).to_contain_text("Told on the phone")
        await page.goto(f"{place.url}/console/record/")
        await expect(page.locator("#f-words")).to_have_value("")
        assert complaints == []


async def test_a_double_click_is_one_case(place: PhoneDesk) -> None:
    async with chromium() as browser, signed_in(place, browser, java_script_enabled=False) as page:
        await page.goto(f"{place.url}/console/record/")
        await page.locator("#f-words").fill("Where is my money?")
        await page.locator("form.sheet button").dblclick()
        await page.wait_for_url(re.compile(r"/console/record/\d+$"))
        talk = int(page.url.rpartition("/")[2])
        assert len(await place.received(talk)) == 1
        await expect(page.locator("#say-none, .read-out")).to_have_count(1)


async def test_two_posts_at_the_same_time_are_one_case(place: PhoneDesk) -> None:
    hidden = await form(place.people["li"])
    answers = await asyncio.gather(*(key_in(place, "li", {}, hidden=hidden) for _ in range(2)))
    assert {answer.status_code for answer in answers} == {303}
    [where] = {answer.headers["location"] for answer in answers}
    assert len(await place.received(int(where.rpartition("/")[2]))) == 1


@pytest.mark.parametrize(("language", "scheme"), [("en", "light"), ("zh", "dark")])
async def test_no_page_has_a_serious_accessibility_fault(
    place: PhoneDesk, language: str, scheme: Any, tmp_path: Path
) -> None:
    paper = {"way": "paper", "address": "1 Peak Road\nHong Kong", "language": "zh-Hant", "words": "我的提現還沒有到。"}
    talk = await kept(place, "li", paper, [("scan.pdf", b"%PDF-1.4")])
    [answer] = await place.answers(talk)
    async with chromium() as browser:
        options = {"color_scheme": scheme, "bypass_csp": True, "locale": {"en": "en-GB", "zh": "zh-CN"}[language]}
        async with signed_in(place, browser, **options) as page:
            for path in (
                "/console/record/",
                f"/console/record/{talk}",
                f"/console/letter/{answer.id}",
                f"/console/c/{talk}",
                "/console/?view=by_hand",
            ):
                for name, width in WIDTHS.items():
                    await page.set_viewport_size({"width": width, "height": 900})
                    await page.goto(place.url + path)
                    picture = tmp_path / f"{path.replace('/', '_')[9:]}-{language}-{name}.png"
                    await page.screenshot(path=picture, full_page=True)
                    assert await serious_faults(page) == [], path
                    assert await page.evaluate("document.documentElement.scrollWidth") <= width, path
            await page.goto(f"{place.url}/console/record/")
            await page.locator("#f-words").fill(" ")
            await page.locator("form.sheet button").click()
            await expect(page.locator(".alert")).to_be_visible()
            await page.screenshot(path=tmp_path / f"faults-{language}.png", full_page=True)
            assert await serious_faults(page) == []


async def test_only_the_letter_comes_out_of_the_printer(place: PhoneDesk, tmp_path: Path) -> None:
    talk = await kept(place, "li", {"way": "paper", "address": "1 Peak Road\nHong Kong"})
    number = await number_of(place.people["li"], talk)
    [answer] = await place.answers(talk)
    async with chromium() as browser, signed_in(place, browser, color_scheme="dark") as page:
        await page.goto(f"{place.url}/console/letter/{answer.id}")
        await expect(page.get_by_role("button", name="Print", exact=True)).to_be_visible()
        await page.emulate_media(media="print")
        seen = await page.locator("body").inner_text()
        assert number in seen
        assert "1 Peak Road" in seen
        for tool in ("Printed and posted", "Sign out", "Call or letter", "Li Wei\n"):
            assert tool not in seen.split("Copy of your complaint")[0]
        colours = await page.evaluate(
            "[getComputedStyle(document.body), getComputedStyle(document.querySelector('.letter'))]"
            ".map((style) => style.backgroundColor + ' ' + style.color)"
        )
        assert colours[0] == "rgb(255, 255, 255) rgb(0, 0, 0)"
        await page.screenshot(path=tmp_path / "print.png", full_page=True)
        printed = await page.pdf(path=tmp_path / "letter.pdf", prefer_css_page_size=True)
        assert printed.startswith(b"%PDF")
        assert (await place.answers(talk))[0].state == "by_hand"
