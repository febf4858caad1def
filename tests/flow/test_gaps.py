"""A question that no article answers is noted in the commit of its turn, masked, on both databases."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from functools import partial

import pytest

from actions.commands import Answer, Command, HandIfSilent, HandToPerson, OpenCase, Say
from bot.gaps import Gaps
from bot.store.store import Store
from escalation.help import repository
from escalation.help.repository import Gap, GapGroup, Votes
from tests.conftest import MovedClock
from tests.fakes.rasa import FakeRasa
from tests.flow.conftest import ANNA, Road

UID = "88231201"
ASKED = f"Why is the fee so high? My UID is {UID}"
UNHELPED = ("answer_did_not_help",)


class FewArticles:
    """Only texts with "withdraw" in them are answered well."""

    def is_far(self, article: str, text: str, language: str) -> bool:
        return "withdraw" not in text

    def class_of(self, article: str) -> str:
        return {"fees": "fees_limits"}.get(article, "withdrawal_issue")


@pytest.fixture
def noting(road: Road) -> Road:
    gaps = Gaps(FewArticles(), road.clock)
    road.turner = replace(road.turner, finish=replace(road.turner.finish, gaps=gaps))
    return road


async def noted(road: Road) -> Sequence[GapGroup]:
    return await road.store.read(lambda connection: repository.gap_groups(connection, 10))


def answers(rasa: FakeRasa, *commands: Command) -> None:
    rasa.answer = lambda _body: commands


async def test_an_article_that_is_no_good_answer_is_a_gap(noting: Road, rasa: FakeRasa) -> None:
    answers(rasa, Answer(article="fees"), Say(key="did_this_help"))
    await noting.say(ASKED)
    (gap,) = await noted(noting)
    assert (gap.text, gap.label, gap.article, gap.why, gap.language) == (
        "Why is the fee so high? My UID is [uid]",
        "fees_limits",
        "fees",
        "far",
        "en",
    )
    assert await noting.outcomes() == ["answered"]


async def test_a_good_answer_is_none(noting: Road, rasa: FakeRasa) -> None:
    answers(rasa, Answer(article="withdrawal_pending"))
    await noting.say("where is my withdrawal")
    assert await noted(noting) == []


async def test_what_a_person_gets_is_none(noting: Road, rasa: FakeRasa) -> None:
    """The article says what to do meanwhile; it was never meant to settle the matter."""
    answers(rasa, Answer(article="fees"), OpenCase(label="fees_limits"), HandToPerson())
    await noting.say(ASKED)
    assert await noted(noting) == []


@pytest.mark.parametrize("command", [HandToPerson, HandIfSilent])
async def test_an_answer_that_did_not_help_is_a_gap_with_the_words_that_asked(
    noting: Road, rasa: FakeRasa, command: type[HandToPerson | HandIfSilent]
) -> None:
    answers(rasa, Answer(article="withdrawal_pending"))
    asked = await noting.receive("我的提现 withdraw 到哪了？邮箱 a@b.example")
    await noting.settle()
    brief = {"began": asked.inbox_id, "answers": ["article:fees", "article:withdrawal_pending"]}
    opened = OpenCase(label="withdrawal_issue", reasons=UNHELPED)
    answers(rasa, opened, command(reasons=UNHELPED, brief=brief))
    await noting.say("没有用")
    (gap,) = await noted(noting)
    assert (gap.text, gap.why, gap.article, gap.label) == (
        "我的提现 withdraw 到哪了？邮箱 [email]",
        "unhelped",
        "withdrawal_pending",
        "withdrawal_issue",
    )


async def test_records_that_did_not_help_are_no_gap_of_the_articles(noting: Road, rasa: FakeRasa) -> None:
    brief = {"answers": ["article:withdrawal_pending", "records:withdrawal_in_review"]}
    answers(rasa, OpenCase(label="withdrawal_issue", reasons=UNHELPED), HandToPerson(brief=brief))
    await noting.say("no")
    assert await noted(noting) == []


async def test_nothing_is_noted_of_a_turn_that_lost_the_race(noting: Road, rasa: FakeRasa) -> None:
    answers(rasa, Answer(article="fees"))
    accepted = await noting.receive(ASKED)
    rasa.mode = "hang"
    turning = asyncio.create_task(noting.turn())
    await asyncio.wait_for(rasa.asked.wait(), 5)
    await noting.handling.take_over(ANNA, accepted.conversation_id)
    rasa.mode = "well"
    rasa.released.set()
    await turning
    assert await noted(noting) == []


async def test_equal_questions_are_one_group_counted_newest_first(store: Store, clock: MovedClock) -> None:
    def gap(text: str, alike: str) -> Gap:
        return Gap(text=text, alike=alike, language="en", why="search")

    for text, alike in (("One?", "1"), ("Two", "2"), ("one", "1"), ("x" * 1000, "3")):
        clock.move(minutes=1)
        at = clock()
        made = gap(text, alike)
        await store.write(partial(repository.add_gap, gap=made, at=at))
    groups = await store.read(lambda connection: repository.gap_groups(connection, 2))
    assert [(group.text[:3], group.times) for group in groups] == [("xxx", 1), ("one", 2)]
    assert len(groups[0].text) == repository.LONGEST_TEXT
    assert groups[1].last_at - groups[1].first_at == 2 * (groups[0].last_at - groups[1].last_at)
    assert await store.read(repository.count_groups) == 3


async def test_votes_are_counted_by_article(store: Store, clock: MovedClock) -> None:
    for article, helped in (("fees", True), ("fees", False), ("limits", True)):
        vote = partial(repository.add_vote, article=article, language="en", at=clock(), helped=helped)
        await store.write(vote)
    assert await store.read(repository.votes) == [
        Votes(article="fees", helped=1, unhelped=1),
        Votes(article="limits", helped=1, unhelped=0),
    ]
