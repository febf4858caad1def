"""Somebody proves who they are with a code to the registered address: over the real road, in both languages."""

from __future__ import annotations

import asyncio
from contextlib import closing
from functools import partial
from typing import Any

import pytest
from sqlalchemy import Connection

from actions.commands import Say
from bot.identity import assembly
from bot.identity.claims import Claim
from bot.identity.codes import Codes
from bot.identity.digits import MASK
from bot.identity.directory import Registered
from bot.identity.steps import SendCode
from bot.repository import conversations
from bot.settings import IdentitySettings
from bot.store.identity_tables import IdentityCode, IdentityProof
from bot.store.store import Store
from bot.store.tables import Outbox, Person
from channels.contract import InboundMessage
from tests.fakes.exchange import EMMA, XIAOWEN, FakeExchange
from tests.fakes.rasa import FakeRasa
from tests.flow.conftest import ANNA
from tests.identity.conftest import START, IdentityRoad, Said

BOTH = pytest.mark.parametrize("language", ["en", "zh"])
QUESTION = {"en": "where is my withdrawal", "zh": "我的提现到哪里了"}
ACCOUNT = {"en": EMMA, "zh": XIAOWEN}
SENT = {"minutes": "10", "limit": "3"}


def answering_with_account(body: dict[str, Any]) -> list[Say]:
    """A bot that tells what it knows of the account."""
    account = body["metadata"]["account"]
    if account is None:
        return [Say(key="prove_hint", buttons=("prove",))]
    return [Say(key="withdrawal_status_none"), Say(key="identity.proven", values={"name": account["name"]})]


@BOTH
async def test_a_code_to_the_registered_address_proves_who_asks_and_the_question_is_answered(
    road: IdentityRoad, rasa: FakeRasa, said: Said, language: str
) -> None:
    rasa.answer = answering_with_account
    account = ACCOUNT[language]
    assert await road.say(QUESTION[language]) == [road.words.say("bot.prove_hint", language)]
    assert road.channel.sent[-1].buttons == [("prove", road.words.say("bot.button_prove", language))]
    asked = {"en": "press: prove", "zh": START["zh"]}[language]
    assert await road.say(asked) == [said("which_account", language)]
    assert await road.say(account["uid"]) == [said("code_sent", language, **SENT)]
    await road.mail()
    [letter] = road.letters.sent
    assert (letter.recipient, letter.language) == (account["email"], language)
    told = await road.say(road.code())
    assert told[0] == said("proven", language, name=account["name"])
    assert told[1] == road.words.say("bot.withdrawal_status_none", language)
    assert account["name"] in told[2]
    assert rasa.seen[-1]["text"] == QUESTION[language]
    assert rasa.seen[-1]["metadata"]["account"]["uid"] == account["uid"]


@BOTH
async def test_what_was_proven_how_and_when_is_with_the_conversation(road: IdentityRoad, language: str) -> None:
    account = ACCOUNT[language]
    await road.prove(account["uid"], language=language)
    kept = (await road.conversation())["account"]
    assert (kept["uid"], kept["name"], kept["email"]) == (account["uid"], account["name"], account["email"])
    assert kept["proven_by"] == "one-time code"
    assert kept["proven_at"] == road.clock().isoformat()
    masked = f"{account['email'][0]}***@example.com"
    assert await road.column(IdentityProof.detail) == [masked]
    notes = await road.notes()
    assert ("code_sent", [masked, f"UID {account['uid']}"]) in notes
    assert ("proven", ["one-time code", masked, f"UID {account['uid']}"]) in notes
    assert await road.column(Person.uid) == [account["uid"]]


@BOTH
async def test_the_code_is_nowhere_but_in_the_letter(road: IdentityRoad, rasa: FakeRasa, language: str) -> None:
    await road.say(START[language])
    code = await road.code_for("10001")
    await road.say({"en": f"my code is {code}", "zh": f"验证码{code}"}[language])
    typed = [entry.text for entry in await road.entries() if MASK in entry.text]
    assert len(typed) == 1
    assert code not in await road.everything_kept()
    assert code not in str(rasa.seen)
    assert code not in str(await road.notes())


