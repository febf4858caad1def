"""Which question is answered after the proof, and what the bot hears of the account with it; both languages."""

from __future__ import annotations

from actions.commands import Say
from tests.fakes.exchange import EMMA
from tests.fakes.rasa import FakeRasa
from tests.identity.conftest import START, IdentityRoad, Said
from tests.identity.test_proving import ACCOUNT, BOTH, QUESTION


@BOTH
async def test_a_second_proof_tells_the_bot_no_more_than_the_first(
    road: IdentityRoad, rasa: FakeRasa, language: str
) -> None:
    await road.prove(language=language)
    road.clock.move(hours=12)
    await road.say(QUESTION[language])
    account = ACCOUNT[language]
    await road.prove(account["uid"], language=language)
    assert rasa.seen[-1]["text"] == QUESTION[language]
    assert rasa.seen[-1]["metadata"]["account"] == {
        "uid": account["uid"],
        "name": account["name"],
        "proven_by": "one-time code",
    }


@BOTH
async def test_a_pressed_button_is_not_the_question_that_waits(
    road: IdentityRoad, rasa: FakeRasa, language: str
) -> None:
    rasa.answer = lambda _body: [Say(key="prove_hint", buttons=("prove", "person"))]
    await road.say(QUESTION[language])
    await road.say(f"press: person = {road.words.say('bot.button_person', language)}")
    await road.say(f"press: prove = {road.words.say('bot.button_prove', language)}")
    await road.say(await road.code_for("10001"))
    assert rasa.seen[-1]["text"] == QUESTION[language]


@BOTH
async def test_a_question_of_three_characters_waits(road: IdentityRoad, rasa: FakeRasa, language: str) -> None:
    question = {"en": "robbed", "zh": "被盗了"}[language]
    await road.say(question)
    await road.prove(language=language)
    assert rasa.seen[-1]["text"] == question
    assert rasa.seen[-1]["metadata"]["account"]["uid"] == "10001"


@BOTH
async def test_a_word_of_agreement_does_not_wait(road: IdentityRoad, rasa: FakeRasa, language: str) -> None:
    await road.say(QUESTION[language])
    await road.say({"en": "okay, thanks", "zh": "好的，谢谢"}[language])
    await road.prove(language=language)
    assert rasa.seen[-1]["text"] == QUESTION[language]


@BOTH
async def test_a_first_mail_is_asked_again_with_its_subject(
    road: IdentityRoad, rasa: FakeRasa, said: Said, language: str
) -> None:
    text = {"en": "Please look into it.", "zh": "请帮忙看一下。"}[language]
    await road.post(f"subject: {QUESTION[language]}\n{text}", "mail")
    await road.say(START[language], "mail")
    told = await road.say(await road.code_for("10001", "mail"), "mail")
    assert told[0] == said("proven", language, name=EMMA["name"])
    assert rasa.seen[-1]["text"] == f"{QUESTION[language]}\n{text}"
