"""What a message seems to belong to: shown to agents, joined by nobody but them; and what is proven late."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, override

import pytest
from sqlalchemy import select

from bot.store.tables import CaseEvent, Conversation, Note
from channels.contract import Kind, ReadMessage
from tests.fakes.channel import FakeChannel
from tests.fakes.rasa import FakeRasa
from tests.flow.conftest import COMPLEX, Road


class Names(FakeChannel):
    """ "after one: text" names the conversation "one", "proven one: text" is proven to continue it."""

    @override
    async def read(self, raw: bytes, envelope: Mapping[str, Any]) -> ReadMessage:
        how, _, rest = raw.decode().partition(" ")
        key, _, text = rest.partition(": ")
        if how not in ("after", "proven", "robot"):
            return await super().read(raw, envelope)
        kind = Kind.AUTOMATIC if how == "robot" else Kind.MESSAGE
        return ReadMessage(text=text, kind=kind, continues=key if how == "proven" else None, seems_to_continue=(key,))


@pytest.fixture
async def number(road: Road, rasa: FakeRasa) -> str:
    """Of a case that was opened in the conversation "one"."""
    road.turner.channels["fake"] = names = Names()  # type: ignore[index] # a dict, as in the product
    road.channel = road.deliverer.channels["fake"] = names  # type: ignore[index]
    rasa.answer = lambda _body: COMPLEX
    await road.say("my withdrawal is missing")
    return (await road.cases())[0]


async def related(road: Road, key: str) -> list[dict[str, Any]]:
    query = select(Note.data).join(Conversation).where(Conversation.key == key, Note.kind == "related")
    return await road.store.read(lambda c: list(c.execute(query.order_by(Note.id)).scalars()))


async def case_of(road: Road, key: str) -> int | None:
    query = select(Conversation.case_id).where(Conversation.key == key)
    return await road.store.read(lambda c: c.execute(query).scalar_one())


async def events(road: Road) -> list[str]:
    query = select(CaseEvent.kind).where(CaseEvent.case_id == await case_of(road, "one")).order_by(CaseEvent.seq)
    return await road.store.read(lambda c: list(c.execute(query).scalars()))


async def test_a_number_that_was_said_is_shown_once_and_joins_nothing(road: Road, number: str) -> None:
    before = await events(road)
    for _ in range(2):
        said = await road.say(f"what about {number.lower().replace('-', ' ')}? And RD-33333-33333?", "two")
        assert number not in " ".join(said)
    found = await related(road, "two")
    assert found == [{"conversation_id": None, "case_id": await case_of(road, "one"), "reason": "said_number"}]
    assert await case_of(road, "two") not in (None, await case_of(road, "one"))
    assert await events(road) == before


async def test_the_own_number_is_no_relation(road: Road, number: str) -> None:
    await road.say(f"anything new about {number}?")
    assert await related(road, "one") == []


@pytest.mark.parametrize("how", ["after", "robot"])
async def test_a_conversation_that_is_named_is_shown_and_not_joined(road: Road, number: str, how: str) -> None:
    before = await events(road)
    said = await road.say(f"{how} one: pay it out to me", "two")
    assert number not in " ".join(said)
    (found,) = await related(road, "two")
    assert (found["case_id"], found["reason"]) == (await case_of(road, "one"), "named_conversation")
    assert await case_of(road, "two") != await case_of(road, "one")
    assert await events(road) == before
    assert (await road.outcomes())[1] == ("automatic" if how == "robot" else "opened")


async def test_names_of_nothing_are_no_relations(road: Road, number: str) -> None:
    await road.say("after nowhere: hello", "two")
    await road.say("after two: hello", "two")
    assert await related(road, "two") == []


async def test_what_is_proven_late_brings_its_case_and_opens_no_second_one(road: Road, number: str) -> None:
    said = await road.say("proven one: here is the hash", "two")
    assert await case_of(road, "two") == await case_of(road, "one")
    assert await road.cases() == [number]
    assert "conversation_joined" in await events(road)
    assert (await road.outcomes())[1] == "joined"
    assert await related(road, "two") == []
    assert number in " ".join(said)


async def test_what_is_proven_late_keeps_the_case_that_it_has(road: Road, number: str) -> None:
    await road.say("another matter", "two")
    own = await case_of(road, "two")
    await road.say("proven one: and this", "two")
    assert await case_of(road, "two") == own
    assert [each["reason"] for each in await related(road, "two")] == ["named_conversation"]
