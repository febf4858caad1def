"""The public page of a case: what the holder of the link sees, and that nobody else learns anything."""

from __future__ import annotations

from collections.abc import Callable

import httpx
import pytest
from sqlalchemy import update

from bot.store.store import Store
from bot.store.tables import Case
from escalation import cases, repository
from escalation.links import TrackingLinks
from escalation.numbers import new_number
from escalation.repository import CaseRow
from escalation.tracking import limit
from tests.conftest import MovedClock
from tests.console.world import Talk, Visitor, World, everything_stored, open_case, talk

PRIVATE = ("Chen Jie", "somebody@example.org", "1,200", "80021", "withdrawal", "提现")


async def case_of(world: World, language: str = "en") -> CaseRow:
    account = {"uid": "80021", "name": "Chen Jie", "proven_by": "app"}
    words = Talk(channel="mail", language=language, text="My withdrawal of 1,200 USDT 提现", account=account)
    return await open_case(world.store, await talk(world.store, world.clock(), words), world.clock())


def path_of(world: World, case: CaseRow) -> str:
    return world.desk.links.path(case.number, case.link_version)


async def page_of(world: World, case: CaseRow, **headers: str) -> httpx.Response:
    async with world.visitor() as visitor:
        return await visitor.get(path_of(world, case), **headers)


@pytest.mark.parametrize(
    ("language", "words"),
    [
        ("en", ("Received", "waiting for us", "23 Nov 2026, 09:00 UTC", "7 December 2026", "given its number")),
        ("zh-Hant", ("已受理", "等待我們處理", "2026年11月23日 09:00 UTC", "2026年12月7日", "已受理並編號")),
        ("zh", ("已受理", "等待我们处理", "2026年11月23日 09:00 UTC", "2026年12月7日", "已受理并编号")),
    ],
)
async def test_the_page_tells_stage_dates_and_timeline_in_the_language_of_the_case(
    world: World, language: str, words: tuple[str, ...]
) -> None:
    case = await case_of(world, language)
    page = await page_of(world, case)
    assert page.status_code == 200
    for each in (*words, case.number):
        assert each in page.text, each
    for secret in PRIVATE:
        assert secret not in page.text


async def test_the_language_can_be_chosen(world: World) -> None:
    case = await case_of(world, "en")
    async with world.visitor() as visitor:
        assert "已受理" in (await visitor.get(path_of(world, case) + "?lang=zh")).text
        assert "Received" in (await visitor.get(path_of(world, case) + "?lang=xx")).text


async def test_the_stage_follows_the_case(world: World, clock: MovedClock) -> None:
    case = await case_of(world)
    assert "Received" in (await page_of(world, case)).text
    clock.move(hours=1)
    await event(world, case, "taken_over")
    assert "In progress" in (await page_of(world, case)).text
    await event(world, case, "answered")
    await world.store.write(lambda c: repository.change(c, case.id, awaited="user"))
    answered = (await page_of(world, case)).text
    assert "Waiting for your reply" in answered
    assert "First answer by a person" in answered
    await world.store.write(lambda c: cases.resolve(c, case.id, "agent:1", clock()))
    resolved = (await page_of(world, case)).text
    assert "Resolved on" in resolved
    assert "Decision with reasons by" not in resolved


async def event(world: World, case: CaseRow, kind: str, *, public: bool = True) -> None:
    await world.store.write(
        lambda c: repository.add_event(c, case.id, kind, actor="agent:1", at=world.clock(), public=public)
    )


async def test_a_date_that_has_passed_is_admitted(world: World, clock: MovedClock) -> None:
    case = await case_of(world)
    clock.move(hours=25)
    assert (await page_of(world, case)).text.count("We are late") == 1
    clock.move(days=20)
    assert (await page_of(world, case)).text.count("We are late") == 2
    await event(world, case, "answered")
    assert (await page_of(world, case)).text.count("We are late") == 1


async def test_internal_events_do_not_appear_and_unknown_ones_are_neutral(world: World) -> None:
    case = await case_of(world)
    await event(world, case, "risk_flag_raised", public=False)
    await event(world, case, "seized_by_martians")
    page = (await page_of(world, case)).text
    assert "risk_flag" not in page
    assert "martians" not in page
    assert page.count("The case was updated.") == 1


async def test_headers_keep_the_link_private(world: World) -> None:
    headers = (await page_of(world, await case_of(world))).headers
    assert headers["referrer-policy"] == "no-referrer"
    assert headers["x-robots-tag"].startswith("noindex")
    assert headers["cache-control"] == "no-store"
    assert headers["x-frame-options"] == "DENY"
    assert "default-src 'none'" in headers["content-security-policy"]
    assert "set-cookie" not in headers


async def test_a_revoked_link_is_dead(world: World) -> None:
    case = await case_of(world)
    await world.store.write(lambda c: c.execute(update(Case).values(link_version=2)))
    assert (await page_of(world, case)).status_code == 404


