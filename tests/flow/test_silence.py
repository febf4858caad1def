"""A user who stops answering the bot's questions about a case: a person takes over, once, with what is known."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select

from actions.commands import HandIfSilent, HandToPerson, OpenCase, Resolve, Say
from bot.store.tables import CaseEvent, Note, Timer
from tests.fakes.rasa import FakeRasa
from tests.flow.conftest import ANNA, SILENCE, Road

BRIEF = {"class": "deposit_issue", "facts": {"asset": "USDT"}, "answers": ["article:fees"], "also": [], "began": 1}
ASKED = (
    OpenCase(label="deposit_issue", reasons=("money_missing",), facts={"asset": "USDT"}),
    Say(key="ask_network", buttons=("skip", "person")),
    HandIfSilent(reasons=("money_missing",), brief=BRIEF),
)
FOLLOWED = (
    OpenCase(label="deposit_issue", reasons=("added_by_user",), facts={"network": "TRC20"}, quiet=True),
    Say(key="ask_tx_hash"),
    HandIfSilent(reasons=("money_missing",), brief=BRIEF),
)


async def notes(road: Road, kind: str) -> list[dict[str, Any]]:
    query = select(Note.data).where(Note.kind == kind).order_by(Note.id)
    return await road.store.read(lambda c: [dict(data) for data in c.execute(query).scalars()])


async def timers(road: Road) -> list[str]:
    return await road.store.read(lambda c: list(c.execute(select(Timer.kind).order_by(Timer.kind)).scalars()))


async def asked(road: Road, rasa: FakeRasa) -> None:
    rasa.answer = lambda _body: ASKED
    said = await road.say("my deposit has not arrived for three days")
    assert said[1] == road.words.say("bot.ask_network", "en")
    assert await road.owner() == "bot"


@pytest.mark.parametrize(("text", "language"), [("my deposit is gone", "en"), ("我的充值没到账", "zh")])
async def test_whoever_falls_silent_is_handed_over_with_what_is_known(
    road: Road, rasa: FakeRasa, text: str, language: str
) -> None:
    rasa.answer = lambda _body: ASKED
    said = await road.say(text)
    road.clock.moment += SILENCE - timedelta(seconds=1)
    assert await road.alarm.ring_due() == 0
    road.clock.move(seconds=1)
    assert await road.alarm.ring_due() == 1
    await road.deliver()
    assert await road.owner() == "queue"
    assert road.channel.texts()[-1] == road.words.say("case.person_takes_over", language)
    [brief] = await notes(road, "brief")
    assert brief["wish"] == text
    assert brief["tried"][-1] == road.words.say("bot.ask_network", language).partition("\n")[0] == said[1]
    assert brief["facts"] == {"asset": "USDT"}
    assert brief["answers"] == ["article:fees"]
    assert brief["label"] == "deposit_issue"
    assert [note["reasons"] for note in await notes(road, "queued")] == [["user_silent", "money_missing"]]


async def test_an_answer_begins_the_wait_anew(road: Road, rasa: FakeRasa) -> None:
    await asked(road, rasa)
    road.clock.move(minutes=6)
    rasa.answer = lambda _body: FOLLOWED
    assert await road.say("TRC20") == [road.words.say("bot.ask_tx_hash", "en")]
    road.clock.move(minutes=6)
    assert await road.alarm.ring_due() == 0
    assert await road.owner() == "bot"


async def test_what_is_added_quietly_is_in_the_case(road: Road, rasa: FakeRasa) -> None:
    await asked(road, rasa)
    rasa.answer = lambda _body: FOLLOWED
    await road.say("TRC20")
    query = select(CaseEvent.kind, CaseEvent.data).order_by(CaseEvent.seq)
    events = await road.store.read(lambda c: [(row.kind, row.data.get("facts")) for row in c.execute(query)])
    assert events == [("opened", {"asset": "USDT"}), ("message_added", {"network": "TRC20"})]
    assert await road.outcomes() == ["opened", "joined"]
    await road.say("and now?")
    assert rasa.seen[-1]["metadata"]["case"]["facts"] == {"asset": "USDT", "network": "TRC20"}


async def test_a_message_that_is_still_being_answered_is_no_silence(road: Road, rasa: FakeRasa) -> None:
    await asked(road, rasa)
    road.clock.moment += SILENCE
    await road.receive("TRC20")
    await road.alarm.ring_due()
    assert await road.owner() == "bot"


async def test_an_automatic_reply_is_silence(road: Road, rasa: FakeRasa) -> None:
    await asked(road, rasa)
    await road.say("auto: I am out of office")
    road.clock.moment += SILENCE
    await road.alarm.ring_due()
    assert await road.owner() == "queue"


async def test_a_person_who_has_it_already_ends_the_wait(road: Road, rasa: FakeRasa) -> None:
    await asked(road, rasa)
    conversation = (await road.receive("hello?", external_id="again")).conversation_id
    await road.settle()
    await road.handling.take_over(ANNA, conversation)
    assert "user_silent" not in await timers(road)
    await road.handling.hand_back(ANNA, conversation)
    road.clock.moment += SILENCE
    await road.alarm.ring_due()
    assert await road.owner() == "bot"


async def test_handing_over_ends_the_wait(road: Road, rasa: FakeRasa) -> None:
    await asked(road, rasa)
    rasa.answer = lambda _body: (HandToPerson(reasons=("money_missing",), brief=BRIEF),)
    await road.say("TRC20")
    assert "user_silent" not in await timers(road)
    [brief] = await notes(road, "brief")
    assert brief["wish"] == "my deposit has not arrived for three days"


async def test_the_bot_hears_that_a_conversation_came_back(road: Road, rasa: FakeRasa) -> None:
    rasa.answer = lambda _body: (Resolve(), Say(key="welcome"))
    await road.say("thanks")
    before = rasa.seen[-1]["metadata"]
    conversation = (await road.receive("one more thing")).conversation_id
    await road.settle()
    reopened = rasa.seen[-1]["metadata"]
    await road.handling.take_over(ANNA, conversation)
    await road.handling.hand_back(ANNA, conversation)
    await road.say("and now?")
    back = rasa.seen[-1]["metadata"]
    assert (before["reopened"], reopened["reopened"]) == (False, True)
    assert before["epoch"] == reopened["epoch"] < back["epoch"]
    assert back["live"] is True