async def test_the_letter_is_blank_once_the_code_is_used_or_has_run_out(road: IdentityRoad) -> None:
    await road.prove()
    assert "" in await road.column(Outbox.text)
    await road.say("verify me", key="two")
    code = await road.code_for("10002", key="two")
    assert code in await road.everything_kept()
    road.clock.move(minutes=10)
    await road.mail()
    assert code not in await road.everything_kept()


async def test_a_letter_that_could_not_leave_in_time_never_leaves(road: IdentityRoad) -> None:
    await road.say("verify me")
    await road.say("10001")
    await road.alarm.ring_due()
    road.clock.move(minutes=11)
    await road.mail()
    assert road.letters.sent == []
    assert (await road.column(Outbox.state))[-1] == "dropped"
    assert (await road.column(Outbox.text))[-1] == ""
    assert (await road.notes())[-1] == ("code_not_delivered", ["e***@example.com", "UID 10001"])


async def test_of_a_letter_that_left_nothing_more_is_noted(road: IdentityRoad) -> None:
    await road.say("verify me")
    await road.code_for("10001")
    road.clock.move(minutes=11)
    await road.mail()
    assert [kind for kind, _ in await road.notes()] == ["code_sent"]


@BOTH
async def test_whether_an_account_exists_cannot_be_told(road: IdentityRoad, said: Said, language: str) -> None:
    """Same sentence, same rows, same questions to the exchange, for a user, a stranger, and an account that is full."""
    for number, claim in enumerate(("10001", "99999", "nobody@example.com", EMMA["email"], "10001", "10001")):
        key, asked = f"c{number}", len(road.exchange.asked)
        await road.say(START[language], key)
        assert await road.say(claim, key) == [said("code_sent", language, **SENT)]
        await road.mail()
        assert len(road.exchange.asked) == asked + 1
        assert await road.say("000000", key) == [said("code_wrong", language, left="2")]
        assert len(road.exchange.asked) == asked + 1
    assert len(road.letters.sent) == 3
    assert {letter.recipient for letter in road.letters.sent} == {EMMA["email"]}
    assert len(await road.column(IdentityCode.id)) == 6


async def test_an_account_gets_three_codes_in_a_day_however_it_is_named(road: IdentityRoad) -> None:
    for number in range(4):
        await road.say("verify me", f"c{number}")
        await road.say("10001" if number % 2 else EMMA["email"].upper(), f"c{number}")
        await road.mail()
    assert len(road.letters.sent) == 3
    road.clock.move(hours=24, seconds=1)
    assert await road.code_for("verify me, UID: 10001", "c9")


@BOTH
async def test_a_conversation_gets_three_codes_in_a_day_then_a_person(
    road: IdentityRoad, said: Said, language: str
) -> None:
    for claim in ("10001", "99999", "10002"):
        await road.say(START[language])
        await road.say(claim)
    assert await road.say(START[language]) == [said("too_many", language, limit="3")]
    assert road.channel.sent[-1].buttons == [("person", road.words.say("bot.button_person", language))]
    road.clock.move(hours=24, seconds=1)
    assert await road.say(START[language]) == [said("which_account", language)]


@BOTH
async def test_three_wrong_codes_lock_it_and_the_right_one_is_too_late(
    road: IdentityRoad, said: Said, language: str
) -> None:
    await road.say(START[language])
    code = await road.code_for("10001")
    wrong = "000000" if code != "000000" else "000001"
    assert await road.say(wrong) == [said("code_wrong", language, left="2")]
    assert await road.say(wrong) == [said("code_wrong", language, left="1")]
    assert await road.say(wrong) == [said("code_locked", language)]
    assert await road.say(code) == [said("code_locked", language)]
    assert (await road.conversation())["account"] is None
    assert ("code_locked", []) in await road.notes()


