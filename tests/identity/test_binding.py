"""One person in several places: what binds conversations, what does not, and what follows for their cases."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from actions.commands import Command, OpenCase, Say
from bot.store.binding_tables import Invitation
from bot.store.store import Store
from bot.store.tables import Conversation
from channels.contract import Account
from tests.conftest import MovedClock
from tests.fakes.rasa import FakeRasa
from tests.fakes.web import serving
from tests.flow.conftest import ANNA
from tests.identity.bound import TOKEN, BoundRoad

EMMA = Account(uid="10001", name="Emma", proven_by="app token", email="emma@exchange.example")
BO = Account(uid="10002", name="Bo", proven_by="app token", email="bo@exchange.example")
STUCK = "My withdrawal is stuck"


def propose(body: dict[str, Any]) -> Sequence[Command]:
    """A complaint opens a case; anything else is greeted."""
    return (OpenCase(label="withdrawal_issue"),) if "stuck" in body["text"] else (Say(key="greeting"),)


@pytest.fixture
async def rasa() -> FakeRasa:
    return FakeRasa(propose)


@pytest.fixture
async def road(store: Store, clock: MovedClock, rasa: FakeRasa, tmp_path: Path) -> AsyncIterator[BoundRoad]:
    async with serving(rasa.app) as url:
        made = BoundRoad(store, clock, url, tmp_path)
        await made.employ()
        yield made
        rasa.released.set()
        await made.rasa.close()


async def test_a_private_link_makes_two_conversations_one_person_with_one_case(road: BoundRoad) -> None:
    await road.write("box", STUCK)
    assert await road.follow(await road.invite("box"), "ann")
    [number] = await road.cases()
    assert number in (await road.said("chat"))[-1]
    assert "E-mail" in (await road.said("chat"))[-1]
    assert "live chat" in (await road.said("box"))[-1]
    assert await road.case_of("chat") == await road.case_of("box") is not None
    assert "bound" in await road.notes("chat")
    assert "bound" in await road.notes("box")
    [joined] = await road.write("chat", "It is still stuck")
    assert number in joined
    assert len(await road.cases()) == 1


async def test_looking_at_a_link_uses_nothing_and_following_it_works_once(road: BoundRoad) -> None:
    await road.write("box", STUCK)
    token, chat = await road.invite("box"), road.ways.of_channel("chat")
    for _ in range(3):
        seen = await chat.look(token, "en")
        assert seen is not None
        assert (seen.title, seen.public) == ("E-mail", False)
    assert await road.follow(token, "ann")
    assert await chat.look(token, "en") is None
    assert not await road.follow(token, "thief")
    assert await road.case_of("chat", "thief") is None


async def test_a_link_dies_after_its_day_and_is_nowhere_in_the_database(road: BoundRoad, clock: MovedClock) -> None:
    await road.write("box", STUCK)
    token = await road.invite("box")
    kept = await road.store.read(lambda c: list(c.execute(select(Invitation.token_hash)).scalars()))
    assert token not in kept
    clock.move(hours=24)
    assert not await road.follow(token, "ann")


async def test_a_case_that_is_opened_later_is_the_case_of_both(road: BoundRoad) -> None:
    await road.write("box", "Hello")
    await road.follow(await road.invite("box"), "ann")
    await road.write("chat", STUCK)
    assert await road.case_of("box") == await road.case_of("chat") is not None
    await road.write("box", "still stuck")
    assert len(await road.cases()) == 1


async def test_two_cases_about_one_matter_become_the_older_one(road: BoundRoad) -> None:
    await road.write("box", STUCK)
    await road.write("chat", STUCK)
    older, younger = await road.open_cases()
    await road.follow(await road.invite("box"), "ann")
    assert await road.open_cases() == [older]
    assert await road.case_of("chat") == older != younger


async def test_conversations_of_different_accounts_are_never_joined(road: BoundRoad) -> None:
    await road.write("box", STUCK, account=EMMA)
    await road.write("chat", "Hello", account=BO)
    before = await road.open_cases()
    await road.follow(await road.invite("box"), "ann")
    assert (await road.said("chat"))[-1] == road.words.say("binding.somebody_else", "en")
    assert await road.case_of("chat") is None
    assert await road.open_cases() == before


async def test_a_bound_conversation_is_the_persons_but_proves_no_account(road: BoundRoad) -> None:
    await road.write("box", STUCK, account=EMMA)
    await road.follow(await road.invite("box"), "ann")
    query = select(Conversation.person_id, Conversation.account).order_by(Conversation.id)
    box, chat = await road.store.read(lambda c: c.execute(query).all())
    assert chat.person_id == box.person_id is not None
    assert chat.account is None


async def test_a_public_link_shows_a_code_and_gives_nothing(road: BoundRoad) -> None:
    await road.write("square", STUCK)
    token = await road.invite("square")
    await road.follow(token, "thief")
    [code_text] = await road.said("chat", "thief")
    assert road.words.say("binding.code", "en", code=await road.code("thief"), minutes="30", channel="the square") == (
        code_text
    )
    assert await road.case_of("chat", "thief") is None
    [number] = await road.cases()
    assert number not in code_text
    assert await road.follow(token, "ann"), "the first who clicks does not keep the author out"


async def test_the_author_brings_the_code_back_and_only_then_is_bound(road: BoundRoad, rasa: FakeRasa) -> None:
    await road.write("square", STUCK)
    token = await road.invite("square")
    await road.follow(token, "thief")
    await road.follow(token, "ann")
    code = await road.code("ann")
    await road.write("square", f"@desk {code}", who="stranger")
    assert await road.case_of("chat") is None, "another author's post proves nothing"
    heard = len(rasa.seen)
    before = await road.said("square")
    assert await road.write("square", f"@desk my code is {code.lower()}") == []
    assert await road.said("square") == before
    assert len(rasa.seen) == heard, "the post with the code is no complaint"
    assert await road.case_of("chat") == await road.case_of("square") is not None
    assert (await road.cases())[0] in (await road.said("chat"))[-1]
    assert await road.case_of("chat", "thief") is None
    assert len(await road.said("chat", "thief")) == 1


async def test_a_code_that_is_posted_too_late_binds_nobody_and_the_chat_hears_it(
    road: BoundRoad, clock: MovedClock
) -> None:
    await road.write("square", STUCK)
    await road.follow(await road.invite("square"), "ann")
    code = await road.code()
    clock.move(minutes=30)
    await road.write("square", code)
    assert (await road.said("chat"))[-1] == road.words.say("binding.late", "en")
    assert await road.case_of("chat") is None


@pytest.mark.parametrize(
    ("wish", "language"), [("continue on Push", "en"), ("can we go on via push please?", "en"), ("在push继续", "zh")]
)
async def test_a_wish_gives_a_start_link_that_binds_the_other_place_once(
    road: BoundRoad, clock: MovedClock, wish: str, language: str
) -> None:
    await road.write("chat", STUCK)
    [offered] = await road.write("chat", wish)
    [token] = TOKEN.findall(offered)
    assert f"https://push.example/?start={token}" in offered
    assert "15" in offered
    [told] = await road.write("push", f"/start {token}")
    assert (await road.cases())[0] in told
    assert await road.case_of("push") == await road.case_of("chat")
    assert await road.write("push", f"/start {token}", who="thief") == [road.words.say("binding.dead", "en")]
    assert await road.case_of("push", "thief") is None


async def test_a_start_link_holds_a_quarter_of_an_hour(road: BoundRoad, clock: MovedClock) -> None:
    await road.write("chat", STUCK)
    [token] = TOKEN.findall((await road.write("chat", "continue on push"))[0])
    clock.move(minutes=15)
    assert await road.write("push", f"/start {token}") == [road.words.say("binding.dead", "en")]


async def test_three_places_once_bound_are_one_person_with_one_case(road: BoundRoad) -> None:
    await road.write("box", STUCK)
    await road.write("chat", STUCK)
    await road.follow(await road.invite("box"), "ann")
    [token] = TOKEN.findall((await road.write("chat", "continue on push"))[0])
    await road.write("push", f"/start {token}")
    for place in ("box", "chat", "push"):
        await road.write(place, "Why is it still stuck?")
    cases = {await road.case_of(place) for place in ("box", "chat", "push")}
    assert cases == set(await road.open_cases())
    assert len(cases) == 1


async def test_one_account_proven_in_three_places_has_one_case_even_if_it_complained_before_the_proof(
    road: BoundRoad,
) -> None:
    for place in ("box", "chat", "push"):
        await road.write(place, STUCK)
    assert len(await road.open_cases()) == 3
    for place in ("box", "chat", "push"):
        await road.write(place, "It is still stuck", account=EMMA)
    [case] = await road.open_cases()
    assert {await road.case_of(place) for place in ("box", "chat", "push")} == {case}


@pytest.mark.parametrize("wish", ["Where is my link?", "I lost the link", "我的查询链接", "查詢連結不見了，請再發一次"])
async def test_the_owner_of_a_conversation_gets_the_tracking_link_again(road: BoundRoad, wish: str) -> None:
    await road.write("box", STUCK)
    [told] = await road.write("box", wish)
    assert "/track/" in told
    [nothing] = await road.write("box", wish, who="stranger")
    assert "/track/" not in nothing


async def test_nothing_of_this_is_said_while_a_person_has_the_conversation(road: BoundRoad) -> None:
    await road.write("chat", STUCK)
    query = select(Conversation.id)
    conversation_id = await road.store.read(lambda c: c.execute(query).scalar_one())
    await road.handling.take_over(ANNA, conversation_id)
    assert await road.write("chat", "where is my link") == []


async def test_a_lost_link_goes_to_the_proven_address_and_to_nobody_else(road: BoundRoad, clock: MovedClock) -> None:
    await road.write("chat", STUCK, account=EMMA)
    [number] = await road.cases()
    await road.lose(number)
    [letter] = [sent for sent in road.places["box"].sent if sent.recipient == EMMA.email]
    assert "/track/" in letter.text
    await road.lose(number)
    assert len(road.places["box"].sent) == 1, "a stranger cannot fill the owner's mailbox"
    clock.move(minutes=10)
    await road.lose(number)
    assert len(road.places["box"].sent) == 2


async def test_a_lost_link_goes_to_the_private_chat_of_the_case_but_never_to_the_public(road: BoundRoad) -> None:
    await road.write("square", STUCK)
    [number] = await road.cases()
    before = len(road.places["square"].sent)
    await road.lose(number)
    await road.lose("RD-00000-00000")
    assert len(road.places["square"].sent) == before
    assert road.places["box"].sent == []
    await road.write("push", STUCK, who="bo")
    number = (await road.cases())[-1]
    await road.lose(number)
    assert number in road.places["push"].sent[-1].text
    assert "/track/" in road.places["push"].sent[-1].text


async def test_an_appeal_goes_to_a_person_and_is_marked(road: BoundRoad) -> None:
    await road.write("push", STUCK)
    said = await road.write("push", "press:appeal")
    assert said[0] == road.words.say("binding.appeal", "en")
    assert {"appeal", "queued"} <= set(await road.notes("push"))
    query = select(Conversation.owner)
    assert await road.store.read(lambda c: c.execute(query).scalar_one()) == "queue"
