"""The widget in a real Chromium: chats, reloads, loses the network, comes back; keyboard, Chinese input, axe."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, Literal

import jwt
import pytest
import pytest_asyncio
from playwright.async_api import Browser, BrowserContext, expect

from channels.contract import Author
from tests.browser import needs_chromium, serious_faults
from tests.webchat.browser import Widget, site
from tests.webchat.desk import APP_SECRET, RunningChat, in_an_hour, not_stored, running_chat

pytestmark = [needs_chromium, pytest.mark.asyncio(loop_scope="module")]
expect.set_options(timeout=15_000)


@pytest_asyncio.fixture(loop_scope="module")
async def desk() -> AsyncIterator[RunningChat]:
    async with running_chat() as running:
        yield running


async def open_page(context: BrowserContext, chat: RunningChat, language: str = "en") -> Widget:
    page = await context.new_page()
    await page.goto(f"{chat.url}/chat?lang={language}")
    return Widget(page)


def session_of(chat: RunningChat) -> str:
    return chat.desk.inbox[0].conversation_key


@pytest.mark.parametrize(
    ("language", "question", "answer", "bot", "person"),
    [
        ("en", "Where is my withdrawal?", "Let me look.", "Automated assistant", "Talk to a person"),
        ("zh", "我的提现在哪里？", "我来查一下。", "智能助手", "转人工客服"),
        ("zh-TW", "我的提現在哪裡？", "我來查一下。", "智能助手", "轉人工客服"),
    ],
)
async def test_a_chat_in_each_language(
    context: BrowserContext, desk: RunningChat, language: str, question: str, answer: str, bot: str, person: str
) -> None:
    widget = await open_page(context, desk, language)
    await widget.write(question)
    await expect(widget.texts()).to_have_text([question])
    buttons = [("yes", "OK ✓"), ("no", "✗")]
    desk.desk.say(session_of(desk), answer, buttons=buttons)
    await expect(widget.texts()).to_have_text([question, answer])
    await expect(widget.page.locator(".item.bot .who")).to_contain_text(bot)
    await expect(widget.choices).to_have_text(["OK ✓", "✗"])
    await widget.choices.first.click()
    await expect(widget.texts()).to_have_text([question, answer, "OK ✓"])
    await expect(widget.choices).to_have_count(0)
    await widget.page.get_by_role("button", name=person).click()
    await expect(widget.texts()).to_have_count(4)
    read = [await desk.channel.read(message.raw, message.envelope) for message in desk.desk.inbox]
    assert [one.payload for one in read] == [None, "yes", "person"]


async def test_a_reload_shows_everything_once(context: BrowserContext, desk: RunningChat) -> None:
    widget = await open_page(context, desk)
    await widget.write("first")
    await expect(widget.texts()).to_have_text(["first"])
    desk.desk.say(session_of(desk), "an agent writes", Author.AGENT, "Mei")
    await widget.page.reload()
    await expect(widget.texts()).to_have_text(["first", "an agent writes"])
    await expect(widget.page.locator(".item.agent .who")).to_contain_text("Mei (Support agent)")
    await widget.write("second")
    await expect(widget.texts()).to_have_text(["first", "an agent writes", "second"])
    assert len(desk.desk.inbox) == 2


async def test_without_network_messages_wait_and_then_arrive_once(context: BrowserContext, desk: RunningChat) -> None:
    widget = await open_page(context, desk)
    await widget.write("before")
    await expect(widget.texts()).to_have_text(["before"])
    await context.set_offline(True)
    await expect(widget.status).to_contain_text("kept here")
    await widget.write("one while offline")
    await widget.write("two while offline")
    await expect(widget.page.locator(".item .state")).to_have_text(["Received", "Not sent yet", "Not sent yet"])
    desk.desk.say(session_of(desk), "answer meanwhile")
    await context.set_offline(False)
    said = ["before", "answer meanwhile", "one while offline", "two while offline"]
    await expect(widget.texts()).to_have_text(said)
    await expect(widget.status).to_be_empty()
    assert len(desk.desk.inbox) == 3
    await widget.page.reload()
    await expect(widget.texts()).to_have_text(said)


async def test_a_desk_that_dies_and_returns_loses_nothing(context: BrowserContext) -> None:
    async with running_chat() as first:
        widget = await open_page(context, first)
        await widget.write("before")
        await expect(widget.texts()).to_have_text(["before"])
    await expect(widget.status).not_to_be_empty()
    await widget.write("while the desk was down")
    first.desk.say(session_of(first), "answered while you were away")
    async with running_chat(desk=first.desk, port=first.port):
        said = ["before", "answered while you were away", "while the desk was down"]
        await expect(widget.texts()).to_have_text(said)
        assert len(first.desk.inbox) == 2


async def test_unsent_messages_survive_a_reload(context: BrowserContext) -> None:
    async with running_chat() as first:
        widget = await open_page(context, first)
        await widget.write("before")
        await expect(widget.texts()).to_have_text(["before"])
    await widget.write("kept")
    async with running_chat(desk=first.desk, port=first.port):
        await widget.page.reload()
        await expect(widget.texts()).to_have_text(["before", "kept"])
        await expect(widget.status).to_be_empty()
        assert len(first.desk.inbox) == 2
        assert await widget.page.evaluate("Object.keys(localStorage).filter((key) => key.includes('unsent'))") == []


async def test_a_message_that_was_not_saved_is_sent_again(context: BrowserContext, desk: RunningChat) -> None:
    widget = await open_page(context, desk, "zh")
    desk.desk.fail_next = [not_stored(1), not_stored(1)]
    await widget.write("请帮我")
    await expect(widget.problem).to_contain_text("暂未保存")
    await expect(widget.texts()).to_have_text(["请帮我"])
    await expect(widget.problem).to_be_empty()
    assert len(desk.desk.inbox) == 1


async def test_a_lost_conversation_starts_over(context: BrowserContext, desk: RunningChat) -> None:
    widget = await open_page(context, desk)
    for number in (1, 2):
        await widget.write(f"line {number}")
    await expect(widget.texts()).to_have_count(2)
    key = session_of(desk)
    desk.desk.lose(key)
    desk.desk.say(key, "from the backup")
    await context.set_offline(True)
    await context.set_offline(False)
    await expect(widget.texts()).to_have_text(["from the backup"])


async def test_a_session_the_desk_no_longer_accepts_is_replaced(context: BrowserContext, desk: RunningChat) -> None:
    widget = await open_page(context, desk)
    await widget.write("in the old session")
    await expect(widget.texts()).to_have_count(1)
    await widget.page.evaluate(
        """() => { for (const key of Object.keys(localStorage).filter((key) => key.endsWith(":session")))
             localStorage.setItem(key, JSON.stringify({session: "c1forged", secret: "x"})); }"""
    )
    await widget.page.reload()
    await expect(widget.problem).to_contain_text("This is a new one")
    await widget.write("in the new session")
    await expect(widget.texts()).to_have_text(["in the new session"])
    assert len({message.conversation_key for message in desk.desk.inbox}) == 2


async def test_two_tabs_show_one_conversation(context: BrowserContext, desk: RunningChat) -> None:
    one = await open_page(context, desk)
    await one.write("from one")
    await expect(one.texts()).to_have_text(["from one"])
    two = await open_page(context, desk)
    await expect(two.texts()).to_have_text(["from one"])
    await two.write("from two")
    for tab in (one, two):
        await expect(tab.texts()).to_have_text(["from one", "from two"])


async def test_chinese_input_is_not_sent_while_composing(context: BrowserContext, desk: RunningChat) -> None:
    widget = await open_page(context, desk, "zh")
    await widget.input.focus()
    devtools = await context.new_cdp_session(widget.page)
    await devtools.send("Input.imeSetComposition", {"text": "tixian", "selectionStart": 6, "selectionEnd": 6})
    # An input method takes the Enter that picks the word; the browser reports it with key code 229.
    enter: dict[str, Any] = {"key": "Enter", "code": "Enter", "windowsVirtualKeyCode": 229}
    await devtools.send("Input.dispatchKeyEvent", {"type": "rawKeyDown", **enter})
    await devtools.send("Input.dispatchKeyEvent", {"type": "keyUp", **enter})
    await expect(widget.input).to_have_value("tixian")
    await devtools.send("Input.insertText", {"text": "提现"})
    await expect(widget.input).to_have_value("提现")
    assert desk.desk.inbox == []
    await widget.input.press("Enter")
    await expect(widget.texts()).to_have_text(["提现"])


@asynccontextmanager
async def embedded(context: BrowserContext, attributes: str = "") -> AsyncIterator[tuple[Widget, RunningChat]]:
    """The widget on another site than the desk's."""
    async with site() as other, running_chat({"origins": [other.url]}) as chat:
        other.embed(chat.url, attributes)
        page = await context.new_page()
        await page.goto(other.url)
        yield Widget(page), chat


