"""The form in a real Chromium, with scripts and without: accessible, whole at 375 px, files that resume."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from playwright.async_api import Browser, Page, Route, expect

from tests.browser import WIDTHS, calm, needs_chromium, new_context, serious_faults
from tests.form.desk import NUMBER, FormDesk

pytestmark = [needs_chromium, pytest.mark.asyncio(loop_scope="module")]
STORY = {"en": "I asked for my money five days ago.", "zh": "五天前申请提现，一直没有到账。"}
SENT = {"en": "Your complaint is saved", "zh": "您的投诉已保存"}
SUBMIT = {"en": "File the complaint", "zh": "提交投诉"}
FAULTY = {"en": "Please describe what happened.", "zh": "请说明发生了什么。"}
PIECE = 1024 * 1024


async def numbered(page: Page) -> None:
    """Returns when the receipt shows its number: until then it loads itself anew every three seconds."""
    await expect(page.locator(".number")).to_be_visible(timeout=30_000)


async def check(page: Page, where: str) -> None:
    assert await serious_faults(page) == [], where
    assert await page.evaluate("document.documentElement.scrollWidth <= window.innerWidth"), where
    if folder := os.environ.get("FORM_PICTURES"):
        await page.screenshot(path=f"{folder}/{where}.png", full_page=True)


@pytest.mark.parametrize("language", ["en", "zh"])
@pytest.mark.parametrize("width", WIDTHS)
async def test_every_page_is_accessible_and_fits(place: FormDesk, browser: Browser, language: str, width: str) -> None:
    size = {"width": WIDTHS[width], "height": 900}
    scheme = "dark" if width == "narrow" else "light"
    context = await new_context(browser, language, viewport=size, color_scheme=scheme)
    page = await context.new_page()
    complaints = calm(page)
    await page.goto(f"{place.url}/form?lang={language}")
    await check(page, f"choose-{language}-{width}")
    await page.goto(f"{place.url}/form?class=withdrawal_issue&lang={language}")
    await page.locator("summary").click()
    await check(page, f"sheet-{language}-{width}")
    await page.get_by_label({"en": "E-mail", "zh": "电子邮箱"}[language]).fill("x@y")
    await page.evaluate("document.querySelector('form.sheet').noValidate = true")
    await page.get_by_role("button", name=SUBMIT[language]).click()
    await expect(page.get_by_text(FAULTY[language])).to_be_visible()
    await check(page, f"faulty-{language}-{width}")
    await page.get_by_label({"en": "What happened?", "zh": "发生了什么"}[language]).fill(STORY[language])
    await page.get_by_label({"en": "E-mail", "zh": "电子邮箱"}[language]).fill("li@mail.example")
    await page.get_by_role("button", name=SUBMIT[language]).click()
    await expect(page.get_by_role("heading", name=SENT[language])).to_be_visible()
    await numbered(page)
    await check(page, f"receipt-{language}-{width}")
    await page.goto(f"{place.url}/confirm/{'x' * 43}?lang={language}")
    await check(page, f"confirm-{language}-{width}")
    await page.goto(f"{place.url}/form/receipt/none?lang={language}")
    await check(page, f"unknown-{language}-{width}")
    assert [each for each in complaints if "404" not in each and "422" not in each] == []
    await context.close()


@pytest.mark.parametrize("language", ["en", "zh"])
async def test_without_scripts_a_complaint_with_a_file_is_filed(
    place: FormDesk, tmp_path: Path, browser: Browser, language: str
) -> None:
    picture = tmp_path / "凭证.png"
    picture.write_bytes(b"\x89PNG\r\n\x1a\n" + b"x" * 300_000)
    context = await new_context(browser, language, java_script_enabled=False)
    page = await context.new_page()
    await page.goto(f"{place.url}/form")
    await page.get_by_role("link", name={"en": "A withdrawal", "zh": "提现问题"}[language]).click()
    await page.get_by_role("link", name={"en": "中文", "zh": "English"}[language]).click()
    await page.get_by_role("link", name={"en": "English", "zh": "中文"}[language]).click()
    await page.get_by_label({"en": "What happened?", "zh": "发生了什么"}[language]).fill(STORY[language])
    await page.get_by_label({"en": "Network", "zh": "网络"}[language]).fill("TRC20")
    await page.locator("#f-files").set_input_files(picture)
    await page.get_by_role("button", name=SUBMIT[language]).press("Enter")
    await expect(page.get_by_role("heading", name=SENT[language])).to_be_visible()
    await numbered(page)
    number = NUMBER.search(await page.content())
    [case] = await place.cases()
    assert number is not None
    assert number.group() == case.number
    assert [(file.filename, file.size) for file in await place.evidence()] == [("凭证.png", 300_008)]
    await page.get_by_role("link", name={"en": "Follow your case", "zh": "查看案件进度"}[language]).click()
    await expect(page.get_by_role("heading", name=case.number)).to_be_visible()
    await context.close()


async def test_with_scripts_a_broken_upload_goes_on_where_it_ended(
    place: FormDesk, tmp_path: Path, browser: Browser
) -> None:
    """The line breaks at the second piece; the form, sent meanwhile, waits for the file."""
    big = tmp_path / "statement.bin"
    big.write_bytes(os.urandom(3 * PIECE))
    context = await new_context(browser)
    page = await context.new_page()
    line = Line()
    await page.route("**/form/files/*", line.carry)
    await page.goto(f"{place.url}/form?class=withdrawal_issue")
    await page.get_by_label("What happened?").fill(STORY["en"])
    await page.locator("#f-files").set_input_files(big)
    await expect(page.locator(".file")).to_contain_text("interrupted, goes on by itself")
    assert await page.locator(".file progress").evaluate("bar => bar.value") == PIECE
    await page.get_by_role("button", name="File the complaint").click()
    await expect(page.locator("#waiting")).to_contain_text("when the files are here")
    assert await place.received() == []
    line.broken = False
    await expect(page.get_by_role("heading", name=SENT["en"])).to_be_visible(timeout=30_000)
    assert [(file.filename, file.size) for file in await place.evidence()] == [("statement.bin", 3 * PIECE)]
    assert line.offsets == [0, PIECE, 2 * PIECE]
    await context.close()


class Line:
    """Carries the first piece of a file, then nothing until it is mended."""

    def __init__(self) -> None:
        self.broken = True
        self.offsets: list[int] = []
        """Of the pieces that arrived."""

    async def carry(self, route: Route) -> None:
        offset = int(route.request.headers.get("upload-offset", "-1"))
        if self.broken and (offset > 0 or (offset < 0 and self.offsets)):
            await route.abort()
            return
        if offset >= 0:
            self.offsets.append(offset)
        await route.continue_()


async def test_a_file_is_taken_away_again(place: FormDesk, tmp_path: Path, browser: Browser) -> None:
    (tmp_path / "a.txt").write_bytes(b"a")
    (tmp_path / "b.txt").write_bytes(b"b")
    (tmp_path / "empty.txt").write_bytes(b"")
    context = await new_context(browser)
    page = await context.new_page()
    complaints = calm(page)
    await page.goto(f"{place.url}/form?class=unclassified")
    await page.locator("#f-files").set_input_files([tmp_path / name for name in ("a.txt", "b.txt", "empty.txt")])
    await expect(page.locator(".file", has_text="received")).to_have_count(2)
    await expect(page.locator(".file", has_text="is empty")).to_have_count(1)
    await check(page, "tray")
    await page.get_by_role("button", name="Remove a.txt").click()
    await page.get_by_label("What happened?").fill(STORY["en"])
    await page.get_by_role("button", name="File the complaint").click()
    await expect(page.get_by_role("heading", name=SENT["en"])).to_be_visible()
    assert [file.filename for file in await place.evidence()] == ["b.txt"]
    assert complaints == []
    await context.close()


async def test_the_owner_confirms_in_the_browser_without_scripts(place: FormDesk, browser: Browser) -> None:
    context = await new_context(browser, java_script_enabled=False)
    page = await context.new_page()
    async with place.visitor() as visitor:
        await visitor.file({"description": STORY["en"], "email": place.address})
        await place.mails(1)
        await page.goto(place.link())
        await page.get_by_role("button", name="Yes, write to me there").click()
        await expect(page.get_by_role("heading", name="Your address is confirmed")).to_be_visible()
    await context.close()
