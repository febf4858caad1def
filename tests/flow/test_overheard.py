"""Posts that do not speak to us: set aside, read by a person or a case; never parked in a conversation with nobody."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, override

import pytest
from sqlalchemy import select

from actions.commands import HandToPerson, SetAside
from bot import ledger
from bot.repository import conversations
from bot.repository.conversations import ConversationRow
from bot.store.tables import Conversation, Note
from channels.contract import ReadMessage
from channels.public_contract import Public
from tests.fakes.channel import FakeChannel
from tests.fakes.rasa import FakeRasa, greeting
from tests.flow.conftest import ANNA, COMPLEX, Road

ASIDE = (SetAside(reasons=("no_complaint",)),)


class Keywords(FakeChannel):
    """ "found: text" does not speak to us."""

    @override
    async def read(self, raw: bytes, envelope: Mapping[str, Any]) -> ReadMessage:
        head, found, text = raw.decode().partition("found: ")
        if not found or head:
            return await super().read(raw, envelope)
        where = {"addressed": "no"}
        return ReadMessage(text=text, thread=where, note="found by a word", public=Public(addressed=False))


@pytest.fixture(autouse=True)
async def keywords(road: Road, rasa: FakeRasa) -> None:
    road.turner.channels["fake"] = channel = Keywords()  # type: ignore[index] # a dict, as in the product
    road.channel = road.deliverer.channels["fake"] = channel  # type: ignore[index]
    rasa.answer = lambda body: ASIDE if body["metadata"]["overheard"] else greeting(body)


async def conversation(road: Road) -> ConversationRow:
    found = await road.store.read(lambda c: conversations.find(c, "fake", "one"))
    assert found is not None
    return found


async def notes(road: Road) -> list[str]:
    query = select(Note.kind).join(Conversation).where(Conversation.key == "one").order_by(Note.id)
    return await road.store.read(lambda c: list(c.execute(query).scalars()))


async def test_what_is_no_complaint_is_nobodys_work_and_accounted_for(road: Road) -> None:
    assert await road.say("found: the exchange lists a token") == []
    found = await conversation(road)
    assert (found.owner, found.case_id, found.resolved_at is None) == ("bot", None, False)
    assert (await road.outcomes(), await road.cases(), await notes(road)) == (["automatic"], [], ["set_aside"])
    book = await road.store.read(ledger.draw_up)
    assert book.balanced
    assert book.outcomes == {"automatic": 1}


async def test_it_teaches_the_conversation_nothing_and_leaves_an_open_one_open(road: Road) -> None:
    await road.say("hello")
    before = await conversation(road)
    await road.say("found: lovely")
    after = await conversation(road)
    assert (after.thread, after.language, after.resolved_at) == (before.thread, before.language, None)


async def test_who_writes_to_us_afterwards_is_answered(road: Road) -> None:
    await road.say("found: lovely")
    assert await road.say("hello")
    assert (await conversation(road)).resolved_at is None


async def test_a_complaint_is_a_case_in_the_queue(road: Road, rasa: FakeRasa) -> None:
    rasa.answer = lambda _body: COMPLEX
    await road.say("found: my withdrawal is missing")
    assert (await road.outcomes(), await road.owner(), len(await road.cases())) == (["opened"], "queue", 1)


async def test_the_bot_hears_whether_the_author_is_known(road: Road, rasa: FakeRasa) -> None:
    async def known() -> list[bool]:
        return [body["metadata"]["known"] for body in rasa.seen if body["metadata"]["overheard"]]

    await road.say("found: one")
    await road.say("found: two")
    await road.say("hello")
    await road.say("found: three")
    await road.say("found: other", "stranger")
    assert await known() == [False, False, True, False]


async def test_in_a_conversation_of_a_person_it_joins(road: Road) -> None:
    await road.say("hello")
    conversation_id = (await conversation(road)).id
    await road.handling.take_over(ANNA, conversation_id)
    await road.say("found: still not there")
    assert (await road.outcomes())[-1] == "joined"


async def test_without_the_bot_or_words_a_person_reads_it_and_no_case_is_opened(road: Road, rasa: FakeRasa) -> None:
    rasa.mode = "error"
    await road.say("found: something about us")
    await road.say("found: ", "wordless")
    assert await road.outcomes() == ["joined", "joined"]
    assert [await road.owner(), await road.owner("wordless")] == ["queue", "queue"]
    assert await road.cases() == []


async def test_a_person_reads_what_may_be_one(road: Road, rasa: FakeRasa) -> None:
    rasa.answer = lambda _body: (HandToPerson(reasons=("overheard_unclear",)),)
    await road.say("found: is it down?")
    assert (await road.outcomes(), await road.owner(), await road.cases()) == (["joined"], "queue", [])