async def test_the_keyboard_is_enough(context: BrowserContext) -> None:
    async with embedded(context) as (widget, _):
        await expect(widget.launcher).to_have_attribute("aria-label", "Open the support chat")
        keyboard = widget.page.keyboard
        await keyboard.press("Tab")
        await keyboard.press("Enter")
        await expect(widget.input).to_be_focused()
        await keyboard.type("two")
        await keyboard.press("Shift+Enter")
        await keyboard.type("lines")
        await keyboard.press("Enter")
        await expect(widget.texts()).to_have_text(["two\nlines"])
        await keyboard.press("Escape")
        await expect(widget.panel).to_be_hidden()
        await expect(widget.launcher).to_be_focused()


async def test_what_came_while_the_chat_was_closed_is_counted(context: BrowserContext) -> None:
    async with embedded(context) as (widget, chat):
        await widget.open()
        await widget.write("hello")
        await expect(widget.texts()).to_have_count(1)
        await widget.page.keyboard.press("Escape")
        chat.desk.say(session_of(chat), "one")
        chat.desk.say(session_of(chat), "two")
        await expect(widget.launcher).to_have_attribute("aria-label", "Open the support chat, 2 new")
        await widget.page.reload()
        await expect(widget.launcher).to_have_text("2")
        await widget.open()
        await expect(widget.texts()).to_have_text(["hello", "one", "two"])
        await widget.page.keyboard.press("Escape")
        await expect(widget.launcher).to_have_text("")


