"""Files of several people, and of several tabs, in one browser: none enters another's chat, and none is lost."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import jwt
import pytest
from playwright.async_api import BrowserContext, Page, Request, Route, WebSocketRoute, expect
from sqlalchemy import select

from bot.store.live_tables import Upload
from bot.store.store import Store
from channels.live_contract import Holder
from tests.browser import needs_chromium
from tests.conftest import MovedClock
from tests.webchat.browser import site
from tests.webchat.desk import APP_SECRET, in_an_hour
from tests.webchat.file_widget import FILM, FileWidget, held, open_page
from tests.webchat.filing import FileDesk, file_desk

pytestmark = [needs_chromium, pytest.mark.asyncio(loop_scope="module")]
expect.set_options(timeout=20_000)
CREATE, PIECES = "**/chat/files", "**/chat/files/**"
PATIENCE_SECONDS = 30
KEPT_FILES = """() => new Promise((done) => {
    indexedDB.open("redress-chat", 1).onsuccess = ({ target: { result } }) => {
        result.transaction("files").objectStore("files").getAll().onsuccess = (all) => done(all.target.result.length);
    };
})"""


def token(uid: str) -> str:
    return jwt.encode({"sub": uid, "aud": "redress", "exp": in_an_hour()}, APP_SECRET, "HS256")


@asynccontextmanager
async def exchange(context: BrowserContext, store: Store, folder: Path) -> AsyncIterator[tuple[FileWidget, FileDesk]]:
    """The chat on a site where users sign in and out."""
    async with site() as other, file_desk(store, MovedClock(), folder, origins=[other.url]) as desk:
        other.embed(desk.chat.url)
        page = await context.new_page()
        await page.goto(other.url)
        widget = FileWidget(page)
        await widget.open()
        yield widget, desk


async def sign_in(page: Page, uid: str) -> None:
    await page.evaluate("(token) => document.querySelector('redress-chat').setAttribute('token', token)", token(uid))


async def sign_out(page: Page) -> None:
    await page.evaluate("document.querySelector('redress-chat').removeAttribute('token')")


async def uploads(store: Store) -> list[str]:
    """The sessions that have an upload at the desk."""
    return list(await store.read(lambda c: c.execute(select(Upload.conversation_key)).scalars().all()))


def count_of_posts(page: Page) -> list[Request]:
    posts: list[Request] = []
    page.on("request", lambda request: posts.append(request) if _creates(request) else None)
    return posts


def _creates(request: Request) -> bool:
    return request.method == "POST" and request.url.endswith("/chat/files")


async def test_a_guest_who_signs_in_sends_the_message_with_its_file(
    context: BrowserContext, files_store: Store, tmp_path: Path
) -> None:
    async with exchange(context, files_store, tmp_path) as (widget, desk):
        async with held(widget.page, CREATE):
            await widget.attach("passport.png", b"a passport")
            await widget.write("my passport")
            await sign_in(widget.page, "1")
            await expect(widget.tray).to_contain_text("passport.png")
            assert desk.chat.desk.inbox == []
        await expect(widget.kept).to_contain_text("passport.png")
        [message] = desk.chat.desk.inbox
        assert (message.account and message.account.uid, len(message.envelope["files"])) == ("1", 1)
        await sign_out(widget.page)
        await widget.write("I am the next guest")
        await expect(widget.texts()).to_have_text(["I am the next guest"])
        await expect(widget.tray).to_have_count(0)
        assert len(set(await uploads(files_store))) == 1


@pytest.mark.parametrize("complete", [True, False])
async def test_the_next_guest_meets_nothing_of_the_user_before(
    context: BrowserContext, files_store: Store, tmp_path: Path, complete: bool
) -> None:
    async with exchange(context, files_store, tmp_path) as (widget, _):
        async with held(widget.page, "**/nothing" if complete else PIECES):
            await widget.attach("passport.png", FILM)
            await expect(widget.ready if complete else widget.tray).to_have_count(1)
            await sign_in(widget.page, "1")
            await expect(widget.tray).to_have_count(1)
            await sign_out(widget.page)
            await expect(widget.tray).to_have_count(0)
        await widget.page.reload()
        await widget.open()
        await widget.write("I am the next guest")
        await expect(widget.texts()).to_have_text(["I am the next guest"])
        await expect(widget.tray).to_have_count(0)
        assert len(await uploads(files_store)) == 1
        await sign_in(widget.page, "1")
        await expect(widget.ready).to_contain_text("passport.png")


async def test_nothing_of_a_guest_enters_the_chat_of_a_user_who_has_one(
    context: BrowserContext, files_store: Store, tmp_path: Path
) -> None:
    async with exchange(context, files_store, tmp_path) as (widget, desk):
        await sign_in(widget.page, "1")
        await widget.write("I am one")
        await expect(widget.texts()).to_have_text(["I am one"])
        await sign_out(widget.page)
        await widget.write("I am a guest")
        await expect(widget.texts()).to_have_text(["I am a guest"])
        async with held(widget.page, CREATE):
            await widget.attach("passport.png", b"a passport")
            await widget.write("here is my passport")
            await sign_in(widget.page, "1")
            await expect(widget.texts()).to_have_text(["I am one"])
            await expect(widget.input).to_have_value("")
            await expect(widget.problem).to_be_empty()
            await expect(widget.tray).to_have_count(0)
        await widget.write("one again")
        await expect(widget.texts()).to_have_text(["I am one", "one again"])
        assert await uploads(files_store) == []
        await sign_out(widget.page)
        await expect(widget.ready).to_contain_text("passport.png")
        [session] = await uploads(files_store)
        assert session == desk.chat.desk.inbox[1].conversation_key


async def test_who_was_there_and_what_was_seen_is_not_told_to_another_user(
    context: BrowserContext, files_store: Store, tmp_path: Path
) -> None:
    async with exchange(context, files_store, tmp_path) as (widget, desk):
        await sign_in(widget.page, "1")
        await widget.write("hello")
        await expect(widget.state).to_have_text("Received")
        key = desk.chat.desk.inbox[0].conversation_key
        desk.chat.desk.attention.change(key, owner=Holder.AGENT, name="Anna", here=True, seen=9)
        await expect(widget.who).to_have_text("Anna is here.")
        await widget.input.fill("a secret of one")
        await context.set_offline(True)  # the new user's own state does not come and hide what stayed
        await sign_in(widget.page, "2")
        await expect(widget.who).to_be_empty()
        await expect(widget.input).to_have_value("")
        await context.set_offline(False)
        await widget.write("I am two")
        await expect(widget.state).to_have_text("Received")


async def test_a_file_of_a_session_that_is_over_is_not_sent_anew(context: BrowserContext, desk: FileDesk) -> None:
    widget = await open_page(context, desk)
    async with held(widget.page, PIECES):
        await widget.attach("passport.png", FILM)
        await expect(widget.tray).to_have_count(1)
        await widget.page.wait_for_function(KEPT_FILES)
        await widget.page.evaluate(
            """for (const key of Object.keys(localStorage).filter((key) => key.endsWith(":session")))
                 localStorage.removeItem(key)"""
        )
        posts = count_of_posts(widget.page)
        await widget.page.reload()
        await widget.write("I am somebody else")
        await expect(widget.texts()).to_have_text(["I am somebody else"])
        await expect(widget.tray).to_have_count(0)
    assert posts == []
    assert await widget.page.evaluate(KEPT_FILES) == 0


async def test_forgetting_forgets_the_files_here_and_at_the_desk(
    context: BrowserContext, desk: FileDesk, files_store: Store
) -> None:
    widget = await open_page(context, desk)
    await widget.attach("whole.png", b"abc")
    await expect(widget.ready).to_have_count(1)

    async def break_the_line(route: Route) -> None:
        await (route.abort() if route.request.method == "PATCH" else route.continue_())

    await widget.page.route(PIECES, break_the_line)
    await widget.attach("half.png", FILM)
    await until(lambda: len(list(desk.uploads.iterdir())) == 1)
    async with asyncio.timeout(PATIENCE_SECONDS):
        while len(await uploads(files_store)) < 2:
            await asyncio.sleep(0.05)
    posts = count_of_posts(widget.page)
    await widget.page.evaluate("document.querySelector('redress-chat').forget()")
    assert await widget.page.evaluate(KEPT_FILES) == 0
    await expect(widget.tray).to_have_count(0)
    async with asyncio.timeout(PATIENCE_SECONDS):
        while await uploads(files_store):
            await asyncio.sleep(0.05)
    await widget.page.unroute(PIECES, break_the_line)
    await widget.write("anew")
    await expect(widget.texts()).to_have_text(["anew"])
    assert posts == []
    assert list(desk.uploads.iterdir()) == []


async def until(holds: Any) -> None:
    async with asyncio.timeout(PATIENCE_SECONDS):
        while not holds():
            await asyncio.sleep(0.05)


async def test_each_tab_has_its_own_files(context: BrowserContext, desk: FileDesk) -> None:
    one = await open_page(context, desk)
    await one.attach("of one.png", b"abc")
    await expect(one.ready).to_have_count(1)
    two = await open_page(context, desk)
    await two.write("from two")
    await expect(two.texts()).to_have_text(["from two"])
    await expect(two.tray).to_have_count(0)
    await one.page.reload()
    await expect(one.ready).to_contain_text("of one.png")
    await two.page.reload()
    await expect(two.texts()).to_have_text(["from two"])
    await expect(two.tray).to_have_count(0)
    await one.page.close()
    three = await open_page(context, desk)
    await expect(three.ready).to_contain_text("of one.png")
    await three.write("from three")
    await expect(three.kept).to_have_count(1)
    four = await open_page(context, desk)
    await expect(four.texts()).to_have_text(["from two", "from three"])
    await expect(four.tray).to_have_count(0)


async def test_without_locks_a_tab_keeps_to_its_own_files(context: BrowserContext, desk: FileDesk) -> None:
    """On a plain http page the browser has none."""
    await context.add_init_script("delete Navigator.prototype.locks")
    one = await open_page(context, desk)
    await one.attach("of one.png", b"abc")
    await expect(one.ready).to_have_count(1)
    await one.page.reload()
    await expect(one.ready).to_contain_text("of one.png")
    two = await open_page(context, desk)
    await two.write("from two")
    await expect(two.texts()).to_have_text(["from two"])
    await expect(two.tray).to_have_count(0)
    await one.write("from one")
    await expect(one.kept).to_have_count(1)


async def test_a_refused_message_gives_its_files_back(context: BrowserContext, desk: FileDesk) -> None:
    widget = await open_page(context, desk)
    for name in ("lost.png", "kept.png"):
        await widget.attach(name, name.encode())
    await expect(widget.ready).to_have_count(2)
    lost = next(file for file in desk.uploads.iterdir() if file.read_bytes() == b"lost.png")
    lost.unlink()
    await widget.write("two files")
    await expect(widget.problem).to_contain_text("not here any more")
    await expect(widget.input).to_have_value("two files")
    await expect(widget.ready).to_have_count(2)
    await widget.input.press("Enter")
    await expect(widget.kept).to_have_count(2)
    await expect(widget.tray).to_have_count(0)
    [message] = desk.chat.desk.inbox
    kept = {file["name"]: desk.evidence.get(file["sha256"]) for file in message.envelope["files"]}
    assert kept == {"lost.png": b"lost.png", "kept.png": b"kept.png"}


async def test_a_refused_message_gives_its_files_back_after_a_reload(context: BrowserContext, desk: FileDesk) -> None:
    """What the page does not have any more is said, and the rest is ready."""
    line = {"works": False}

    def connect(socket: WebSocketRoute) -> None:
        if line["works"]:
            socket.connect_to_server()

    await context.route_web_socket("**/chat/ws", connect)
    widget = await open_page(context, desk)
    for name in ("lost.png", "kept.png"):
        await widget.attach(name, name.encode())
    await expect(widget.ready).to_have_count(2)
    await widget.write("two files")
    await expect(widget.tray).to_have_count(0)
    next(file for file in desk.uploads.iterdir() if file.read_bytes() == b"lost.png").unlink()
    line["works"] = True
    await widget.page.reload()
    await expect(widget.problem).to_contain_text("not here any more")
    await expect(widget.input).to_have_value("two files")
    await expect(widget.ready).to_contain_text("kept.png")
    await expect(widget.tray.filter(has_text="lost.png")).to_contain_text("attach it again")


async def test_the_files_of_a_message_that_is_on_its_way_are_not_in_the_tray(
    context: BrowserContext, desk: FileDesk
) -> None:
    widget = await open_page(context, desk)
    await widget.attach("a.png", b"abc")
    await expect(widget.ready).to_have_count(1)
    desk.chat.desk.held = asyncio.Event()
    await widget.write("with a file")
    await widget.page.reload()
    await expect(widget.page.locator(".item .text")).to_have_text(["with a file"])
    await expect(widget.tray).to_have_count(0)
    desk.chat.desk.held.set()
    await expect(widget.kept).to_have_count(1)
    await widget.page.wait_for_function(f"async () => await ({KEPT_FILES})() === 0")
    await widget.page.reload()
    await expect(widget.kept).to_have_count(1)
    await expect(widget.tray).to_have_count(0)
    assert len(desk.chat.desk.inbox) == 1