@BOTH
async def test_an_old_code_and_one_that_a_newer_took_the_place_of_are_over(
    road: IdentityRoad, said: Said, language: str
) -> None:
    await road.say(START[language])
    first = await road.code_for("10001")
    second = await road.code_for({"en": "verify me 10001", "zh": "验证身份 10001"}[language])
    assert first != second
    assert await road.say(first) == [said("code_wrong", language, left="2")]
    road.clock.move(minutes=10)
    assert await road.say(second) == [said("code_over", language)]
    assert (await road.conversation())["person_id"] is None


@BOTH
async def test_a_code_is_good_once(road: IdentityRoad, said: Said, language: str) -> None:
    await road.prove(language=language)
    code = road.code()
    assert await road.say(code) == [said("code_over", language)]
    assert code not in await road.everything_kept()


@BOTH
async def test_a_code_of_another_conversation_proves_nothing(road: IdentityRoad, said: Said, language: str) -> None:
    await road.say(START[language])
    code = await road.code_for("10001")
    await road.say(START[language], "two")
    await road.code_for("10001", "two")
    assert await road.say(code, "two") == [said("code_wrong", language, left="2")]
    assert (await road.conversation("two"))["account"] is None


@BOTH
async def test_an_address_changed_meanwhile_voids_the_code(
    road: IdentityRoad, exchange: FakeExchange, said: Said, language: str
) -> None:
    await road.say(START[language])
    code = await road.code_for("10001")
    exchange.change_address("10001", "thief@example.com")
    assert await road.say(code) == [said("address_changed", language)]
    exchange.change_address("10001", EMMA["email"])
    assert await road.say(code) == [said("code_over", language)]
    assert ("code_address_changed", []) in await road.notes()


@BOTH
async def test_an_exchange_that_is_silent_costs_no_try_and_no_code(
    road: IdentityRoad, exchange: FakeExchange, said: Said, language: str
) -> None:
    await road.say(START[language])
    exchange.down = True
    for _ in range(5):
        assert await road.say("10001") == [said("exchange_silent", language)]
    assert await road.column(IdentityCode.id) == []
    exchange.down = False
    code = await road.code_for("10001")
    exchange.down = True
    for _ in range(5):
        assert await road.say(code) == [said("exchange_silent_code", language)]
    exchange.down = False
    assert (await road.say(code))[0] == said("proven", language, name=EMMA["name"])


@BOTH
async def test_never_mind_leaves_it_and_voids_the_code(road: IdentityRoad, said: Said, language: str) -> None:
    never_mind = {"en": "never mind", "zh": "算了"}[language]
    await road.say(START[language])
    assert await road.say(never_mind) == [said("left", language)]
    await road.say(START[language])
    code = await road.code_for("10001")
    assert await road.say(never_mind) == [said("left", language)]
    assert await road.say(code) == [said("code_over", language)]


@BOTH
async def test_the_first_code_still_counts_when_somebody_asks_for_another_and_then_finds_it(
    road: IdentityRoad, said: Said, language: str
) -> None:
    await road.say(START[language])
    code = await road.code_for("10001")
    assert await road.say(START[language]) == [said("which_account", language)]
    assert (await road.say(code))[0] == said("proven", language, name=EMMA["name"])
    assert code not in await road.everything_kept()


@BOTH
async def test_a_uid_of_six_digits_is_no_code(road: IdentityRoad, said: Said, language: str) -> None:
    await road.say(START[language])
    assert await road.say("100019") == [said("code_sent", language, **SENT)]
    assert "100019" in [entry.text for entry in await road.entries()]


@BOTH
async def test_a_digression_is_answered_and_a_code_still_counts_after_it(
    road: IdentityRoad, rasa: FakeRasa, said: Said, language: str
) -> None:
    digression = {"en": "what are the fees for a withdrawal", "zh": "请问提币手续费怎么收"}[language]
    greeting = road.words.say("bot.greeting", language)
    await road.say(START[language])
    assert await road.say(digression) == [greeting]
    assert await road.say({"en": "order 10001 is missing", "zh": "订单 10001 不见了"}[language]) == [greeting]
    await road.say(START[language])
    code = await road.code_for("10001")
    assert await road.say(digression) == [greeting]
    assert said("proven", language, name=EMMA["name"]) in await road.say(code)
    assert len(await road.column(IdentityCode.id)) == 1


