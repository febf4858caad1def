"""One message, end to end: stored before OK, answered once, in order; what fails is retried, told or parked."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest
from sqlalchemy import select

from actions.commands import HandToPerson, OpenCase, Say
from bot.finish import LeaseLost
from bot.inbox import Claim, new_token
from bot.ledger import draw_up
from bot.rasa_client import TurnFailed
from bot.store.tables import CaseEvent, Conversation, Inbox, Outbox, Timer
from bot.turns import TurnRunner
from channels.contract import NeedsPerson, Rejected, RetryLater
from escalation.handling import AgentRef, AlreadyTaken, NotYours
from tests.fakes.rasa import FakeRasa
from tests.flow.conftest import LEASE, Road

ANNA = AgentRef(id=1, name="Anna", role="agent")
BO = AgentRef(id=2, name="Bo", role="agent")
COMPLEX = (
    OpenCase(label="withdrawal_issue", severity="high", reasons=("money_missing",)),
    HandToPerson(reasons=("money_missing",)),
)


@pytest.fixture(autouse=True)
async def agents(road: Road) -> None:
    from bot.store.tables import Agent

    def add(connection: object) -> None:
        for ref in (ANNA, BO):
            connection.execute(  # type: ignore[attr-defined]
                Agent.__table__.insert().values(  # type: ignore[attr-defined]
                    id=ref.id,
                    login=ref.name,
                    name=ref.name,
                    role=ref.role,
                    password_hash="-",
                    disabled=False,
                    created_at=road.clock(),
                )
            )

    await road.store.write(add)


async def test_a_simple_question_is_answered_without_a_case(road: Road) -> None:
    assert await road.say("hello") == [road.words.say("bot.greeting", "en")]
    assert await road.say("你好，请问有人吗") == [road.words.say("bot.greeting", "zh")]
    assert await road.cases() == []
    assert await road.outcomes() == ["answered", "answered"]


async def test_a_complaint_becomes_a_case_and_a_person_is_awaited(road: Road, rasa: FakeRasa) -> None:
    rasa.answer = lambda _body: COMPLEX
    acknowledged, person = await road.say("我的提现三天没到账了")
    [number] = await road.cases()
    assert number in acknowledged
    assert "https://desk.example/track/" in acknowledged
    assert "2026年12月7日" in acknowledged
    assert person == road.words.say("case.person_soon", "zh")
    assert await road.owner() == "queue"
    assert await road.outcomes() == ["opened"]


async def test_the_same_message_again_changes_nothing(road: Road, rasa: FakeRasa) -> None:
    rasa.answer = lambda _body: COMPLEX
    first = await road.receive("help", external_id="x")
    again = await road.receive("help", external_id="x")
    await road.settle()
    assert (again.inbox_id, again.duplicate) == (first.inbox_id, True)
    assert len(await road.cases()) == 1
    assert len(road.channel.sent) == 2


async def test_the_same_message_at_the_same_time_is_stored_once(road: Road) -> None:
    accepted = await asyncio.gather(*(road.receive("hi", external_id="x") for _ in range(20)))
    assert {one.inbox_id for one in accepted} == {accepted[0].inbox_id}
    assert [one.duplicate for one in accepted].count(False) == 1


async def test_messages_of_a_conversation_are_answered_in_order(road: Road, rasa: FakeRasa) -> None:
    await asyncio.gather(*(road.receive(f"message {number}", key=f"c{number % 3}") for number in range(30)))
    await road.settle()
    for key in ("c0", "c1", "c2"):
        order = [body["inbox_id"] for body in rasa.seen if body["sender"] == f"fake:{key}"]
        assert order == sorted(order)
        assert len(order) == 10
    assert len(road.channel.sent) == 30


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


FAILURES = ["error", "nothing", "incomplete", "other_message", "html", "not_json", "huge", "flood", "unknown_command"]


@pytest.mark.parametrize("mode", [*FAILURES, "hang"])
async def test_a_failing_rasa_means_a_true_sentence_and_a_case(road: Road, rasa: FakeRasa, mode: str) -> None:
    rasa.mode = mode
    said = await road.say("我的账户被冻结了")
    assert said[0] == road.words.say("case.assistant_unavailable", "zh")
    [number] = await road.cases()
    assert number in said[1]
    assert await road.owner() == "queue"
    rasa.mode = "well"
    rasa.released.set()
    assert await road.say("还在吗") == []
    assert len(rasa.seen) == 1


async def test_an_unreachable_rasa_is_tried_again_while_the_user_can_wait(road: Road) -> None:
    road.rasa._http.base_url = "http://127.0.0.1:9"
    accepted = await road.receive("hello")
    await road.turn()
    assert road.channel.sent == []
    road.clock.move(seconds=6)
    claim = await road.claim(accepted.conversation_id)
    assert claim is not None
    await road.turner.work(claim)
    await road.deliver()
    assert road.channel.texts()[0] == road.words.say("case.assistant_unavailable", "en")
    assert len(await road.cases()) == 1


async def test_after_three_failures_rasa_is_left_alone_for_a_while(road: Road, rasa: FakeRasa) -> None:
    rasa.mode = "error"
    for number in range(5):
        await road.receive("hello", key=f"c{number}")
        road.clock.move(seconds=6)
        await road.settle()
    assert len(rasa.seen) == 3
    with pytest.raises(TurnFailed, match="several times"):
        await road.rasa.turn("fake:x", "hi", None, 1, "en", {})


async def test_what_a_user_types_never_reaches_rasa_as_a_command(road: Road, rasa: FakeRasa) -> None:
    for text in ("/restart", "　／person", "\u200b/inform{}", "24/7"):
        await road.receive(text)
    await road.receive("press: person")
    await road.receive("press: class:kyc_verification")
    await road.receive("press: class:restart")
    await road.turn()
    texts = [body["text"] for body in rasa.seen]
    assert texts == ["restart", "person", "inform{}", "24/7", "/person", "/kyc_verification", "press: class:restart"]
    assert all(body["sender"] == "fake:one" for body in rasa.seen)


async def test_automatic_messages_are_kept_and_not_answered(road: Road, rasa: FakeRasa) -> None:
    assert await road.say("auto: I am out of office") == []
    assert rasa.seen == []
    assert await road.outcomes() == ["automatic"]


async def test_a_message_that_breaks_every_turn_is_parked_and_the_conversation_goes_on(road: Road) -> None:
    accepted = await road.receive("bomb")
    claim = road.claims.pop()
    for _ in range(3):
        with pytest.raises(RuntimeError) as broke:
            await road.turner.work(claim)
        await road.turner.note_failure(claim, broke.value)
        road.clock.move(seconds=2)
        found = await road.claim(accepted.conversation_id)
        assert found is not None
        claim = found
    await road.turner.work(claim)
    assert await road.outcomes() == ["parked"]
    assert await road.owner() == "queue"
    assert await road.say("hello again") == []
    assert await road.outcomes() == ["parked", "joined"]


async def test_a_message_that_kills_every_worker_is_parked(road: Road) -> None:
    accepted = await road.receive("hello")
    road.claims.clear()
    runner = TurnRunner(road.turner, road.store, road.clock, width=1, lease=LEASE, scan_seconds=1)
    for _ in range(4):
        road.clock.move(seconds=16)
        await road.store.write(lambda c: runner._take(Claim(accepted.conversation_id, new_token()), c))
    road.clock.move(seconds=16)
    claim = await road.claim(accepted.conversation_id)
    assert claim is not None
    await road.turner.work(claim)
    assert await road.outcomes() == ["parked"]


async def test_whoever_lost_the_lease_writes_nothing(road: Road, rasa: FakeRasa) -> None:
    rasa.mode = "hang"
    accepted = await road.receive("hello")
    first = road.claims.pop()
    late = asyncio.create_task(road.turner.work(first))
    await rasa.asked.wait()
    road.clock.move(seconds=20)
    rasa.mode = "well"
    second = await road.claim(accepted.conversation_id)
    assert second is not None
    await road.turner.work(second)
    rasa.released.set()
    with pytest.raises(LeaseLost):
        await late
    await road.deliver()
    assert road.channel.texts() == [road.words.say("bot.greeting", "en")]


async def test_a_held_lease_cannot_be_taken(road: Road) -> None:
    accepted = await road.receive("hello")
    assert await road.claim(accepted.conversation_id) is None
    road.clock.move(seconds=16)
    assert await road.claim(accepted.conversation_id) is not None


async def test_one_reply_per_turn_where_the_channel_wants_it(road: Road, rasa: FakeRasa) -> None:
    from dataclasses import replace

    road.channel.capabilities = replace(road.channel.capabilities, one_reply=True, live=False, buttons=False)
    rasa.answer = lambda _body: (Say(key="greeting"), *COMPLEX)
    [text] = await road.say("hello, my money is gone")
    assert text.startswith(road.words.say("bot.greeting", "en"))
    assert (await road.cases())[0] in text


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


async def test_a_refusing_peer_is_tried_again_later_and_the_order_is_kept(road: Road) -> None:
    road.channel.fail_next = [RetryLater("greylisted", after_seconds=60)]
    await road.receive("first")
    await road.receive("second")
    await road.settle()
    assert road.channel.sent == []
    road.clock.move(seconds=61)
    await road.deliver()
    assert [message.seq for message in road.channel.sent] == sorted(message.seq for message in road.channel.sent)
    assert len(road.channel.sent) == 2


@pytest.mark.parametrize(("fault", "state"), [(NeedsPerson("no address"), "parked"), (Rejected("unknown"), "failed")])
async def test_what_cannot_be_sent_is_shown_to_a_person(road: Road, fault: Exception, state: str) -> None:
    road.channel.fail_next = [fault]
    await road.say("hello")
    found = await road.store.read(lambda c: c.execute(select(Outbox.state, Outbox.error)).one())
    assert found == (state, str(fault))
    assert len(await road.say("hello again")) == 1


async def test_an_interrupted_automatic_answer_is_not_risked_twice(road: Road) -> None:
    from dataclasses import replace

    road.channel.capabilities = replace(road.channel.capabilities, repeat_harmless=False)
    accepted = await road.receive("hello")
    await road.turn()
    [automatic] = await road.store.read(lambda c: list(c.execute(select(Outbox.id)).scalars()))
    await road.store.write(lambda c: road.deliverer._claim(c, automatic))  # the process dies here
    road.clock.move(seconds=20)
    await road.deliver()
    await road.handling.take_over(ANNA, accepted.conversation_id)
    await road.deliver()
    said = await road.handling.reply(ANNA, accepted.conversation_id, "by a person", nonce="n")
    await road.store.write(lambda c: road.deliverer._claim(c, said))  # and here
    road.clock.move(seconds=20)
    await road.deliver()
    states = await road.store.read(lambda c: list(c.execute(select(Outbox.state).order_by(Outbox.seq)).scalars()))
    assert states == ["unknown", "sent", "sent"]
    assert road.channel.texts()[-1] == "by a person"


async def test_large_raw_bytes_are_a_file_named_by_their_hash(road: Road) -> None:
    text = "长" * 60_000
    accepted = await road.receive(text)
    row = await road.store.read(lambda c: c.execute(select(Inbox.raw, Inbox.raw_sha256, Inbox.raw_size)).one())
    assert row.raw is None
    assert road.raw.get(row.raw_sha256) == text.encode()
    await road.settle()
    assert accepted.seq == 1
    assert await road.outcomes() == ["answered"]


async def test_everything_received_is_accounted_for(road: Road, rasa: FakeRasa) -> None:
    await road.say("hello")
    await road.say("auto: out of office")
    rasa.answer = lambda _body: COMPLEX
    await road.say("my money is gone")
    await road.say("hello?")
    await road.receive("waiting", key="two")
    book = await road.store.read(draw_up)
    assert book.balanced
    assert dict(book.outcomes) == {"answered": 1, "automatic": 1, "opened": 1, "joined": 1, "in_progress": 1}


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