async def test_a_visitor_who_does_not_open_the_chat_costs_nothing(context: BrowserContext) -> None:
    requests: list[str] = []
    context.on("request", lambda request: requests.append(request.url))
    async with embedded(context) as (widget, _):
        await expect(widget.launcher).to_be_visible()
        assert not [url for url in requests if "/chat/" in url]


async def test_a_site_that_is_not_listed_gets_no_chat(context: BrowserContext, desk: RunningChat) -> None:
    async with site() as stranger:
        stranger.embed(desk.url)
        page = await context.new_page()
        async with page.expect_console_message(lambda message: "could not be loaded" in message.text):
            await page.goto(stranger.url)
        await expect(Widget(page).launcher).to_have_count(0)


async def test_the_language_can_be_switched_and_stays(context: BrowserContext) -> None:
    async with embedded(context, 'lang="en"') as (widget, chat):
        await widget.open()
        await widget.page.get_by_role("button", name="中文").click()
        await expect(widget.panel).to_have_attribute("lang", "zh-CN")
        await expect(widget.page.get_by_role("button", name="转人工客服")).to_be_visible()
        await widget.page.reload()
        await widget.open()
        await expect(widget.page.get_by_role("heading", name="在线客服")).to_be_visible()
        await widget.write("你好")
        await expect(widget.texts()).to_have_text(["你好"])
        assert chat.desk.inbox[0].language == "zh"


def token(uid: str) -> str:
    return jwt.encode({"sub": uid, "aud": "redress", "exp": in_an_hour()}, APP_SECRET, "HS256")


async def test_another_user_of_the_same_browser_sees_another_chat(context: BrowserContext) -> None:
    async with embedded(context, f'token="{token("1")}"') as (widget, chat):
        await widget.open()
        await widget.write("I am one")
        await expect(widget.texts()).to_have_text(["I am one"])
        sign_in = "(token) => document.querySelector('redress-chat').setAttribute('token', token)"
        await widget.page.evaluate(sign_in, token("2"))
        await expect(widget.texts()).to_have_count(0)
        await widget.write("I am two")
        await expect(widget.texts()).to_have_text(["I am two"])
        await widget.page.evaluate(sign_in, token("1"))
        await expect(widget.texts()).to_have_text(["I am one"])
        assert [message.account and message.account.uid for message in chat.desk.inbox] == ["1", "2"]
        await widget.page.evaluate("document.querySelector('redress-chat').forget()")
        await expect(widget.texts()).to_have_count(0)


async def test_a_guest_who_signs_in_keeps_the_chat(context: BrowserContext) -> None:
    async with embedded(context) as (widget, chat):
        await widget.open()
        await widget.write("as a guest")
        await expect(widget.texts()).to_have_text(["as a guest"])
        await widget.page.evaluate(
            "(token) => document.querySelector('redress-chat').setAttribute('token', token)", token("1")
        )
        await widget.write("signed in")
        await expect(widget.texts()).to_have_text(["as a guest", "signed in"])
        assert len({message.conversation_key for message in chat.desk.inbox}) == 1
        assert chat.desk.inbox[1].account is not None
        await widget.page.evaluate("document.querySelector('redress-chat').removeAttribute('token')")
        await expect(widget.texts()).to_have_count(0)


