"""Who leaves the form and comes back finds what was typed and the files; a half-received one goes on where it ended."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from playwright.async_api import Browser, BrowserContext, Page, expect

from tests.browser import WIDTHS, calm, needs_chromium, new_context
from tests.form.desk import FormDesk
from tests.form.test_form_browser import PIECE, SENT, STORY, SUBMIT, Line, check

pytestmark = [needs_chromium, pytest.mark.asyncio(loop_scope="module")]
SHEET = "/form?class=withdrawal_issue&lang="
ASKED = {"en": "What happened?", "zh": "发生了什么"}
BACK = {"en": "What you filled in before is here again", "zh": "您之前填写的内容已恢复"}
PARTLY = {"en": "33 % received: choose the same file again", "zh": "已收到 33 %，请重新选择同一个文件"}
RECEIVED = {"en": "received", "zh": "已收到"}
AFRESH = {"en": "Start afresh", "zh": "清空重填"}
INCOMPLETE = {"en": "Please choose the unfinished files again", "zh": "有文件没有传完"}


async def nothing_kept(page: Page) -> None:
    await page.wait_for_load_state("load")  # then its scripts have run
    assert await page.evaluate("Object.keys(sessionStorage).length") == 0


async def begun(place: FormDesk, context: BrowserContext, folder: Path, language: str) -> tuple[Page, Line, list[Path]]:
    """A form with words, one file that is there, and one whose line broke after its first of three pieces."""
    small, big = folder / "凭证.png", folder / "statement.bin"
    small.write_bytes(b"\x89PNG\r\n\x1a\n" + b"x" * 3000)
    big.write_bytes(os.urandom(3 * PIECE))
    page, line = await context.new_page(), Line()
    await page.goto(f"{place.url}{SHEET}{language}")
    await page.get_by_label(ASKED[language]).fill(STORY[language])
    await page.get_by_label({"en": "Network", "zh": "网络"}[language]).fill("TRC20")
    await page.locator("#f-files").set_input_files(small)
    await expect(page.locator(".file", has_text="凭证.png")).to_contain_text(RECEIVED[language])
    await page.route("**/form/files/*", line.carry)
    await page.locator("#f-files").set_input_files(big)
    await expect(page.locator(".file", has_text="statement.bin")).to_contain_text(
        {"en": "interrupted", "zh": "中断"}[language]
    )
    return page, line, [small, big]


@pytest.mark.parametrize("language", ["en", "zh"])
async def test_words_and_files_are_there_again_and_only_the_rest_is_sent(
    place: FormDesk, tmp_path: Path, browser: Browser, language: str
) -> None:
    size = {"width": WIDTHS["narrow" if language == "zh" else "wide"], "height": 900}
    context = await new_context(browser, language, viewport=size, color_scheme="dark" if language == "zh" else "light")
    page, line, [_, big] = await begun(place, context, tmp_path, language)
    await page.goto(f"{place.url}/form?lang={language}")
    line.broken = False
    complaints = calm(page)
    await page.goto(f"{place.url}{SHEET}{language}")
    await expect(page.locator("#back")).to_contain_text(BACK[language])
    await expect(page.get_by_label(ASKED[language])).to_have_value(STORY[language])
    await expect(page.locator(".file", has_text="凭证.png")).to_contain_text(RECEIVED[language])
    unfinished = page.locator(".file", has_text="statement.bin")
    await expect(unfinished).to_contain_text(PARTLY[language])
    await check(page, f"draft-{language}")
    await page.get_by_role("button", name=SUBMIT[language]).click()
    await expect(page.locator("#waiting")).to_contain_text(INCOMPLETE[language])
    await page.locator("#f-files").set_input_files(big)
    await expect(page.get_by_role("heading", name=SENT[language])).to_be_visible(timeout=30_000)
    assert line.offsets == [0, PIECE, 2 * PIECE]
    assert [(f.filename, f.size) for f in await place.evidence()] == [("凭证.png", 3008), ("statement.bin", 3 * PIECE)]
    await place.settled()
    [case] = await place.received()
    assert "TRC20" in case.text
    await nothing_kept(page)
    assert complaints == []
    await context.close()


async def test_the_bytes_are_those_of_the_file(place: FormDesk, tmp_path: Path, browser: Browser) -> None:
    """Same name, same size, another content: that is another file, and none is made of both."""
    context = await new_context(browser)
    page, line, [_, big] = await begun(place, context, tmp_path, "en")
    await page.reload()
    line.broken = False
    await expect(page.locator(".file", has_text="statement.bin")).to_contain_text(PARTLY["en"])
    big.write_bytes(big.read_bytes()[:-1] + b"?")
    await page.locator("#f-files").set_input_files(big)
    await expect(page.locator(".file", has_text="statement.bin")).to_have_count(2)
    await expect(page.locator('.file input[name="upload"]')).to_have_count(2, timeout=30_000)
    assert line.offsets == [0, 0, PIECE, 2 * PIECE]
    await page.get_by_role("button", name="Remove statement.bin").first.click()
    await page.get_by_role("button", name=SUBMIT["en"]).click()
    await expect(page.get_by_role("heading", name=SENT["en"])).to_be_visible()
    assert [f.size for f in await place.evidence()] == [3008, 3 * PIECE]
    await context.close()


async def test_another_language_and_another_topic_take_everything_along(
    place: FormDesk, tmp_path: Path, browser: Browser
) -> None:
    context = await new_context(browser)
    page, line, _ = await begun(place, context, tmp_path, "en")
    line.broken = False
    await page.get_by_role("link", name="中文").click()
    await expect(page.get_by_label(ASKED["zh"])).to_have_value(STORY["en"])
    await expect(page.locator(".file")).to_have_count(2)
    await page.goto(f"{place.url}/form?class=unclassified&lang=en")
    await expect(page.get_by_label(ASKED["en"])).to_have_value(STORY["en"])
    await expect(page.locator(".file")).to_have_count(2)
    await page.goto(f"{place.url}{SHEET}en")
    await expect(page.get_by_label("Network")).to_have_value("TRC20")
    await context.close()


@pytest.mark.parametrize("language", ["en", "zh"])
async def test_starting_afresh_leaves_nothing_behind(
    place: FormDesk, tmp_path: Path, browser: Browser, language: str
) -> None:
    context = await new_context(browser, language)
    page, line, _ = await begun(place, context, tmp_path, language)
    line.broken = False
    await page.reload()
    await expect(page.locator(".file")).to_have_count(2)
    token = await page.locator('input[name="form"]').input_value()
    gone: list[str] = []
    page.on("request", lambda request: gone.append(request.url) if request.method == "DELETE" else None)
    await page.get_by_role("button", name=AFRESH[language]).click()
    await expect(page.get_by_label(ASKED[language])).to_have_value("")
    await expect(page.locator("#back")).to_be_hidden()
    await expect(page.locator(".file")).to_have_count(0)
    await nothing_kept(page)
    assert len(gone) == 2
    assert await page.locator('input[name="form"]').input_value() != token
    await context.close()


async def test_a_form_that_is_given_back_is_kept_as_it_is_now(
    place: FormDesk, tmp_path: Path, browser: Browser
) -> None:
    context = await new_context(browser)
    page, line, _ = await begun(place, context, tmp_path, "en")
    line.broken = False
    await page.get_by_role("button", name="Remove statement.bin").click()
    await page.evaluate("document.querySelector('form.sheet').noValidate = true")
    await page.get_by_label("E-mail").fill("x@y")
    await page.get_by_role("button", name=SUBMIT["en"]).click()
    await expect(page.locator(".alert")).to_be_visible()
    await expect(page.locator('input[name="upload"]')).to_have_count(1)
    await page.goto(f"{place.url}{SHEET}en")
    await expect(page.get_by_label("E-mail")).to_have_value("x@y")
    await expect(page.locator(".file", has_text="received")).to_have_count(1)
    await page.get_by_label("E-mail").fill("")
    await page.get_by_role("button", name=SUBMIT["en"]).click()
    await expect(page.get_by_role("heading", name=SENT["en"])).to_be_visible()
    assert [f.filename for f in await place.evidence()] == ["凭证.png"]
    await context.close()


async def test_what_the_desk_has_thrown_away_is_said(place: FormDesk, tmp_path: Path, browser: Browser) -> None:
    context = await new_context(browser)
    page, line, _ = await begun(place, context, tmp_path, "en")
    line.broken = False
    place.clock.move(hours=25)
    await place.desk.alarm.ring_due()
    await page.reload()
    await expect(page.locator(".file", has_text="is no longer here; please add it again")).to_have_count(2)
    await page.get_by_role("button", name=SUBMIT["en"]).click()
    await expect(page.get_by_role("heading", name=SENT["en"])).to_be_visible()
    await context.close()


async def test_another_tab_and_an_old_draft_show_nothing(place: FormDesk, browser: Browser) -> None:
    context = await new_context(browser)
    page, other = await context.new_page(), await context.new_page()
    await page.goto(f"{place.url}{SHEET}en")
    await page.get_by_label(ASKED["en"]).fill(STORY["en"])
    await other.goto(f"{place.url}{SHEET}en")
    await expect(other.get_by_label(ASKED["en"])).to_have_value("")
    await page.evaluate(
        "for (const [key, value] of Object.entries(sessionStorage))"
        "  sessionStorage.setItem(key, JSON.stringify({ ...JSON.parse(value), at: Date.now() - 864e5 }))"
    )
    await page.goto(f"{place.url}{SHEET}zh")
    await expect(page.locator("#back")).to_be_hidden()
    await expect(page.get_by_label(ASKED["zh"])).to_have_value("")
    await nothing_kept(page)
    await context.close()


async def test_what_is_added_to_a_complaint_is_a_draft_of_its_own(place: FormDesk, browser: Browser) -> None:
    """Also for who leaves the receipt at once: its script, which forgets what was filed, never came."""
    context = await new_context(browser)
    page = await context.new_page()
    await page.route("**/form/static/receipt.js*", lambda route: route.abort(), times=1)
    await page.goto(f"{place.url}{SHEET}en")
    await page.get_by_label(ASKED["en"]).fill(STORY["en"])
    await page.get_by_role("button", name=SUBMIT["en"]).click()
    await page.get_by_role("link", name="Add").click()
    await page.get_by_label(ASKED["en"]).fill("One thing more.")
    await page.goto(f"{place.url}{SHEET}en")
    await expect(page.get_by_label(ASKED["en"])).to_have_value("")
    await page.go_back()
    await expect(page.get_by_label(ASKED["en"])).to_have_value("One thing more.")
    await page.get_by_role("button", name=SUBMIT["en"]).click()
    await expect(page.get_by_role("heading", name=SENT["en"])).to_be_visible()
    await place.settled()
    assert ["One thing more." in row.text for row in await place.received()] == [False, True]
    assert len(await place.cases()) == 1
    await nothing_kept(page)
    await context.close()