async def test_a_number_is_understood_in_small_letters(world: World) -> None:
    case = await case_of(world)
    async with world.visitor() as visitor:
        answer = await visitor.get(path_of(world, case).replace(case.number, case.number.lower()))
    assert answer.status_code == 200


async def test_known_and_unknown_numbers_answer_the_same(world: World) -> None:
    case = await case_of(world)
    secret = path_of(world, case).rsplit("/", 1)[1]
    altered = ("a" if secret[0] != "a" else "b") + secret[1:]
    answers = set()
    async with world.visitor() as visitor:
        for path in (
            f"/track/{case.number}/{altered}",
            f"/track/{new_number()}/{secret}",
            "/track/x/%20",
            "/track/x/y",
        ):
            answer = await visitor.get(path)
            answers.add((answer.status_code, answer.content, comparable(answer)))
        assert len(answers) == 1
        assert answers.pop()[0] == 404
        hints = {(await visitor.get(path)).content for path in ("/track", f"/track/{case.number}", "/track/RD-NO")}
    assert len(hints) == 1
    assert "Use the link you received" in hints.pop().decode()


def comparable(answer: httpx.Response) -> frozenset[tuple[str, str]]:
    return frozenset((name, value) for name, value in answer.headers.items() if name != "date")


async def test_the_same_work_is_done_for_known_and_unknown(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """What takes equally long does equally much: as many look-ups and as many signatures, whatever was asked."""
    done: list[str] = []

    def counting[**P, T](name: str, does: Callable[P, T]) -> Callable[P, T]:
        def counted(*given: P.args, **named: P.kwargs) -> T:
            done.append(name)
            return does(*given, **named)

        return counted

    monkeypatch.setattr(Store, "read", counting("look-up", Store.read))
    monkeypatch.setattr(TrackingLinks, "valid", counting("signature", TrackingLinks.valid))
    case = await case_of(world)
    work = {}
    async with world.visitor() as visitor:
        for name, number in {"known": case.number, "unknown": new_number()}.items():
            done.clear()
            assert (await visitor.get(f"/track/{number}/{'a' * 26}")).status_code == 404
            work[name] = list(done)
    assert work["known"] == work["unknown"]
    assert "signature" in work["known"]


@pytest.mark.parametrize("secret", ["", "%00", "null", "a" * 5_000, "../../console", "%F0%9F%92%A9"])
async def test_odd_secrets_open_nothing(world: World, secret: str) -> None:
    case = await case_of(world)
    async with world.visitor() as visitor:
        answer = await visitor.get(f"/track/{case.number}/{secret}")
    assert answer.status_code in (303, 307, 404)
    assert case.number not in answer.text


async def test_guessing_is_stopped_after_ten_wrong_links(world: World, clock: MovedClock) -> None:
    case = await case_of(world)
    async with world.visitor() as visitor:
        for number in range(limit.PER_CLIENT):
            forged = {"x-forwarded-for": f"203.0.113.{number}"}
            assert (await visitor.get(f"/track/{case.number}/{number}", **forged)).status_code == 404
        stopped = await visitor.get(path_of(world, case), **{"x-forwarded-for": "203.0.113.99"})
        assert stopped.status_code == 429
        assert stopped.headers["retry-after"] == "600"
        assert "wait ten minutes" in stopped.text
        assert "请等待十分钟" in (await visitor.get(path_of(world, case) + "?lang=zh")).text
        assert (await visitor.get("/track")).status_code == 200
        clock.move(minutes=10, seconds=1)
        assert (await visitor.get(path_of(world, case))).status_code == 200


async def test_right_links_are_never_counted(world: World) -> None:
    case = await case_of(world)
    async with world.visitor() as visitor:
        for _ in range(limit.PER_CLIENT + 5):
            assert (await visitor.get(path_of(world, case))).status_code == 200


def test_one_provider_customer_is_one_place(clock: MovedClock) -> None:
    wrong = limit.WrongLinks(clock)
    for number in range(limit.PER_CLIENT):
        wrong.count(f"2001:db8:1:2::{number:x}")
    assert wrong.blocked("2001:db8:1:2:ffff::1")
    assert not wrong.blocked("2001:db8:1:3::1")
    assert not wrong.blocked("203.0.113.1")


async def test_when_everybody_guesses_right_links_still_open(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limit, "IN_TOTAL", 3)
    case = await case_of(world)
    async with world.visitor() as visitor:
        for _ in range(3):
            assert (await visitor.get("/track/a/b")).status_code == 404
        assert (await visitor.get("/track/a/b")).status_code == 429
        assert (await visitor.get(path_of(world, case))).status_code == 200


async def test_looking_changes_nothing(world: World) -> None:
    case = await case_of(world)
    before = await world.store.read(everything_stored)
    async with world.visitor() as visitor:
        for path in ("/track", f"/track/{case.number}", path_of(world, case), "/track/a/b"):
            await visitor.get(path)
            if path != "/track":  # there a lost link is asked for
                assert (await post(visitor, path)).status_code == 405
    assert await world.store.read(everything_stored) == before


async def post(visitor: Visitor, path: str) -> httpx.Response:
    return await visitor.client.post(path)
