"""Who may speak: while a person owns a conversation the bot is silent, and nobody is left waiting untold."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest
from sqlalchemy import select

from actions.commands import Say
from bot.store.tables import CaseEvent, Conversation, Outbox, Timer
from escalation.handling import AlreadyTaken, NoSuchCase, NotYours
from tests.fakes.rasa import FakeRasa
from tests.flow.conftest import ANNA, BO, COMPLEX, Road


async def test_the_bot_is_silent_while_a_person_owns_the_conversation(road: Road, rasa: FakeRasa) -> None:
    rasa.answer = lambda _body: COMPLEX
    await road.say("my money is gone")
    conversation = (await road.receive("are you there?")).conversation_id
    await road.settle()
    await road.handling.take_over(ANNA, conversation)
    asked = len(rasa.seen)
    assert await road.say("hello??") == [road.words.say("case.agent_joined", "en", name="Anna")]
    assert len(rasa.seen) == asked
    await road.handling.reply(ANNA, conversation, "I am looking into it.", nonce="n1")
    await road.handling.reply(ANNA, conversation, "I am looking into it.", nonce="n1")
    await road.deliver()
    assert road.channel.texts()[-1] == "I am looking into it."
    assert road.channel.texts().count("I am looking into it.") == 1
    assert road.channel.sent[-1].automatic is False


async def test_a_bot_answer_that_lost_the_race_is_dropped_before_it_is_queued(road: Road, rasa: FakeRasa) -> None:
    rasa.mode = "hang"
    accepted = await road.receive("how long does a withdrawal take")
    turning = asyncio.create_task(road.turn())
    await rasa.asked.wait()
    await road.handling.take_over(ANNA, accepted.conversation_id)
    rasa.released.set()
    await turning
    await road.deliver()
    assert road.channel.texts() == [road.words.say("case.agent_joined", "en", name="Anna")]
    assert await road.outcomes() == ["joined"]


async def test_a_queued_bot_answer_that_lost_the_race_is_dropped_before_it_is_sent(road: Road) -> None:
    accepted = await road.receive("hello")
    await road.turn()
    await road.handling.take_over(ANNA, accepted.conversation_id)
    await road.deliver()
    assert road.channel.texts() == [road.words.say("case.agent_joined", "en", name="Anna")]
    states = await road.store.read(lambda c: list(c.execute(select(Outbox.state).order_by(Outbox.seq)).scalars()))
    assert states == ["dropped", "sent"]


async def test_two_agents_cannot_take_over_at_once(road: Road) -> None:
    conversation = (await road.receive("hello")).conversation_id
    results = await asyncio.gather(
        road.handling.take_over(ANNA, conversation), road.handling.take_over(BO, conversation), return_exceptions=True
    )
    assert [type(result) for result in results].count(AlreadyTaken) == 1
    loser = BO if results[0] is None else ANNA
    with pytest.raises(NotYours):
        await road.handling.reply(loser, conversation, "me too", nonce="n")


async def test_handed_back_the_bot_speaks_again(road: Road, rasa: FakeRasa) -> None:
    rasa.answer = lambda _body: COMPLEX
    accepted = await road.receive("a person please")
    await road.settle()
    await road.handling.take_over(ANNA, accepted.conversation_id)
    await road.handling.hand_back(ANNA, accepted.conversation_id)
    rasa.answer = lambda _body: (Say(key="greeting"),)
    await road.deliver()
    assert await road.say("thanks") == [road.words.say("bot.greeting", "en")]
    assert await road.owner() == "bot"


async def test_resolved_and_written_again_the_case_is_reopened(road: Road, rasa: FakeRasa) -> None:
    rasa.answer = lambda _body: COMPLEX
    accepted = await road.receive("my withdrawal is missing")
    await road.settle()
    await road.handling.take_over(ANNA, accepted.conversation_id)
    await road.handling.resolve(ANNA, accepted.conversation_id)
    await road.deliver()
    await road.say("it is still missing")
    assert len(await road.cases()) == 1
    kinds = await road.store.read(lambda c: list(c.execute(select(CaseEvent.kind).order_by(CaseEvent.seq)).scalars()))
    assert kinds == ["opened", "taken_over", "resolved", "reopened", "message_added"]


async def test_nobody_coming_is_said_once(road: Road, rasa: FakeRasa) -> None:
    rasa.answer = lambda _body: COMPLEX
    await road.say("my money is gone")
    [number] = await road.cases()
    road.clock.move(minutes=2)
    assert await road.alarm.ring_due() == 0
    road.clock.move(minutes=2)
    assert await road.alarm.ring_due() == 1
    assert await road.alarm.ring_due() == 0
    await road.deliver()
    assert road.channel.texts()[-1] == road.words.say("case.nobody_yet_case", "en", number=number)


async def test_an_agent_in_time_stops_the_timer(road: Road, rasa: FakeRasa) -> None:
    rasa.answer = lambda _body: COMPLEX
    accepted = await road.receive("my money is gone")
    await road.settle()
    await road.handling.take_over(ANNA, accepted.conversation_id)
    assert await road.store.read(lambda c: c.execute(select(Timer.id)).all()) == []


async def test_deadlines_run_from_the_first_contact(road: Road, rasa: FakeRasa) -> None:
    from bot.store.tables import Case

    began = road.clock()
    await road.say("hello")
    road.clock.move(hours=5)
    rasa.answer = lambda _body: COMPLEX
    await road.say("my money is gone")
    due = await road.store.read(lambda c: c.execute(select(Case.answer_due_at, Case.decision_due_at)).one())
    assert due == (began + timedelta(hours=24), began + timedelta(days=15))


async def test_a_proven_account_travels_to_rasa_and_a_claimed_one_does_not(road: Road, rasa: FakeRasa) -> None:
    from channels.contract import Account

    await road.receive("my UID is 10002, where is my withdrawal")
    await road.turn()
    await road.receive("and now?", account=Account(uid="10001", name="Li", proven_by="app token"))
    await road.turn()
    accounts = [body["metadata"]["account"] for body in rasa.seen]
    assert accounts == [None, {"uid": "10001", "name": "Li", "proven_by": "app token"}]
    stored = await road.store.read(lambda c: c.execute(select(Conversation.account)).scalar_one())
    assert stored["uid"] == "10001"


async def test_a_second_conversation_joins_a_case_and_reopens_it(road: Road, rasa: FakeRasa) -> None:
    rasa.answer = lambda _body: COMPLEX
    first = await road.receive("my withdrawal is missing")
    await road.settle()
    [number] = await road.cases()
    await road.handling.take_over(ANNA, first.conversation_id)
    await road.handling.resolve(ANNA, first.conversation_id)
    rasa.answer = lambda _body: (Say(key="greeting"),)
    second = await road.receive(f"I am the one of {number}", key="another")
    await road.settle()
    await road.handling.take_over(ANNA, second.conversation_id)
    for _ in range(2):
        assert await road.handling.join_case(ANNA, second.conversation_id, number.lower()) == number
    with pytest.raises(NoSuchCase):
        await road.handling.join_case(ANNA, second.conversation_id, "RD-AAAAA-AAAAA")
    kinds = await road.store.read(lambda c: list(c.execute(select(CaseEvent.kind).order_by(CaseEvent.seq)).scalars()))
    assert kinds[-2:] == ["reopened", "conversation_joined"]
    assert await road.cases() == [number]
