"""Files, typing and receipts in a real Chromium: attach, lose the network, reload, send, fetch back."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
from playwright.async_api import Browser, BrowserContext, Page, Route, expect

from bot.store.migrate import migrate
from bot.store.store import Store
from channels.contract import Author
from channels.live_contract import Holder
from tests.conftest import MovedClock
from tests.webchat.browser import Widget, chromium, needs_chromium, serious_faults
from tests.webchat.filing import FileDesk, file_desk

pytestmark = [needs_chromium, pytest.mark.asyncio(loop_scope="module")]
expect.set_options(timeout=20_000)
FILM = bytes(range(256)) * 12_000
PATIENCE_SECONDS = 30


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def browser() -> AsyncIterator[Browser]:
    async with chromium() as launched:
        yield launched


@pytest_asyncio.fixture(loop_scope="module")
async def context(browser: Browser) -> AsyncIterator[BrowserContext]:
    made = await browser.new_context(viewport={"width": 1000, "height": 760}, reduced_motion="reduce")
    yield made
    await made.close()


@pytest.fixture
def files_store(tmp_path: Path) -> Store:
    url = f"sqlite:///{tmp_path / 'redress.db'}"
    migrate(url)
    return Store(url)


@pytest_asyncio.fixture(loop_scope="module")
async def desk(files_store: Store, tmp_path: Path) -> AsyncIterator[FileDesk]:
    async with file_desk(files_store, MovedClock(), tmp_path) as made:
        yield made
    files_store.close()


class FileWidget(Widget):
    def __init__(self, page: Page) -> None:
        super().__init__(page)
        self.picker = page.locator("input[type=file]")
        self.tray = page.locator(".tray li")
        self.ready = page.locator(".tray li[data-state=ready]")
        self.kept = page.locator(".item[data-status=shown] .files button")
        self.state = page.locator(".item.user .state")
        self.typing = page.locator(".typing")
        self.who = page.locator(".who-is-there")

    async def attach(self, name: str, data: bytes) -> None:
        await self.picker.set_input_files({"name": name, "mimeType": "image/png", "buffer": data})


async def open_page(context: BrowserContext, desk: FileDesk, language: str = "en") -> FileWidget:
    page = await context.new_page()
    await page.goto(f"{desk.chat.url}/chat?lang={language}")
    return FileWidget(page)


@pytest.mark.parametrize(
    ("language", "attach", "ready"), [("en", "Attach files", "ready to send"), ("zh", "添加文件", "可以发送")]
)
async def test_a_file_is_attached_sent_and_fetched_back(
    context: BrowserContext, desk: FileDesk, language: str, attach: str, ready: str
) -> None:
    widget = await open_page(context, desk, language)
    await expect(widget.page.get_by_role("button", name=attach)).to_be_visible()
    await widget.attach("转账凭证.png", FILM)
    await expect(widget.ready).to_contain_text(ready)
    assert await serious_faults(widget.page) == []
    await widget.write("see this")
    await expect(widget.kept).to_contain_text("转账凭证.png · 2.9")
    await expect(widget.tray).to_have_count(0)
    async with widget.page.expect_download() as download:
        await widget.kept.click()
    saved = await download.value
    assert saved.suggested_filename == "转账凭证.png"
    assert (await saved.path()).read_bytes() == FILM
    assert await serious_faults(widget.page) == []
    await widget.page.reload()
    await expect(widget.kept).to_have_count(1)


async def test_an_upload_outlives_a_lost_network_and_a_reload(context: BrowserContext, desk: FileDesk) -> None:
    widget = await open_page(context, desk)
    pieces = 0

    async def break_the_line_after_the_first(route: Route) -> None:
        nonlocal pieces
        if route.request.method == "PATCH" and (pieces := pieces + 1) > 1:
            await route.abort("connectionreset")
        else:
            await route.continue_()

    await widget.page.route("**/chat/files/**", break_the_line_after_the_first)
    await widget.attach("film.mp4", FILM)
    async with asyncio.timeout(PATIENCE_SECONDS):
        while pieces < 2:
            await asyncio.sleep(0.05)
    await expect(widget.ready).to_have_count(0)
    await widget.page.unroute("**/chat/files/**")
    offsets: list[str | None] = []
    widget.page.on("request", lambda request: offsets.append(request.headers.get("upload-offset")))
    await widget.page.reload()
    await expect(widget.ready).to_contain_text("film.mp4")
    assert "0" not in offsets, "it went on where it was"
    await widget.write("")
    await expect(widget.kept).to_have_count(1)
    [message] = desk.chat.desk.inbox
    assert desk.evidence.get(message.envelope["files"][0]["sha256"]) == FILM


async def test_a_message_waits_for_its_file_and_then_leaves_by_itself(context: BrowserContext, desk: FileDesk) -> None:
    widget = await open_page(context, desk)
    go_on = asyncio.Event()

    async def hold(route: Route) -> None:
        await go_on.wait()
        await route.continue_()

    await widget.page.route("**/chat/files", hold)
    await widget.attach("a.png", b"abc")
    await widget.write("with a file")
    await expect(widget.problem).to_contain_text("leaves as soon as its files are there")
    assert desk.chat.desk.inbox == []
    go_on.set()
    await expect(widget.texts()).to_have_text(["with a file"])
    await expect(widget.kept).to_have_count(1)


async def test_what_cannot_be_sent_is_said_and_can_be_removed_by_keyboard(
    context: BrowserContext, desk: FileDesk
) -> None:
    widget = await open_page(context, desk)
    await widget.attach("empty.txt", b"")
    await expect(widget.tray).to_contain_text("This file is empty.")
    await widget.write("hello")
    await expect(widget.problem).to_contain_text("remove the files")
    await widget.page.get_by_role("button", name="Remove empty.txt").focus()
    await widget.page.keyboard.press("Enter")
    await expect(widget.tray).to_have_count(0)
    await widget.input.press("Enter")
    await expect(widget.texts()).to_have_text(["hello"])


@pytest.mark.parametrize("way", ["paste", "drop"])
async def test_files_can_be_pasted_and_dropped(context: BrowserContext, desk: FileDesk, way: str) -> None:
    widget = await open_page(context, desk)
    await widget.input.evaluate(
        """(input, way) => {
            const transfer = new DataTransfer();
            transfer.items.add(new File(["abc"], "clip.png", { type: "image/png" }));
            const options = { bubbles: true, cancelable: true, composed: true };
            input.dispatchEvent(way === "paste"
                ? new ClipboardEvent("paste", { ...options, clipboardData: transfer })
                : new DragEvent("drop", { ...options, dataTransfer: transfer }));
        }""",
        way,
    )
    await expect(widget.ready).to_contain_text("clip.png")


async def test_who_is_there_who_types_and_what_was_seen(context: BrowserContext, desk: FileDesk) -> None:
    widget = await open_page(context, desk)
    attention = desk.chat.desk.attention
    await widget.write("hello")
    await expect(widget.state).to_have_text("Received")
    key = desk.chat.desk.inbox[0].conversation_key
    attention.change(key, thinking=True)
    await expect(widget.typing).to_have_text("The assistant is working on an answer…")
    attention.change(key, owner=Holder.QUEUE, thinking=False)
    await expect(widget.typing).to_be_hidden()
    await expect(widget.who).to_contain_text("nobody has joined yet")
    attention.change(key, owner=Holder.AGENT, name="Anna", here=True, seen=1)
    await expect(widget.who).to_have_text("Anna is here.")
    await expect(widget.state).to_have_text("Seen by a person")
    attention.agent_typed(key)
    await expect(widget.typing).to_have_text("Anna is typing…")
    assert await serious_faults(widget.page) == []
    seq = desk.chat.desk.say(key, "Hello, I am Anna.", Author.AGENT, "Anna")
    await expect(widget.typing).to_be_hidden()
    async with asyncio.timeout(PATIENCE_SECONDS):
        while not attention.read[key] or attention.read[key][-1] != seq:
            await asyncio.sleep(0.05)
    await widget.input.press_sequentially("thank you")
    async with asyncio.timeout(PATIENCE_SECONDS):
        while not attention.typed[key]:
            await asyncio.sleep(0.05)