@BOTH
async def test_who_is_proven_is_not_asked_again(road: IdentityRoad, said: Said, language: str) -> None:
    await road.prove(language=language)
    assert await road.say(START[language]) == [said("already", language)]


@BOTH
async def test_account_data_goes_to_the_bot_only_while_the_proof_holds(
    road: IdentityRoad, rasa: FakeRasa, language: str
) -> None:
    await road.prove(language=language)
    await road.say(QUESTION[language])
    assert rasa.seen[-1]["metadata"]["account"] == {
        "uid": "10001",
        "name": "Emma Clarke",
        "proven_by": "one-time code",
    }
    road.clock.move(hours=12)
    await road.say(QUESTION[language])
    assert rasa.seen[-1]["metadata"]["account"] is None


@BOTH
async def test_an_agent_asks_for_proof_and_sees_the_outcome_but_never_the_code(
    road: IdentityRoad, rasa: FakeRasa, said: Said, language: str
) -> None:
    accepted = await road.receive(QUESTION[language])
    await road.settle()
    await road.handling.take_over(ANNA, accepted.conversation_id)
    await road.handling.ask_proof(ANNA, accepted.conversation_id)
    await road.deliver()
    assert road.channel.texts()[-1] == said("asked_by_agent", language, name="Anna")
    asked = len(rasa.seen)
    assert await road.say({"en": "one moment please", "zh": "请等一下"}[language]) == []
    code = await road.code_for("10001")
    assert await road.say(code) == [
        said("proven", language, name=EMMA["name"]),
        said("what_now", language),
    ]
    assert len(rasa.seen) == asked
    kinds = [kind for kind, _ in await road.notes()]
    assert kinds[-3:] == ["proof_asked", "code_sent", "proven"]
    assert code not in await road.everything_kept()


@BOTH
async def test_a_code_sent_back_to_the_letter_has_no_effect(road: IdentityRoad, said: Said, language: str) -> None:
    await road.say(START[language])
    code = await road.code_for("10001")
    await road.inbox.accept(
        InboundMessage(
            channel="letters",
            external_id="reply",
            conversation_key=road.letters.sent[-1].conversation_key,
            sender=EMMA["email"],
            raw=code.encode(),
            received_at=road.clock(),
        )
    )
    await road.settle()
    assert road.letters.texts()[-1] == said("wrong_place", language)
    assert (await road.conversation())["account"] is None
    assert said("proven", language, name=EMMA["name"]) in await road.say(code)


async def test_a_bot_that_is_down_after_the_proof_leaves_the_proof(road: IdentityRoad, rasa: FakeRasa) -> None:
    await road.say("where is my withdrawal")
    await road.say("verify me")
    code = await road.code_for("10001")
    rasa.mode = "error"
    assert await road.say(code) == [
        road.words.say("identity.proven", "en", name="Emma Clarke"),
        road.words.say("identity.what_now", "en"),
    ]
    assert (await road.conversation())["account"]["uid"] == "10001"


async def test_an_account_gets_no_fourth_code_from_several_processes_at_once(road: IdentityRoad) -> None:
    """Two stores on one database, as two desks have them; eight conversations ask in the same moment."""
    assert road.proofs.identity is not None
    for number in range(8):
        await road.receive("hello", f"c{number}")
    await road.settle()
    limits, codes = assembly.limits_of(IdentitySettings()), Codes(b"s" * 32)
    step = SendCode(
        claim=Claim("uid", "10001"),
        registered=Registered(**EMMA),
        waiting=None,
        language="en",
        codes=codes,
        limits=limits,
    )

    def send(key: str, connection: Connection) -> None:
        conversation = conversations.find(connection, "fake", key)
        assert conversation is not None
        step.carry_out(connection, conversation, road.clock())

    with closing(Store(road.store.url)) as other:
        stores = [road.store, other] * 4
        await asyncio.gather(*(store.write(partial(send, f"c{number}")) for number, store in enumerate(stores)))
    await road.mail()
    assert len(road.letters.sent) == 3
    assert len(await road.column(IdentityCode.id)) == 8
