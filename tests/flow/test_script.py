"""Who writes 繁體 is answered in 繁體, on both databases; who writes 简体 in 简体; a person's words stay theirs."""

from __future__ import annotations

from sqlalchemy import select

from actions.commands import Say
from bot.script import script_of
from bot.store.tables import Case, Conversation, Outbox
from tests.fakes.rasa import FakeRasa
from tests.flow.conftest import ANNA, COMPLEX, Road

HANT = "zh-Hant"


async def languages(road: Road) -> list[str | None]:
    query = select(Conversation.language).order_by(Conversation.id)
    return await road.store.read(lambda c: list(c.execute(query).scalars()))


async def test_a_complaint_in_each_script_is_a_case_that_is_told_in_it(road: Road, rasa: FakeRasa) -> None:
    rasa.answer = lambda _body: COMPLEX
    for key, text, script in (("one", "我的提現三天沒到帳了", HANT), ("two", "我的提现三天没到账了", "zh")):
        said = await road.say(text, key)
        assert [script_of(each) for each in said] == [script, script]
        assert said[1] == road.words.say("case.person_soon", script)
        assert "2026年12月7日" in said[0]
    assert await languages(road) == [HANT, "zh"]
    assert await road.store.read(lambda c: list(c.execute(select(Case.language)).scalars())) == [HANT, "zh"]
    assert await road.store.read(lambda c: set(c.execute(select(Outbox.language)).scalars())) == {HANT, "zh"}


async def test_the_script_stays_until_it_clearly_changes(road: Road) -> None:
    greeting = {script: [road.words.say("bot.greeting", script)] for script in ("en", "zh", HANT)}
    assert await road.say("請問有人嗎") == greeting[HANT]
    assert await road.say("好的") == greeting[HANT]
    assert await road.say("USDT") == greeting[HANT]
    assert await road.say("请问有人吗") == greeting["zh"]
    assert await road.say("好的") == greeting["zh"]
    assert await road.say("is anybody there") == greeting["en"]


async def test_the_bot_is_asked_in_simplified_and_told_what_was_written(road: Road, rasa: FakeRasa) -> None:
    await road.say("我的提現還沒到帳")
    await road.say("我的提现还没到账")
    [hant, hans] = rasa.seen
    assert (hant["text"], hant["language"], hant["metadata"]["language"]) == ("我的提现还没到帐", "zh", "zh")
    assert hant["metadata"]["written"] == "我的提現還沒到帳"
    assert "written" not in hans["metadata"]


async def test_the_words_of_the_exchange_are_written_too_and_those_of_the_user_are_not(
    road: Road, rasa: FakeRasa
) -> None:
    rasa.answer = lambda _body: (Say(key="incident_running", values={"title": "TRON 网络维护"}),)
    assert "TRON 網路維護" in (await road.say("提現還沒到"))[0]
    rasa.answer = lambda _body: (Say(key="noted", values={"value": "张三账户"}, named={"fact": ("fact_asset",)}),)
    assert "张三账户" in (await road.say("提現還沒到"))[0]


async def test_the_words_of_a_person_stay_as_they_were_written(road: Road, rasa: FakeRasa) -> None:
    rasa.answer = lambda _body: COMPLEX
    await road.say("我的提現三天沒到帳了")
    [conversation_id] = await road.store.read(lambda c: list(c.execute(select(Conversation.id)).scalars()))
    before = len(road.channel.sent)
    await road.handling.take_over(ANNA, conversation_id)
    await road.handling.reply(ANNA, conversation_id, "您好，您的账户正在核查。", "n1")
    await road.deliver()
    *notices, own = road.channel.texts()[before:]
    assert own == "您好，您的账户正在核查。"
    assert all(script_of(notice) in (HANT, None) for notice in notices)
    assert road.channel.sent[-1].language == HANT
