"""One person on many conversations: one case per matter, and news of all cases to nobody else."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import select

from actions.commands import HandToPerson, OpenCase, Say, TellCaseStatus
from bot.store.identity_tables import IdentityProof
from bot.store.tables import Case, CaseEvent, Conversation, Person
from channels.contract import Account
from tests.fakes.rasa import FakeRasa
from tests.flow.conftest import ANNA
from tests.identity.conftest import IdentityRoad

BOTH = pytest.mark.parametrize("language", ["en", "zh"])
COMPLAINT = {"en": "my withdrawal is missing", "zh": "我的提现不见了"}
STATUS = {"en": "how is my case", "zh": "我的案件怎么样了"}
WITHDRAWAL = (OpenCase(label="withdrawal_issue"),)
DEPOSIT = (OpenCase(label="deposit_issue"),)


def account(road: IdentityRoad, uid: str = "10001", **changes: object) -> Account:
    values: dict[str, object] = {"name": "Emma Clarke", "until": road.clock() + timedelta(minutes=30), **changes}
    return Account(uid=uid, proven_by="app token", **values)  # type: ignore[arg-type]


async def app_says(road: IdentityRoad, text: str, key: str, uid: str = "10001") -> list[str]:
    """A message that the exchange's app vouches for."""
    before = len(road.channel.sent)
    await road.receive(text, key, account=account(road, uid))
    await road.settle()
    return road.channel.texts()[before:]


@BOTH
async def test_a_matter_brought_up_twice_by_one_person_is_one_case(
    road: IdentityRoad, rasa: FakeRasa, language: str
) -> None:
    rasa.answer = lambda _body: WITHDRAWAL
    await app_says(road, COMPLAINT[language], "one")
    [number] = await road.cases()
    await road.prove(key="two", language=language)
    said = await road.say(COMPLAINT[language], "two")
    assert await road.cases() == [number]
    assert number in said[0]
    assert await road.column(Person.uid) == ["10001"]
    one, two = await road.conversation("one"), await road.conversation("two")
    assert (one["person_id"], one["case_id"]) == (two["person_id"], two["case_id"])
    kinds = await road.store.read(lambda c: list(c.execute(select(CaseEvent.kind).order_by(CaseEvent.seq)).scalars()))
    assert kinds == ["opened", "conversation_joined", "message_added"]
    assert set(await road.outcomes()) == {"opened", "answered", "joined"}


async def test_another_class_and_another_time_are_other_matters(road: IdentityRoad, rasa: FakeRasa) -> None:
    rasa.answer = lambda _body: WITHDRAWAL
    await app_says(road, COMPLAINT["en"], "one")
    rasa.answer = lambda _body: DEPOSIT
    await app_says(road, "my deposit is missing", "two")
    rasa.answer = lambda _body: WITHDRAWAL
    road.clock.move(days=7, seconds=1)
    await app_says(road, COMPLAINT["en"], "three")
    assert len(await road.cases()) == 3


async def test_a_case_that_is_talked_about_stays_the_same_matter(road: IdentityRoad, rasa: FakeRasa) -> None:
    rasa.answer = lambda _body: WITHDRAWAL
    await app_says(road, COMPLAINT["en"], "one")
    for key in ("two", "three"):
        road.clock.move(days=6)
        await app_says(road, COMPLAINT["en"], key)
    assert len(await road.cases()) == 1


async def test_strangers_and_other_persons_get_cases_of_their_own(road: IdentityRoad, rasa: FakeRasa) -> None:
    rasa.answer = lambda _body: WITHDRAWAL
    await app_says(road, COMPLAINT["en"], "one")
    await road.say(COMPLAINT["en"], "stranger")
    await road.say("my UID is 10001, " + COMPLAINT["en"], "liar")
    await app_says(road, COMPLAINT["en"], "other", uid="10002")
    assert len(await road.cases()) == 4


async def test_a_proof_that_has_run_out_brings_nothing_together(road: IdentityRoad, rasa: FakeRasa) -> None:
    rasa.answer = lambda _body: WITHDRAWAL
    await app_says(road, COMPLAINT["en"], "one")
    rasa.answer = lambda _body: DEPOSIT
    await app_says(road, "my deposit is missing", "two")
    await road.handling.take_over(ANNA, (await road.conversation("two"))["id"])
    await road.handling.resolve(ANNA, (await road.conversation("two"))["id"])
    await road.deliver()
    road.clock.move(minutes=31)
    rasa.answer = lambda _body: WITHDRAWAL
    await road.say(COMPLAINT["en"], "two")
    assert len(await road.cases()) == 3


async def test_another_user_on_the_same_device_does_not_add_to_the_first_ones_case(
    road: IdentityRoad, rasa: FakeRasa
) -> None:
    rasa.answer = lambda _body: WITHDRAWAL
    await app_says(road, COMPLAINT["en"], "one")
    await app_says(road, COMPLAINT["en"], "one", uid="10002")
    assert len(await road.cases()) == 2
    rasa.answer = lambda _body: (TellCaseStatus(),)
    first, second = await road.cases()
    [told] = await app_says(road, STATUS["en"], "one", uid="10002")
    assert second in told
    assert first not in told


