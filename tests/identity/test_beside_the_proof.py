"""What people write beside a code or an account: the code is hidden, the rest is heard; both languages."""

from __future__ import annotations

import pytest
from sqlalchemy import select

from actions.commands import HandToPerson
from bot.identity.digits import MASK
from bot.store.tables import CaseEvent, Note
from tests.fakes.exchange import EMMA
from tests.fakes.rasa import FakeRasa
from tests.flow.conftest import ANNA
from tests.identity.conftest import START, IdentityRoad, Said
from tests.identity.test_proving import BOTH, QUESTION, SENT

LONG = {
    "en": "my code is {}, and by the way my withdrawal of last week still has not arrived, please help me with it",
    "zh": (
        "我的验证码是{}，另外我上个星期申请的提现到现在还没有到账，已经等了很多天，客服一直没有给我任何答复，"
        "麻烦你们尽快帮我查一下是什么原因，我真的很着急，希望今天之内能有结果，谢谢"
    ),
}
TWICE = {"en": "{0} {0}", "zh": "{0}，{0}"}


@BOTH
@pytest.mark.parametrize("words", [LONG, TWICE], ids=["long", "twice"])
async def test_the_code_counts_and_is_hidden_whatever_stands_beside_it(
    road: IdentityRoad, rasa: FakeRasa, said: Said, words: dict[str, str], language: str
) -> None:
    await road.say(START[language])
    code = await road.code_for("10001")
    told = await road.say(words[language].format(code))
    assert told[0] == said("proven", language, name=EMMA["name"])
    heard = words[language].format(MASK) in [body["text"] for body in rasa.seen]
    assert heard == (words is LONG)
    assert code not in await road.everything_kept()
    assert code not in str(rasa.seen)


@BOTH
async def test_a_long_message_with_the_code_is_not_lost_when_an_agent_asked(
    road: IdentityRoad, rasa: FakeRasa, said: Said, language: str
) -> None:
    accepted = await road.receive(QUESTION[language])
    await road.settle()
    await road.handling.take_over(ANNA, accepted.conversation_id)
    await road.handling.ask_proof(ANNA, accepted.conversation_id)
    await road.deliver()
    code = await road.code_for("10001")
    assert await road.say(LONG[language].format(code)) == [
        said("proven", language, name=EMMA["name"]),
        said("what_now", language),
    ]
    assert (await road.outcomes())[-1] == "joined"
    assert code not in await road.everything_kept()


@BOTH
async def test_a_bot_that_is_down_loses_nothing_that_came_with_the_code(
    road: IdentityRoad, rasa: FakeRasa, said: Said, language: str
) -> None:
    await road.say(START[language])
    code = await road.code_for("10001")
    rasa.mode = "error"
    await road.receive(LONG[language].format(code))
    for _ in range(20):
        await road.settle()
        road.clock.move(seconds=20)
        claim = await road.claim((await road.conversation())["id"])
        if claim is not None:
            road.claims.append(claim)
    assert len(await road.cases()) == 1
    assert code not in await road.everything_kept()


@BOTH
async def test_many_numbers_in_a_message_are_not_as_many_free_tries(
    road: IdentityRoad, said: Said, language: str
) -> None:
    await road.say(START[language])
    code = await road.code_for("10001")
    numbers = [f"{int(code) + step:06}"[-6:] for step in range(4)]
    await road.say(" ".join(numbers))
    assert (await road.conversation())["account"] is None
    assert await road.say(code) == [said("code_locked", language)]
    assert code not in " ".join(entry.text for entry in await road.entries())


@BOTH
async def test_a_number_in_a_long_message_costs_a_try(road: IdentityRoad, said: Said, language: str) -> None:
    await road.say(START[language])
    code = await road.code_for("10001")
    wrong = [f"{(int(code) + step) % 1_000_000:06}" for step in (1, 2, 3)]
    for each in wrong[:2]:
        await road.say(LONG[language].format(each))
    assert await road.say(wrong[2]) == [said("code_locked", language)]


@BOTH
async def test_who_takes_over_reads_the_question_and_not_the_code(
    road: IdentityRoad, rasa: FakeRasa, language: str
) -> None:
    await road.say(QUESTION[language])
    await road.say(START[language])
    code = await road.code_for("10001")
    rasa.answer = lambda _body: (HandToPerson(),)
    await road.say(code)
    query = select(Note.data).where(Note.kind == "brief").order_by(Note.id)
    [brief] = await road.store.read(lambda c: list(c.execute(query).scalars()))
    assert brief["wish"] == QUESTION[language]


COMPLAINT = {
    "en": "I sent 500 USDT to the wrong address on Monday and nobody answers, please contact me at bob@example.com",
    "zh": (
        "我星期一把五百个泰达币转到了错误的地址，一直没有人回复我，客服电话也打不通，钱到现在还没有退回来，我非常着急，"
        "请通过我的邮箱 bob@example.com 尽快联系我，谢谢"
    ),
}


@BOTH
async def test_a_complaint_that_names_an_address_is_heard_by_the_bot(
    road: IdentityRoad, rasa: FakeRasa, language: str
) -> None:
    await road.say(START[language])
    assert await road.say(COMPLAINT[language]) == [road.words.say("bot.greeting", language)]
    assert rasa.seen[-1]["text"] == COMPLAINT[language]
    started = {"en": "verify me. {}", "zh": "验证身份。{}"}[language].format(COMPLAINT[language])
    await road.say(started, "two")
    assert rasa.seen[-1]["text"] == started


