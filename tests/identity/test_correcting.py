"""The account was mistyped, or something else was typed that looks like one; both languages."""

from __future__ import annotations

import pytest

from tests.fakes.exchange import EMMA, XIAOWEN
from tests.fakes.rasa import FakeRasa
from tests.flow.conftest import ANNA
from tests.identity.conftest import START, IdentityRoad, Said
from tests.identity.test_proving import BOTH, QUESTION, SENT

BY_UID = {"en": "sorry, my UID is 10002", "zh": "不好意思，UID应该是10002"}
BY_ADDRESS = {"en": f"it's {XIAOWEN['email']}, sorry", "zh": f"邮箱填错了，应该是 {XIAOWEN['email']}"}
SIX = {"en": "my UID is 100029", "zh": "我的UID是100029"}


@BOTH
@pytest.mark.parametrize("words", [BY_UID, BY_ADDRESS], ids=["uid", "address"])
async def test_a_wrong_account_is_corrected_by_naming_the_right_one(
    road: IdentityRoad, rasa: FakeRasa, said: Said, words: dict[str, str], language: str
) -> None:
    await road.say(START[language])
    await road.say("10001")
    code = await road.code_for(words[language])
    assert road.channel.texts()[-1] == said("code_sent", language, **SENT)
    assert road.letters.sent[-1].recipient == XIAOWEN["email"]
    assert (await road.say(code))[0] == said("proven", language, name=XIAOWEN["name"])
    assert rasa.seen == []


@BOTH
async def test_a_correction_counts_as_a_code_that_was_sent(road: IdentityRoad, said: Said, language: str) -> None:
    await road.say(START[language])
    for _ in range(3):
        assert await road.say(BY_UID[language]) == [said("code_sent", language, **SENT)]
    assert await road.say(BY_UID[language]) == [said("too_many", language, limit="3")]


@BOTH
async def test_a_uid_of_six_digits_that_is_called_one_costs_no_try(
    road: IdentityRoad, said: Said, language: str
) -> None:
    await road.say(START[language])
    await road.say("10001")
    code = await road.code_for(f"{BY_UID[language]}")
    assert await road.say(SIX[language]) == [said("code_sent", language, **SENT)]
    assert await road.say(code) == [said("code_wrong", language, left="2")]


@BOTH
async def test_a_correction_is_understood_only_while_a_code_is_awaited(
    road: IdentityRoad, rasa: FakeRasa, said: Said, language: str
) -> None:
    await road.say(START[language])
    await road.say("10001")
    road.clock.move(minutes=10)
    assert await road.say(BY_UID[language]) == [road.words.say("bot.greeting", language)]


@BOTH
@pytest.mark.parametrize("number", ["500", "500u", "trc20", "2024-05-01"])
async def test_what_is_no_account_sends_no_code_when_an_agent_asked(
    road: IdentityRoad, rasa: FakeRasa, said: Said, number: str, language: str
) -> None:
    accepted = await road.receive(QUESTION[language])
    await road.settle()
    await road.handling.take_over(ANNA, accepted.conversation_id)
    await road.handling.ask_proof(ANNA, accepted.conversation_id)
    await road.deliver()
    assert await road.say(number) == []
    assert (await road.outcomes())[-1] == "joined"
    assert await road.code_for("10001")


@BOTH
async def test_who_was_asked_by_an_agent_may_digress_after_the_agent_has_handed_back(
    road: IdentityRoad, rasa: FakeRasa, said: Said, language: str
) -> None:
    accepted = await road.receive(QUESTION[language])
    await road.settle()
    await road.handling.take_over(ANNA, accepted.conversation_id)
    await road.handling.ask_proof(ANNA, accepted.conversation_id)
    await road.handling.hand_back(ANNA, accepted.conversation_id)
    await road.deliver()
    assert await road.say(QUESTION[language]) == [road.words.say("bot.greeting", language)]
    code = await road.code_for("10001")
    assert said("proven", language, name=EMMA["name"]) in await road.say(code)


@BOTH
async def test_the_sentence_about_the_code_says_how_to_correct_the_account(said: Said, language: str) -> None:
    assert {"en": 'write "UID" and the right number', "zh": "请发送“UID”加正确的号码"}[language] in said(
        "code_sent", language, **SENT
    )