@BOTH
async def test_a_complaint_made_before_the_proof_is_the_persons_afterwards(
    road: IdentityRoad, rasa: FakeRasa, language: str
) -> None:
    rasa.answer = lambda _body: WITHDRAWAL
    await road.say(COMPLAINT[language], "one")
    await road.prove(key="one", language=language)
    rasa.answer = lambda _body: (TellCaseStatus(),)
    [number] = await road.cases()
    [told] = await app_says(road, STATUS[language], "two")
    assert number in told


@BOTH
async def test_a_complaint_made_between_two_proofs_is_the_persons_afterwards(
    road: IdentityRoad, rasa: FakeRasa, language: str
) -> None:
    await app_says(road, "hello", "one")
    road.clock.move(minutes=31)
    rasa.answer = lambda _body: WITHDRAWAL
    await road.say(COMPLAINT[language], "one")
    assert await road.column(Case.person_id) == [None]
    rasa.answer = lambda _body: (Say(key="greeting"),)
    await app_says(road, "hello", "one")
    assert await road.column(Case.person_id) == [(await road.conversation())["person_id"]]


@BOTH
async def test_the_status_of_all_open_cases_is_told_to_a_proven_person_only(
    road: IdentityRoad, rasa: FakeRasa, language: str
) -> None:
    rasa.answer = lambda _body: WITHDRAWAL
    await app_says(road, COMPLAINT[language], "one")
    rasa.answer = lambda _body: DEPOSIT
    await app_says(road, COMPLAINT[language], "two")
    rasa.answer = lambda _body: (TellCaseStatus(),)
    withdrawal, deposit = await road.cases()
    told = await app_says(road, STATUS[language], "three")
    assert len(told) == 2
    assert withdrawal in told[0]
    assert deposit in told[1]
    assert await road.say(f"{STATUS[language]} {withdrawal}", "stranger") == [
        road.words.say("case.none_here_prove", language)
    ]
    road.clock.move(minutes=31)
    assert await road.say(STATUS[language], "three") == [road.words.say("case.none_here_prove", language)]
    [own] = await road.say(STATUS[language], "one")
    assert withdrawal in own


@BOTH
async def test_the_question_about_the_case_waits_for_the_proof(
    road: IdentityRoad, rasa: FakeRasa, language: str
) -> None:
    rasa.answer = lambda _body: WITHDRAWAL
    await app_says(road, COMPLAINT[language], "one")
    [number] = await road.cases()
    rasa.answer = lambda _body: (TellCaseStatus(),)
    await road.say(STATUS[language], "two")
    proven, told = await road.prove(key="two", language=language)
    assert proven == road.words.say("identity.proven", language, name="Emma Clarke")
    assert number in told


@BOTH
async def test_a_proven_person_without_a_case_hears_so(road: IdentityRoad, rasa: FakeRasa, language: str) -> None:
    rasa.answer = lambda _body: (TellCaseStatus(),)
    assert await app_says(road, STATUS[language], "one") == [road.words.say("case.none_yours", language)]


async def test_a_renewed_token_lengthens_the_proof_and_writes_no_second_one(road: IdentityRoad) -> None:
    await app_says(road, "hello", "one")
    road.clock.move(minutes=20)
    await app_says(road, "hello", "one")
    await app_says(road, "hello", "one")
    until = road.clock() + timedelta(minutes=30)
    assert await road.column(IdentityProof.until) == [until]
    assert [kind for kind, _ in await road.notes()] == ["proven"]
    assert (await road.conversation())["account"]["until"] == until.isoformat()


async def test_a_code_outlasts_the_apps_token(road: IdentityRoad, rasa: FakeRasa) -> None:
    await road.prove()
    await app_says(road, "hello", "one")
    kept = (await road.conversation())["account"]
    assert kept["proven_by"] == "one-time code"
    assert kept["email"] == "emma.clarke@example.com"
    road.clock.move(hours=11)
    await road.say("and now?")
    assert rasa.seen[-1]["metadata"]["account"]["uid"] == "10001"


async def test_who_writes_in_two_conversations_at_once_is_one_person(road: IdentityRoad) -> None:
    for key in ("one", "two", "three"):
        await road.receive("hello", key, account=account(road))
    await road.settle()
    assert await road.column(Person.uid) == ["10001"]
    assert len(set(await road.column(Conversation.person_id))) == 1


async def test_an_agents_case_joins_the_persons_open_one(road: IdentityRoad, rasa: FakeRasa) -> None:
    rasa.answer = lambda _body: WITHDRAWAL
    await app_says(road, COMPLAINT["en"], "one")
    rasa.answer = lambda _body: (HandToPerson(),)
    await app_says(road, "a person please", "two")
    two = (await road.conversation("two"))["id"]
    await road.handling.take_over(ANNA, two)
    [number] = await road.cases()
    assert await road.handling.open_case(ANNA, two, "withdrawal_issue", "normal") == number
    owners = await road.column(Case.person_id)
    assert owners == [(await road.conversation("two"))["person_id"]]
