"""The console and the tracking page in a real browser: accessibility, keyboard, and pages that change by themselves."""

from __future__ import annotations

from itertools import count
from pathlib import Path
from typing import Any

import pytest
from playwright.async_api import Browser, expect

from bot.hub import QUEUE, conversation_topic
from tests.browser import WIDTHS, LateAnswer, arrived, calm, needs_chromium, new_context, serious_faults
from tests.console.signing_in import sign_in
from tests.console.world import Talk, World, ask_for_person, attach, hear_in, open_case, say, talk

pytestmark = needs_chromium


async def a_desk_with_work(world: World, language: str) -> tuple[int, str]:
    """Three conversations; the first with everything that a page can show. Its id, and the tracking path."""
    at = world.clock()
    words = {"en": "My USDT withdrawal has been missing for 3 days!", "zh": "我的 USDT 提现三天了还没到账！"}
    account = {"uid": "80021", "name": "Chen Jie", "proven_by": "app"}
    first = await talk(world.store, at, Talk(channel="mail", language=language, text=words[language], account=account))
    await attach(world, first, "截图 screenshot.png", b"\x89PNG", "image/png")
    await say(world.store, first, "Let me look.", "sent", at)
    await say(world.store, first, "This never left.", "dropped", at)
    await say(world.store, first, "The mailbox refused this.", "failed", at)
    case = await open_case(world.store, first, at, severity="critical")
    entities = [{"kind": "amount", "value": "1,200 USDT"}, {"kind": "tx_hash", "value": "0x" + "ab" * 32}]
    await ask_for_person(
        world.store,
        first,
        at,
        reasons=["money_missing", "anger"],
        entities=entities,
        severity="critical",
        account=account,
    )
    second = await talk(world.store, at, Talk(text="Please let me talk to a person", language="en"))
    await ask_for_person(world.store, second, at)
    await talk(world.store, at, Talk(text="怎么完成身份认证？", language="zh"))
    return first, world.desk.links.path(case.number, case.link_version)


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("language", ["en", "zh"])
async def test_no_page_has_a_serious_accessibility_fault(
    world: World, browser: Browser, language: str, scheme: Any, tmp_path: Path
) -> None:
    first, tracking_path = await a_desk_with_work(world, language)
    context = await new_context(browser, language, color_scheme=scheme, bypass_csp=True)
    page = await context.new_page()
    complaints = calm(page)
    for width in WIDTHS.values():
        await page.set_viewport_size({"width": width, "height": 800})
        await page.goto(f"{world.url}/console/login")
        assert await serious_faults(page) == []
        assert await page.evaluate("document.documentElement.scrollWidth") <= width
    await sign_in(page, world, "li")
    for path in (
        "/console/?view=waiting",
        "/console/?view=resolved",
        f"/console/c/{first}",
        tracking_path,
        "/track/x/y",
    ):
        for name, width in WIDTHS.items():
            await page.set_viewport_size({"width": width, "height": 800})
            await page.goto(world.url + path)
            await page.screenshot(
                path=tmp_path / f"{path.replace('/', '_')[:30]}-{language}-{scheme}-{name}.png", full_page=True
            )
            assert await serious_faults(page) == [], path
            assert await page.evaluate("document.documentElement.scrollWidth") <= width, path
    assert [each for each in complaints if "404" not in each] == []
    await context.close()


async def test_an_open_page_follows_what_happens_and_keeps_what_is_typed(world: World, browser: Browser) -> None:
    conversation_id = await talk(world.store, world.clock())
    await ask_for_person(world.store, conversation_id, world.clock())
    context = await new_context(browser)
    page = await context.new_page()
    complaints = calm(page)
    await sign_in(page, world, "li")
    await expect(page).to_have_title("(1) Waiting · Demo Exchange")
    await page.keyboard.press("j")
    await page.keyboard.press("Enter")
    await arrived(page, f"**/console/c/{conversation_id}")
    await expect(page.locator("#reply-text")).to_be_disabled()
    await page.keyboard.press("t")
    await expect(page.locator("#reply-text")).to_be_enabled()
    await page.keyboard.press("r")
    await page.keyboard.type("Half a sentence, ")
    await world.store.write(lambda c: hear_in(c, conversation_id, "Are you there?", "en", world.clock()))
    world.desk.hub.publish(conversation_topic("webchat", f"key-{conversation_id}"))
    await expect(page.locator("#transcript")).to_contain_text("Are you there?")
    await expect(page.locator("#announce")).to_have_text("The conversation has something new.")
    await expect(page.locator("#reply-text")).to_be_focused()
    await page.keyboard.type("and the rest.")
    await page.reload()
    await expect(page.locator("#reply-text")).to_have_value("Half a sentence, and the rest.")
    await page.locator("#reply-text").press("Control+Enter")
    await expect(page.locator(".line-agent")).to_contain_text("Half a sentence, and the rest.")
    await expect(page.locator("#reply-text")).to_have_value("")
    await page.locator("#reply-text").fill("A second one.")
    await page.locator("#reply-text").press("Control+Enter")
    await expect(page.locator(".line-agent")).to_have_count(2)
    assert complaints == []
    await context.close()


