"""The page of the knowledge gaps: for supervisors and administrators, with counts, and as a file."""

from __future__ import annotations

import csv
import io
from functools import partial

import pytest

from escalation.help import repository
from escalation.help.repository import Gap
from tests.conftest import MovedClock
from tests.console.world import World

FORMULA = "=HYPERLINK(1)"


async def note(world: World, clock: MovedClock, *gaps: Gap) -> None:
    for gap in gaps:
        clock.move(minutes=1)
        at = clock()
        await world.store.write(partial(repository.add_gap, gap=gap, at=at))


def gap(text: str, label: str | None, why: str = "far", article: str | None = "fees") -> Gap:
    return Gap(text=text, alike=text.lower(), language="en", why=why, label=label, article=article)


@pytest.fixture
async def gaps(world: World, clock: MovedClock) -> World:
    await note(
        world,
        clock,
        gap("What is a spread", "fees_limits"),
        gap("what is a spread", "fees_limits", "unhelped"),
        gap(FORMULA, None, "search", None),
    )
    return world


@pytest.mark.parametrize("login", ["sue", "root"])
async def test_questions_are_grouped_and_counted_newest_first(gaps: World, login: str) -> None:
    async with gaps.signed_in(login) as visitor:
        page = await visitor.get("/console/gaps")
        chinese = await visitor.get("/console/gaps?lang=zh")
    assert page.status_code == 200
    assert page.text.index("=HYPERLINK(1)") < page.text.index("what is a spread")
    assert "What is a spread" not in page.text
    assert '<td class="figure">2</td>' in page.text
    for word in ("Fees, limits", "the answer did not help", "the search found nothing", "/help/fees?lang=en"):
        assert word in page.text
    assert "知识缺口" in chinese.text


async def test_an_agent_neither_sees_the_page_nor_the_link_nor_the_file(gaps: World) -> None:
    async with gaps.signed_in("li") as visitor:
        for path in ("/console/gaps", "/console/gaps.csv"):
            refused = await visitor.get(path)
            assert refused.status_code == 403
            assert "for supervisors and administrators" in refused.text
        assert "/console/gaps" not in (await visitor.get("/console/")).text
    async with gaps.signed_in("sue") as visitor:
        assert "/console/gaps" in (await visitor.get("/console/")).text


async def test_the_file_holds_the_same_and_no_formula(gaps: World) -> None:
    async with gaps.signed_in("sue") as visitor:
        answer = await visitor.get("/console/gaps.csv")
    assert answer.headers["content-type"] == "text/csv; charset=utf-8"
    assert "attachment" in answer.headers["content-disposition"]
    assert answer.text.startswith("\ufeff")
    newest, counted = csv.DictReader(io.StringIO(answer.text.removeprefix("\ufeff")))
    assert newest["question"] == f"'{FORMULA}"
    assert (counted["times"], counted["class"], counted["why"], counted["article"]) == (
        "2",
        "fees_limits",
        "unhelped",
        "fees",
    )


async def test_without_gaps_the_page_says_so(world: World) -> None:
    async with world.signed_in("sue") as visitor:
        assert "No question has gone unanswered" in (await visitor.get("/console/gaps")).text


async def test_what_readers_say_is_shown(world: World, clock: MovedClock) -> None:
    for helped in (True, False, False):
        vote = partial(repository.add_vote, article="fees", language="en", at=clock(), helped=helped)
        await world.store.write(vote)
    async with world.signed_in("sue") as visitor:
        page = (await visitor.get("/console/gaps")).text
    assert '<td class="figure">2</td><td class="figure">1</td>' in page
