"""Files, typing and receipts in a real Chromium: attach, lose the network, reload, send, fetch back."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from pathlib import Path

import pytest
from playwright.async_api import BrowserContext, Route, expect

from bot.files import sha256
from bot.repository import file_checks
from channels.contract import Author
from channels.live_contract import Holder
from tests.browser import needs_chromium, serious_faults
from tests.webchat.file_widget import FILM, held, open_page
from tests.webchat.filing import FileDesk

pytestmark = [needs_chromium, pytest.mark.asyncio(loop_scope="module")]
expect.set_options(timeout=20_000)
PATIENCE_SECONDS = 30


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


@pytest.mark.parametrize(
    ("language", "said"), [("en", "A virus was found in this file"), ("zh", "这个文件中发现了病毒")]
)
async def test_why_a_file_is_not_given_back_is_said(
    context: BrowserContext, desk: FileDesk, language: str, said: str
) -> None:
    widget = await open_page(context, desk, language)
    data = language.encode() * 9
    await widget.attach("a.exe", data)
    await widget.write("see this")
    await expect(widget.kept).to_have_count(1)
    digest, at = sha256(data), datetime(2026, 11, 22, tzinfo=UTC)
    await desk.store.write(lambda c: file_checks.begin(c, [digest], at))
    await desk.store.write(lambda c: file_checks.change(c, digest, scan="infected"))
    await widget.kept.click()
    await expect(widget.problem).to_contain_text(said)


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
    async with held(widget.page, "**/chat/files"):
        await widget.attach("a.png", b"abc")
        await widget.write("with a file")
        await expect(widget.problem).to_contain_text("leaves as soon as its files are there")
        assert desk.chat.desk.inbox == []
    await expect(widget.texts()).to_have_text(["with a file"])
    await expect(widget.kept).to_have_count(1)


CHANGED = {
    "en": "You changed something, so your message has not been sent.",
    "zh": "您改动了内容，消息没有自动发出。",
}


@pytest.mark.parametrize(
    ("language", "change"), [("en", "types on"), ("zh", "composes"), ("zh", "removes"), ("en", "adds")]
)
async def test_a_message_that_waits_is_sent_as_it_was_or_not_at_all(
    context: BrowserContext, desk: FileDesk, language: str, change: str
) -> None:
    widget = await open_page(context, desk, language)
    async with held(widget.page, "**/chat/files"):
        await widget.attach("wrong.png", b"abc")
        await widget.attach("right.png", b"abc")
        await widget.write("see")
        await expect(widget.problem).not_to_be_empty()
        if change == "types on":
            await widget.input.press_sequentially(" the fi")
        elif change == "composes":
            devtools = await context.new_cdp_session(widget.page)
            await devtools.send("Input.imeSetComposition", {"text": "tixian", "selectionStart": 6, "selectionEnd": 6})
        elif change == "removes":
            await widget.tray.first.get_by_role("button").click()
        else:
            await widget.attach("third.png", b"abc")
        await expect(widget.problem).to_contain_text(CHANGED[language])
    await expect(widget.ready).to_have_count({"removes": 1, "adds": 3}.get(change, 2))
    assert desk.chat.desk.inbox == []
    if change == "composes":
        await devtools.send("Input.insertText", {"text": "提现"})
        await expect(widget.input).to_have_value("see提现")
    await widget.write("see the right file")
    await expect(widget.texts()).to_have_text(["see the right file"])


@pytest.mark.parametrize(
    ("language", "sentence"), [("en", "This file can no longer be read"), ("zh", "这个文件已无法读取")]
)
async def test_a_file_that_changed_since_it_was_chosen_is_not_tried_for_ever(
    context: BrowserContext, desk: FileDesk, tmp_path: Path, language: str, sentence: str
) -> None:
    widget, file = await open_page(context, desk, language), tmp_path / "statement.pdf"
    file.write_bytes(b"as it was chosen")
    async with held(widget.page, "**/chat/files"):
        await widget.picker.set_input_files(file)
        await expect(widget.tray).to_have_count(1)
        file.write_bytes(b"and as it is now, which is longer")
    await expect(widget.tray).to_contain_text(sentence)
    await widget.write("hello")
    await expect(widget.problem).not_to_be_empty()


async def test_what_is_wrong_with_a_file_is_said_in_the_language_of_the_moment(
    context: BrowserContext, desk: FileDesk
) -> None:
    widget = await open_page(context, desk)
    await widget.attach("empty.txt", b"")
    await widget.attach("small.txt", b"abc")
    await expect(widget.tray).to_contain_text(["This file is empty.", "3 bytes, ready to send"])
    await widget.page.locator("redress-chat").evaluate("(chat) => chat.setAttribute('lang', 'zh')")
    await expect(widget.tray).to_contain_text(["这个文件是空的。", "可以发送"])


async def test_each_file_shows_how_far_it_is(context: BrowserContext, desk: FileDesk) -> None:
    widget = await open_page(context, desk)
    shown = await widget.page.evaluate(
        """async () => {
            const { Tray } = await import("/widget/tray.js");
            const box = document.createElement("ul");
            const tray = new Tray(box, document.createElement("p"), () => {});
            const item = (name, sent) => ({ name, sent, size: 100, received: 10, state: "sending", problem: null });
            const items = [item("one", 20), item("two", 40)];
            tray.show(items);
            tray.show(items);
            return [...box.querySelectorAll("progress")].map((bar) => bar.value);
        }"""
    )
    assert shown == [30, 50]


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
    await expect(widget.page.get_by_role("button", name="Attach files")).to_be_focused()
    await widget.page.keyboard.press("Tab")
    await expect(widget.input).to_be_focused()
    await widget.page.keyboard.press("Enter")
    await expect(widget.texts()).to_have_text(["hello"])


async def test_the_focus_goes_to_the_next_file_when_one_is_removed(context: BrowserContext, desk: FileDesk) -> None:
    widget = await open_page(context, desk)
    for name in ("one.txt", "two.txt", "three.txt"):
        await widget.attach(name, b"abc")
    await widget.page.get_by_role("button", name="Remove two.txt").press("Enter")
    await expect(widget.page.get_by_role("button", name="Remove three.txt")).to_be_focused()
    await widget.page.keyboard.press("Enter")
    await expect(widget.page.get_by_role("button", name="Remove one.txt")).to_be_focused()


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


async def test_a_screen_reader_knows_the_lines_before_anything_is_said(context: BrowserContext, desk: FileDesk) -> None:
    widget = await open_page(context, desk)
    lines = (widget.typing, widget.thinking, widget.who)

    async def how_they_are() -> list[object]:
        look = "(line) => [getComputedStyle(line).display, line.getAttribute('aria-live'), line.textContent !== '']"
        return [await line.evaluate(look) for line in lines]

    await expect(widget.input).to_be_visible()
    assert await how_they_are() == [["block", "polite", False], ["block", "off", False], ["block", "polite", False]]
    await widget.write("hello")
    await expect(widget.state).to_have_text("Received")
    key, attention = desk.chat.desk.inbox[0].conversation_key, desk.chat.desk.attention
    attention.change(key, owner=Holder.AGENT, name="Anna", here=True)
    await expect(widget.who).to_have_text("Anna is here.")
    attention.agent_typed(key)
    await expect(widget.typing).to_have_text("Anna is typing…")
    assert await how_they_are() == [["block", "polite", True], ["block", "off", False], ["block", "polite", True]]


async def test_who_is_there_who_types_and_what_was_seen(context: BrowserContext, desk: FileDesk) -> None:
    widget = await open_page(context, desk)
    attention = desk.chat.desk.attention
    await widget.write("hello")
    await expect(widget.state).to_have_text("Received")
    key = desk.chat.desk.inbox[0].conversation_key
    attention.change(key, thinking=True)
    await expect(widget.thinking).to_have_text("The assistant is working on an answer…")
    attention.change(key, owner=Holder.QUEUE, thinking=False)
    await expect(widget.thinking).to_be_hidden()
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