async def test_an_answer_from_before_a_deed_does_not_undo_it(world: World, browser: Browser) -> None:
    """The page asked how things stand, the agent took over, and only then the answer came: nothing is taken away."""
    conversation_id = await talk(world.store, world.clock())
    await ask_for_person(world.store, conversation_id, world.clock())
    context = await new_context(browser)
    page = await context.new_page()
    await sign_in(page, world, "li")
    late = LateAnswer()
    await late.of(page, "**/parts")
    await page.goto(f"{world.url}/console/c/{conversation_id}")
    await late.asked.wait()
    await page.keyboard.press("t")
    await expect(page.locator("#resolve")).to_be_visible()
    await page.keyboard.press("r")
    await expect(page.locator("#reply-text")).to_be_focused()
    answers = count(1)
    async with page.expect_response(lambda one: one.url.endswith("/parts") and next(answers) == 2):
        late.released.set()
    await expect(page.locator("#reply-text")).to_be_focused()
    await expect(page.locator("#resolve")).to_be_visible()
    await context.close()


async def test_a_change_does_not_swallow_a_click_that_is_under_way(world: World, browser: Browser) -> None:
    """The page changes between the press and the release of a button: the button must still be there."""
    conversation_id = await talk(world.store, world.clock())
    await ask_for_person(world.store, conversation_id, world.clock())
    context = await new_context(browser)
    page = await context.new_page()
    await sign_in(page, world, "li")
    late = LateAnswer()
    await late.of(page, "**/parts")
    await page.goto(f"{world.url}/console/c/{conversation_id}")
    await late.asked.wait()
    await page.locator("#take").hover()
    await page.mouse.down()
    async with page.expect_response("**/parts") as response:
        late.released.set()
    await (await response.value).finished()
    await page.evaluate("new Promise((done) => requestAnimationFrame(() => setTimeout(done)))")
    await page.mouse.up()
    await expect(page.locator("#resolve")).to_be_visible()
    await context.close()


async def test_the_second_agent_is_warned_and_told_who_was_first(world: World, browser: Browser) -> None:
    conversation_id = await talk(world.store, world.clock())
    await ask_for_person(world.store, conversation_id, world.clock())
    pages = []
    for login in ("li", "ann"):
        context = await new_context(browser)
        pages.append(await context.new_page())
        await sign_in(pages[-1], world, login)
        await pages[-1].goto(f"{world.url}/console/c/{conversation_id}")
    li, ann = pages
    await expect(li.locator(".collision")).to_have_text("Also looking at this conversation: Ann Lee")
    await ann.route("**/parts", lambda route: route.abort())  # Ann's page has not heard yet
    await li.locator("#take").click()
    await expect(li.locator("#resolve")).to_be_visible()
    await ann.locator("#take").click()
    await expect(ann.locator("#alerts")).to_contain_text("Li Wei has already taken this conversation over.")


async def test_the_queue_changes_by_itself_in_chinese(world: World, browser: Browser) -> None:
    context = await new_context(browser, "zh")
    page = await context.new_page()
    complaints = calm(page)
    await sign_in(page, world, "li")
    await expect(page.locator(".empty")).to_have_text("目前没有人在等待人工。")
    conversation_id = await talk(world.store, world.clock(), Talk(text="我要人工", language="zh"))
    await ask_for_person(world.store, conversation_id, world.clock())
    world.desk.hub.publish(QUEUE)
    await expect(page.locator(".entry")).to_contain_text("我要人工")
    await page.keyboard.press("?")
    await expect(page.locator("#help")).to_be_visible()
    await page.locator("#keys-on").uncheck()
    await page.keyboard.press("Escape")
    await page.keyboard.press("j")
    await expect(page.locator(".entry")).not_to_be_focused()
    assert complaints == []
    await context.close()


@pytest.mark.parametrize(
    ("language", "tool", "label", "refusal"),
    [
        ("en", "Add to an existing case", "Case number", "There is no case with this number."),
        ("zh", "并入已有案件", "案件编号", "没有这个编号的案件"),
    ],
)
async def test_a_case_is_joined_from_the_page(
    world: World, browser: Browser, language: str, tool: str, label: str, refusal: str
) -> None:
    elsewhere = await talk(world.store, world.clock(), Talk(channel="mail"))
    case = await open_case(world.store, elsewhere, world.clock())
    conversation_id = await talk(world.store, world.clock())
    context = await new_context(browser, language, bypass_csp=True)
    page = await context.new_page()
    await sign_in(page, world, "li")
    await page.goto(f"{world.url}/console/c/{conversation_id}")
    await expect(page.locator("#join-tool")).to_be_hidden()
    await page.locator("#take").click()
    await page.locator("#join-tool summary").click()
    number = page.get_by_label(label)
    await number.fill("RD-33333-33333")
    assert await serious_faults(page) == []
    await page.get_by_role("button", name=tool).click()
    await expect(page.locator("#alerts")).to_contain_text(refusal)
    await expect(number).to_have_value("RD-33333-33333")
    await number.fill(case.number)
    await number.press("Enter")
    await expect(page.locator("#facts")).to_contain_text(case.number)
    await expect(page.locator("#alerts")).to_be_empty()
    await expect(number).to_have_value("")
    await context.close()


async def test_the_log_in_works_without_scripts(world: World, browser: Browser) -> None:
    conversation_id = await talk(world.store, world.clock())
    context = await new_context(browser, java_script_enabled=False)
    page = await context.new_page()
    await sign_in(page, world, "li")
    await page.goto(f"{world.url}/console/c/{conversation_id}")
    await page.locator("#take").click()
    await page.locator("#reply-text").fill("By hand.")
    await page.locator("#reply button").click()
    await expect(page.locator(".line-agent")).to_contain_text("By hand.")
    await context.close()