@BOTH
async def test_a_complaint_that_names_an_address_reaches_the_agent_who_asked(
    road: IdentityRoad, said: Said, language: str
) -> None:
    accepted = await road.receive(QUESTION[language])
    await road.settle()
    await road.handling.take_over(ANNA, accepted.conversation_id)
    await road.handling.ask_proof(ANNA, accepted.conversation_id)
    await road.deliver()
    assert await road.say(COMPLAINT[language]) == [said("code_sent", language, **SENT)]
    assert (await road.outcomes())[-1] == "joined"


SHORT = {
    "en": "{}. My account was hacked, freeze it now please!",
    "zh": "验证码{}，我账户里的五百个USDT昨晚被盗了，请马上冻结我的账户，谢谢",
}
BELOW = {
    "en": "{}\n\nBy the way, 500 USDT were stolen from my account last night. Please freeze it before more is gone.",
    "zh": "{}\n\n另外，昨晚我的账户被盗了五百个USDT，请在损失更多之前马上冻结。",
}
NAMED = {"en": "my UID is 10001, my account was hacked, freeze it", "zh": "我的UID是10001，账户昨晚被盗了，请立即冻结"}
STARTED = {
    "en": "verify me, UID 10001, my account was hacked, freeze it",
    "zh": "验证身份，UID 10001，账户昨晚被盗了，请立即冻结",
}
SIGNED = {"en": "{}\n\nBest regards\nEmma Clarke", "zh": "{}\n\n谢谢\n林晓雯"}


@BOTH
@pytest.mark.parametrize("words", [SHORT, BELOW], ids=["short", "below"])
async def test_a_theft_report_beside_the_code_is_heard(
    road: IdentityRoad, rasa: FakeRasa, said: Said, words: dict[str, str], language: str
) -> None:
    await road.say(START[language])
    code = await road.code_for("10001")
    told = await road.say(words[language].format(code))
    assert told == [said("proven", language, name=EMMA["name"]), road.words.say("bot.greeting", language)]
    assert rasa.seen[-1]["text"] == words[language].format(MASK)
    assert code not in await road.everything_kept()


@BOTH
async def test_a_theft_report_beside_a_wrong_code_is_heard(
    road: IdentityRoad, rasa: FakeRasa, said: Said, language: str
) -> None:
    await road.say(START[language])
    code = await road.code_for("10001")
    wrong = f"{(int(code) + 1) % 1_000_000:06}"
    told = await road.say(SHORT[language].format(wrong))
    assert told == [said("code_wrong", language, left="2"), road.words.say("bot.greeting", language)]
    assert rasa.seen[-1]["text"] == SHORT[language].format(MASK)


@BOTH
async def test_a_theft_report_beside_the_account_is_heard(
    road: IdentityRoad, rasa: FakeRasa, said: Said, language: str
) -> None:
    expected = [said("code_sent", language, **SENT), road.words.say("bot.greeting", language)]
    await road.say(START[language])
    assert await road.say(NAMED[language]) == expected
    assert rasa.seen[-1]["text"] == NAMED[language]
    assert await road.say(STARTED[language], "two") == expected
    assert rasa.seen[-1]["text"] == STARTED[language]


@BOTH
async def test_what_came_with_the_account_is_answered_again_after_the_proof(
    road: IdentityRoad, rasa: FakeRasa, said: Said, language: str
) -> None:
    code = await road.code_for(STARTED[language])
    await road.say(code)
    assert rasa.seen[-1]["text"] == STARTED[language]
    assert rasa.seen[-1]["metadata"]["account"]["uid"] == "10001"


@BOTH
async def test_what_came_with_account_and_code_waits_for_the_agent_who_asked(
    road: IdentityRoad, rasa: FakeRasa, said: Said, language: str
) -> None:
    accepted = await road.receive(QUESTION[language])
    await road.settle()
    await road.handling.take_over(ANNA, accepted.conversation_id)
    await road.handling.open_case(ANNA, accepted.conversation_id, "withdrawal_issue", "normal")
    await road.handling.ask_proof(ANNA, accepted.conversation_id)
    await road.deliver()
    code = await road.code_for(NAMED[language])
    await road.say(SHORT[language].format(code))
    assert (await road.outcomes())[-2:] == ["joined", "joined"]
    query = select(CaseEvent.kind).where(CaseEvent.kind == "message_added")
    assert len(await road.store.read(lambda c: list(c.execute(query).scalars()))) == 2


@BOTH
async def test_a_signature_below_the_code_is_no_question(
    road: IdentityRoad, rasa: FakeRasa, said: Said, language: str
) -> None:
    await road.say(START[language])
    code = await road.code_for(SIGNED[language].format("10001"))
    assert await road.say(SIGNED[language].format(code)) == [
        said("proven", language, name=EMMA["name"]),
        said("what_now", language),
    ]
    assert rasa.seen == []


@BOTH
async def test_who_wants_to_prove_it_in_the_subject_is_heard_in_the_text(
    road: IdentityRoad, rasa: FakeRasa, said: Said, language: str
) -> None:
    text = {"en": "I was robbed", "zh": "我被盗了"}[language]
    await road.post(f"subject: {START[language]}\n{text}", "mail")
    assert road.channel.texts() == [said("which_account", language), road.words.say("bot.greeting", language)]
    assert text in rasa.seen[-1]["text"]