async def test_an_expired_token_is_told_to_the_page(context: BrowserContext) -> None:
    old = jwt.encode({"sub": "1", "aud": "redress", "exp": 1_600_000_000}, APP_SECRET, "HS256")
    async with embedded(context, f'token="{old}"') as (widget, _):
        told = "new Promise((done) => document.addEventListener('redress-token-expired', () => done(true)))"
        waiting = asyncio.ensure_future(widget.page.evaluate(told))
        await widget.open()
        assert await waiting is True
        await expect(widget.problem).to_contain_text("sign-in has expired")


async def test_a_text_that_is_too_long_stays_in_the_input(context: BrowserContext, desk: RunningChat) -> None:
    widget = await open_page(context, desk, "zh")
    await widget.write("字" * 4005)
    await expect(widget.problem).to_have_text("超出 5 个字符，请分成几条发送。")
    await expect(widget.input).to_have_value("字" * 4005)
    await widget.input.fill("字" * 4000)
    await widget.input.press("Enter")
    await expect(widget.texts()).to_have_count(1)
    assert len(desk.desk.inbox) == 1


async def test_nothing_that_is_said_becomes_code(context: BrowserContext, desk: RunningChat) -> None:
    widget = await open_page(context, desk)
    payload = "<img src=x onerror=\"document.title='broken'\"><script>document.title='broken'</script>"
    await widget.write(payload)
    await expect(widget.texts()).to_have_text([payload])
    own = f"{desk.url}/track/RD-1/abc"
    bad = "javascript:alert(1) https://evil.example/a data:text/html,x"
    desk.desk.say(session_of(desk), f"{payload} See {own}. {bad}", name=payload, buttons=[("yes", payload)])
    links = widget.log.get_by_role("link")
    await expect(links).to_have_text([own])
    await expect(links).to_have_attribute("rel", "noopener noreferrer")
    await expect(widget.choices).to_have_text([payload])
    assert "broken" not in await widget.page.title()


@pytest.mark.parametrize("language", ["en", "zh"])
async def test_the_widget_fits_a_small_phone(browser: Browser, language: str) -> None:
    phone = await browser.new_context(viewport={"width": 320, "height": 568}, has_touch=True)
    async with embedded(phone, f'lang="{language}"') as (widget, chat):
        await widget.open()
        await widget.input.fill("x" * 200)
        await widget.page.locator("[type=submit]").click()
        await expect(widget.texts()).to_have_count(1)
        chat.desk.say(session_of(chat), "y", buttons=[("yes", "很长的选项" * 7), ("no", "A long choice " * 7)])
        await expect(widget.choices).to_have_count(2)
        await expect(widget.texts().last).to_be_in_viewport(ratio=1)
        box = await widget.panel.bounding_box()
        assert box == {"x": 0, "y": 0, "width": 320, "height": 568}
        for part in (widget.input, widget.page.locator(".person"), widget.log):
            inside = await part.bounding_box()
            assert inside is not None
            assert inside["x"] >= 0
            assert inside["x"] + inside["width"] <= 320
            assert inside["y"] + inside["height"] <= 568
        overflow = "[document.scrollingElement, this].map((e) => e.scrollWidth - e.clientWidth)"
        assert await widget.log.evaluate(f"function (log) {{ return {overflow.replace('this', 'log')} }}") == [0, 0]
    await phone.close()


@pytest.mark.parametrize("language", ["en", "zh"])
@pytest.mark.parametrize("scheme", ["light", "dark"])
async def test_axe_finds_no_serious_fault(browser: Browser, language: str, scheme: Literal["light", "dark"]) -> None:
    context = await browser.new_context(color_scheme=scheme, bypass_csp=True)
    async with embedded(context, f'lang="{language}"') as (widget, chat):
        await widget.open()
        await widget.write("投诉 complaint")
        await expect(widget.texts()).to_have_count(1)
        chat.desk.say(session_of(chat), f"{chat.url}/track/1/2", Author.AGENT, "Mei")
        chat.desk.say(session_of(chat), "?", buttons=[("yes", "Yes"), ("no", "否")])
        await expect(widget.choices).to_have_count(2)
        assert await serious_faults(widget.page) == []
        await widget.page.goto(f"{chat.url}/chat?lang={language}")
        await expect(widget.input).to_be_visible()
        await context.set_offline(True)
        await expect(widget.status).not_to_be_empty()
        assert await serious_faults(widget.page) == []
    await context.close()
