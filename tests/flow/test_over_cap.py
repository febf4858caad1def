"""A person who sends more than the channel's caps allow: who is asked, who is told, and who sees it in the end."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from typing import Any, override

import pytest
from sqlalchemy import select

from actions.commands import Command, Say, SetAside
from bot import ledger
from bot.store.tables import Inbox, Note
from channels.caps_contract import Caps
from channels.contract import ReadMessage
from tests.fakes.channel import FakeChannel
from tests.fakes.rasa import FakeRasa
from tests.flow.conftest import ANNA, PATIENCE, SILENCE, Road

CAPS = Caps(messages_per_minute=3, messages_per_hour=6)
SEED = "legal winner thank year wave sausage worth useful legal winner thank yellow"


@pytest.fixture(autouse=True)
def capped(road: Road) -> None:
    road.channel.capabilities = replace(road.channel.capabilities, caps=CAPS)


async def notes(road: Road, kind: str) -> list[dict[str, Any]]:
    query = select(Note.data).where(Note.kind == kind).order_by(Note.id)
    return await road.store.read(lambda c: [dict(data) for data in c.execute(query).scalars()])


def heard(rasa: FakeRasa) -> list[str]:
    return [body["text"] for body in rasa.seen]


async def test_the_bot_hears_so_many_in_a_minute_and_so_many_in_an_hour(road: Road, rasa: FakeRasa) -> None:
    for n in range(9):
        await road.say(f"line {n}")
        road.clock.move(seconds=15)
    assert heard(rasa) == ["line 0", "line 1", "line 2"]
    road.clock.move(minutes=2)
    await road.say("slower")
    assert heard(rasa) == ["line 0", "line 1", "line 2"]  # ten within the hour
    road.clock.move(minutes=62)
    await road.say("tomorrow")
    assert heard(rasa)[3:] == ["tomorrow"]


@pytest.mark.parametrize(("text", "language"), [("hello there friend", "en"), ("你好，请问一下", "zh")])
async def test_the_user_hears_it_once_per_burst(road: Road, text: str, language: str) -> None:
    for _ in range(CAPS.messages_per_minute):
        await road.say(text)
    assert await road.say(text) == [road.words.say("case.over_cap", language)]
    assert [await road.say(text), await road.say(text)] == [[], []]
    road.clock.move(seconds=60)
    assert await road.say(text) == []  # the hour is full now
    road.clock.move(seconds=SILENCE.total_seconds())
    await road.alarm.ring_due()
    await road.deliver()
    assert road.channel.texts()[-1] == road.words.say("case.person_soon", language)
    assert (await road.owner(), await notes(road, "queued")) == ("queue", [{"reasons": ["over_cap"]}])
    [brief] = await notes(road, "brief")
    assert (brief["wish"], brief["hand_over"]) == (text, ["over_cap"])


async def test_in_public_nothing_is_said(road: Road) -> None:
    road.channel.capabilities = replace(road.channel.capabilities, public=True, live=False)
    for _ in range(CAPS.messages_per_minute):
        await road.say("line")
    assert await road.say("one too many") == []
    road.clock.move(seconds=SILENCE.total_seconds())
    before = len(road.channel.texts())
    await road.alarm.ring_due()
    await road.deliver()
    assert (await road.owner(), len(road.channel.texts())) == ("queue", before)


async def test_what_sounds_grave_is_a_persons_at_once(road: Road) -> None:
    for _ in range(CAPS.messages_per_minute):
        await road.say("line")
    said = await road.say("my account was hacked and all my coins were stolen")
    assert said == [road.words.say("case.over_cap", "en")]
    [queued] = await notes(road, "queued")
    assert queued["reasons"][0] == "over_cap"
    assert len(queued["reasons"]) > 1
    road.clock.move(seconds=SILENCE.total_seconds())
    await road.alarm.ring_due()
    assert len(await notes(road, "queued")) == 1


async def test_whom_a_person_listens_to_has_no_cap(road: Road) -> None:
    accepted = await road.receive("hello")
    await road.settle()
    await road.handling.take_over(ANNA, accepted.conversation_id)
    await road.settle()
    for n in range(8):
        assert await road.say(f"line {n}") == []
    odd = await road.store.read(lambda c: list(c.execute(select(Inbox.note).where(Inbox.note.is_not(None)))))
    assert odd == []


async def test_a_person_who_had_it_is_not_asked_again(road: Road) -> None:
    for n in range(CAPS.messages_per_minute + 1):
        accepted = await road.receive(f"line {n}")
    await road.settle()
    await road.handling.take_over(ANNA, accepted.conversation_id)
    await road.handling.hand_back(ANNA, accepted.conversation_id)
    road.clock.move(seconds=SILENCE.total_seconds())
    await road.alarm.ring_due()
    assert (await road.owner(), await notes(road, "queued")) == ("bot", [])


async def test_a_burst_after_a_person_had_it_is_another_one(road: Road) -> None:
    for n in range(CAPS.messages_per_minute + 1):
        accepted = await road.receive(f"line {n}")
    await road.settle()
    await road.handling.take_over(ANNA, accepted.conversation_id)
    await road.handling.hand_back(ANNA, accepted.conversation_id)
    await road.settle()
    assert await road.say("and once more") == [road.words.say("case.over_cap", "en")]
    road.clock.move(seconds=SILENCE.total_seconds())
    await road.alarm.ring_due()
    assert (await road.owner(), await notes(road, "queued")) == ("queue", [{"reasons": ["over_cap"]}])


async def test_what_no_person_wrote_does_not_count(road: Road, rasa: FakeRasa) -> None:
    for n in range(8):
        await road.say(f"auto: position {n}")
    await road.say("here I am")
    assert heard(rasa) == ["here I am"]


async def test_secrets_are_taken_out_of_what_is_not_heard(road: Road) -> None:
    for _ in range(CAPS.messages_per_minute):
        await road.say("line")
    await road.say(f"my recovery phrase is {SEED}")
    texts = await road.store.read(lambda c: list(c.execute(select(Inbox.text).order_by(Inbox.id)).scalars()))
    assert "sausage" not in texts[-1]
    assert "secret_shared" in (await notes(road, "queued"))[0]["reasons"]


async def test_an_open_case_hears_of_it_and_the_books_balance(road: Road) -> None:
    for n in range(CAPS.messages_per_minute + 2):
        await road.receive(f"line {n}")
    await road.settle()
    assert (await road.outcomes())[-2:] == ["joined", "joined"]
    assert (await road.store.read(ledger.draw_up)).balanced
    road.clock.moment += max(SILENCE, PATIENCE.live, timedelta(minutes=1))
    await road.alarm.ring_due()
    assert (await road.store.read(ledger.draw_up)).balanced


class Attaching(FakeChannel):
    """Each message has a file at the peer."""

    @override
    async def skim(self, raw: bytes, envelope: Mapping[str, Any]) -> ReadMessage:
        return replace(await self.read(raw, envelope), unfetched=1)


@pytest.mark.parametrize(
    ("text", "answer"),
    [("auto: position 7", Say(key="greeting")), ("buy our coin", SetAside(reasons=("advertising",)))],
)
async def test_files_of_what_is_nobodys_work_are_nobodys_work(
    road: Road, rasa: FakeRasa, text: str, answer: Command
) -> None:
    road.turner.channels["fake"] = road.channel = Attaching(caps=CAPS)  # type: ignore[index] # a dict, as in the product
    rasa.answer = lambda _body: (answer,)
    await road.say(text)
    road.clock.move(seconds=SILENCE.total_seconds())
    await road.alarm.ring_due()
    assert (await road.outcomes(), await road.owner(), await notes(road, "queued")) == (["automatic"], "bot", [])
