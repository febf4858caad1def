"""The page of the broadcasts: by role, from the draft over the dry run to the results."""

from __future__ import annotations

import pytest
from playwright.async_api import Browser, Page
from sqlalchemy import Connection, select

from bot.repository import timers
from bot.repository.timers import TimerRow
from bot.store.broadcast_tables import Broadcast
from bot.wording import load
from escalation.broadcast import routes as public
from escalation.broadcast import subscribing
from escalation.broadcast.links import SubscriptionLinks
from escalation.broadcast.policy import Rules
from escalation.broadcast.repository.subscriptions import Proof
from escalation.broadcast.sending import SendBroadcast
from tests.browser import WIDTHS, calm, needs_chromium, new_context, serious_faults
from tests.console.signing_in import sign_in
from tests.console.world import World, broadcasting

FIELDS = {
    "kind": "risk",
    "title_en": "Fake apps",
    "title_zh": "假冒应用",
    "text_en": "Only install <b>our</b> app.\n\nFrom its store.",
    "text_zh": "请只安装我们的应用。",
    "starts_at": "",
    "shown_until": "",
}


async def subscribers(world: World) -> None:
    def write(connection: Connection) -> None:
        proof = Proof(how="link", origin="192.0.2.1")
        for channel, address, language in (
            ("mail", "li@user.example", "zh"),
            ("telegram", "=77", "en"),
            ("mail", "mei@user.example", "zh-Hant"),
        ):
            subscribing.subscribe(connection, channel, address, language, proof, world.clock())

    await world.store.write(write)


async def ring(world: World) -> None:
    words = load(public.WORDING, public.HERE.parents[1] / "bot" / "wording")
    links = SubscriptionLinks(b"k" * 32, world.url)
    send = SendBroadcast(words=words, links=links, rules=Rules(time_zone="UTC"), channels=broadcasting)

    def rung(connection: Connection) -> None:
        due: list[TimerRow] = list(timers.due(connection, world.clock(), 10))
        assert [timer.kind for timer in due] == ["broadcast"]
        assert timers.take(connection, due[0])
        send(connection, due[0], world.clock())

    await world.store.write(rung)


async def states(world: World) -> list[str]:
    return await world.store.read(lambda c: list(c.execute(select(Broadcast.state)).scalars()))


@pytest.mark.parametrize("login", ["sue", "root"])
async def test_from_draft_to_results(world: World, login: str) -> None:
    await subscribers(world)
    async with world.signed_in(login) as visitor:
        kept = await visitor.post("/console/broadcasts", FIELDS)
        page = kept.headers["location"]
        draft = (await visitor.get(page)).text
        assert "Dry run" in draft
        assert "Chinese (Traditional)" in draft
        assert "&lt;b&gt;our&lt;/b&gt;" in draft
        changed = await visitor.post(page, {**FIELDS, "title_en": "Fake apps again"})
        assert changed.headers["location"] == page
        assert (await visitor.post(f"{page}/start")).status_code == 303
        assert await states(world) == ["planned"]
        assert (await visitor.post(page, FIELDS)).status_code == 409
        assert (await visitor.post(f"{page}/start")).status_code == 409
        await ring(world)
        shown = (await visitor.get(page)).text
        assert "Fake apps again" in shown
        assert "about to be sent" in shown
        file = await visitor.get(f"{page}/results.csv")
        lines = file.text.lstrip("\ufeff").splitlines()
        assert lines[0] == "channel,language,address,state,reason,due_at,sent_at"
        assert [line.split(",")[:4] for line in lines[1:]] == [
            ["mail", "zh", "li@user.example", "new"],
            ["telegram", "en", "'=77", "new"],
            ["mail", "zh-Hant", "mei@user.example", "new"],
        ]
        assert (await visitor.post(f"{page}/stop")).status_code == 303
        assert (await visitor.get(f"{page}/results.csv")).text.count(",dropped,stopped,") == 3
    assert await states(world) == ["stopped"]


async def test_an_agent_may_neither_see_nor_do_any_of_it(world: World) -> None:
    async with world.signed_in("sue") as sue:
        page = (await sue.post("/console/broadcasts", FIELDS)).headers["location"]
    async with world.signed_in("li") as visitor:
        assert "/console/broadcasts" not in (await visitor.get("/console/")).text
        for path in ("/console/broadcasts", page, f"{page}/results.csv"):
            assert (await visitor.get(path)).status_code == 403
        for path in ("/console/broadcasts", page, f"{page}/start", f"{page}/stop"):
            assert (await visitor.post(path, FIELDS)).status_code == 403
    assert await states(world) == ["draft"]


async def test_what_is_wrong_is_said_and_what_was_typed_stays(world: World) -> None:
    async with world.signed_in("sue") as visitor:
        wrong = {**FIELDS, "title_zh": " ", "text_en": "Stays here"}
        answer = await visitor.post("/console/broadcasts", wrong)
        assert answer.status_code == 422
        assert "The Chinese title is missing." in answer.text
        assert "Stays here" in answer.text
        page = (await visitor.post("/console/broadcasts", FIELDS)).headers["location"]
        again = await visitor.post(page, wrong)
        assert f'action="{page}"' in again.text
        for name, value in (("starts_at", "soon"), ("shown_until", "2026-01-01T00:00")):
            assert (await visitor.post(page, {**FIELDS, name: value})).status_code == 422
        assert (await visitor.get("/console/broadcasts/999")).status_code == 404
    assert await states(world) == ["draft"]


@needs_chromium
@pytest.mark.parametrize("language", ["en", "zh"])
async def test_the_pages_are_accessible_and_fit(world: World, browser: Browser, language: str) -> None:
    await subscribers(world)
    context = await new_context(browser, language)
    page = await context.new_page()
    complaints = calm(page)
    await sign_in(page, world, "sue")
    await page.goto(f"{world.url}/console/broadcasts")
    await whole(page)
    for name in ("title_en", "title_zh", "text_en", "text_zh"):
        await page.locator(f"[name={name}]").fill(FIELDS[name])
    await page.locator("[name=kind][value=risk]").check()
    await page.locator("form.stack button").click()
    await page.wait_for_url("**/broadcasts/1")
    await whole(page)
    await page.locator("form[action$=start] button").click()
    await ring(world)
    await page.reload()
    await whole(page)
    assert await page.locator("[action$=stop] button").count() == 1
    assert complaints == []
    await context.close()


async def whole(page: Page) -> None:
    for width in WIDTHS.values():
        await page.set_viewport_size({"width": width, "height": 800})
        assert await serious_faults(page) == []
        assert await page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
