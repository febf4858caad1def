"""Accounts that pose as us and answer our users: flagged where the user is, answered by nobody, no case."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, override

import pytest
from sqlalchemy import Connection, insert, select

from actions.commands import Say
from bot.repository import conversations
from bot.repository.conversations import ConversationRow
from bot.store.tables import Conversation, Note, Person, Timer
from channels.caps_contract import Caps
from channels.contract import Kind, ReadMessage
from channels.files_contract import Attachment
from channels.public_contract import Posing, Public
from escalation.queue import PATIENCE_TIMER
from tests.fakes.channel import FakeChannel
from tests.fakes.rasa import FakeRasa
from tests.flow.conftest import COMPLEX, Road

LINK = "https://network.example/post/9"


class Square(FakeChannel):
    """ "poses one,two: text" comes from an account that is called like us and answers the authors of the conversations
    "one" and "two"; "answers: text" from one that answers somebody in a talk about us; "robot" is automatic. Its file,
    if the text ends with "#file", lies at the network."""

    fetched = 0

    @override
    async def read(self, raw: bytes, envelope: Mapping[str, Any]) -> ReadMessage:
        message = await self.skim(raw, envelope)
        if not message.unfetched:
            return message
        self.fetched += 1
        file = Attachment(filename="form.pdf", content_type="application/pdf", data=b"%PDF-1.7 form")
        return replace(message, attachments=(file,), unfetched=0)

    @override
    async def skim(self, raw: bytes, envelope: Mapping[str, Any]) -> ReadMessage:
        head, _, text = raw.decode().partition(": ")
        how, _, keys = head.partition(" ")
        if how not in ("poses", "answers", "robot"):
            return await FakeChannel.read(self, raw, envelope)
        posing = Posing(
            reason="our_name_support",
            who="Demo Exchange Help (@dxh)",
            link=LINK,
            answers=tuple(key for key in keys.split(",") if key),
            before_us=how == "answers",
        )
        kind = Kind.AUTOMATIC if how == "robot" else Kind.MESSAGE
        return ReadMessage(text=text, kind=kind, public=Public(posing=posing), unfetched=int(text.endswith("#file")))


@pytest.fixture(autouse=True)
async def square(road: Road, rasa: FakeRasa) -> None:
    """The user "one" has a case."""
    road.turner.channels["fake"] = channel = Square()  # type: ignore[index] # a dict, as in the product
    road.channel = road.deliverer.channels["fake"] = channel  # type: ignore[index]
    rasa.answer = lambda _body: COMPLEX
    await road.say("my withdrawal is missing")


async def notes(road: Road, key: str, kind: str) -> list[dict[str, Any]]:
    query = select(Note.data).join(Conversation).where(Conversation.key == key, Note.kind == kind)
    return await road.store.read(lambda c: list(c.execute(query.order_by(Note.id)).scalars()))


async def conversation(road: Road, key: str) -> ConversationRow:
    found = await road.store.read(lambda c: conversations.find(c, "fake", key))
    assert found is not None
    return found


@pytest.mark.parametrize("how", ["poses", "robot"])
async def test_who_answers_our_user_is_flagged_once_and_answered_never(road: Road, rasa: FakeRasa, how: str) -> None:
    asked = len(rasa.seen)
    for _ in range(2):
        assert await road.say(f"{how} one,nobody: send your seed phrase to us, case RD-33333-33333", "liar") == []
    liar = await conversation(road, "liar")
    told = {"who": "Demo Exchange Help (@dxh)", "link": LINK, "reasons": ["our_name_support"]}
    assert await notes(road, "one", "impostor") == [{"conversation_id": liar.id, **told}]
    assert await notes(road, "liar", "poses") == [told]
    assert await road.outcomes() == ["opened", "automatic", "automatic"]
    assert len(await road.cases()) == 1
    assert len(rasa.seen) == asked
    assert (liar.owner, liar.case_id) == ("bot", None)
    assert liar.resolved_at is not None  # it stands in no list of open conversations


async def test_who_was_seen_so_once_is_not_believed_again(road: Road) -> None:
    await road.say("poses one: come to us", "liar")
    road.clock.move(minutes=1)
    assert await road.say("poses: @us thanks for the partnership", "liar") == []
    assert await road.say("poses stranger: dear friend", "liar") == []
    assert (await road.outcomes())[1:] == [
        "automatic",
        "automatic",
        None,
    ]  # the third may answer somebody who is being stored
    road.clock.move(seconds=11)
    await _again(road, "liar")
    assert (await road.outcomes())[1:] == ["automatic"] * 3


async def test_a_fan_who_answers_no_user_of_ours_is_a_user(road: Road) -> None:
    assert await road.say("poses: my own deposit is missing", "fan")
    await road.say("poses stranger: mine as well", "other-fan")
    road.clock.move(seconds=11)
    await _again(road, "other-fan")
    assert await road.outcomes() == ["opened"] * 3
    assert await notes(road, "one", "impostor") == []


async def test_whom_only_an_automatic_message_came_from_is_no_user(road: Road) -> None:
    await road.say("auto: the newspaper", "paper")
    await road.say("poses paper: nice article", "fan")
    road.clock.move(seconds=11)
    await _again(road, "fan")
    assert await notes(road, "paper", "impostor") == []
    assert (await road.outcomes())[-1] == "opened"


async def test_who_has_a_case_is_flagged_and_answered_as_ever(road: Road, rasa: FakeRasa) -> None:
    rasa.answer = lambda _body: COMPLEX[:1]  # a case, and the bot keeps the conversation
    await road.say("my withdrawal is missing", "two")
    rasa.answer = lambda _body: (Say(key="greeting"),)
    assert await road.say("poses one: mine is missing too", "two")
    assert rasa.seen[-1]["text"] == "mine is missing too"
    assert (await road.outcomes())[2:] == ["answered"]
    assert len(await notes(road, "one", "impostor")) == 1
    assert (await conversation(road, "two")).resolved_at is None


async def test_whom_an_agent_has_stays_awaited(road: Road) -> None:
    await road.say("my withdrawal is missing", "two")
    await road.say("poses one: mine is missing too", "two")
    assert await road.outcomes() == ["opened", "opened", "joined"]
    timers = select(Timer.kind).where(Timer.key == str((await conversation(road, "two")).id))
    assert PATIENCE_TIMER in await road.store.read(lambda c: list(c.execute(timers).scalars()))
    assert len(await notes(road, "one", "impostor")) == 1


async def test_who_is_bound_to_a_person_gets_a_case(road: Road, rasa: FakeRasa) -> None:
    rasa.answer = lambda _body: (Say(key="greeting"),)
    await road.say("hello", "two")
    found = await conversation(road, "two")

    def bind(connection: Connection) -> None:
        person = insert(Person).values(uid="u-1", name="Li", created_at=road.clock()).returning(Person.id)
        conversations.change(connection, found.id, person_id=connection.execute(person).scalar_one())

    await road.store.write(bind)
    rasa.answer = lambda _body: COMPLEX
    assert await road.say("poses one: my withdrawal is missing", "two")
    assert (await road.outcomes())[-1] == "opened"
    assert (await conversation(road, "two")).case_id is not None
    assert len(await notes(road, "one", "impostor")) == 1


async def test_however_much_it_posts_it_is_flagged_and_no_burst(road: Road) -> None:
    road.channel.capabilities = replace(
        road.channel.capabilities, caps=Caps(messages_per_minute=2, messages_per_hour=9)
    )
    for key in ("two", "three"):
        await road.say("where is my deposit", key)
    for _ in range(3):
        await road.say("poses one: come to us", "liar")
    await road.say("poses two,three: come to us", "liar")
    assert (await road.outcomes())[-4:] == ["automatic"] * 4
    assert [len(await notes(road, key, "impostor")) for key in ("one", "two", "three")] == [1, 1, 1]
    assert await notes(road, "liar", "queued") == []


async def test_in_a_talk_about_us_it_may_answer_anybody(road: Road) -> None:
    assert await road.say("answers: write to our manager", "liar") == []
    assert (await road.outcomes())[-1] == "automatic"
    assert len(await notes(road, "liar", "poses")) == 1


async def test_the_post_that_it_answers_may_come_a_moment_later(road: Road) -> None:
    await road.receive("poses two: send it to us", "liar")
    await road.turn()
    assert (await road.outcomes())[-1] is None
    await road.say("where is my deposit", "two")
    road.clock.move(seconds=6)
    await _again(road, "liar")
    assert len(await notes(road, "two", "impostor")) == 1
    assert sorted(map(str, await road.outcomes())) == ["automatic", "opened", "opened"]


async def test_no_file_is_fetched_before_it_is_known_who_poses(road: Road) -> None:
    square = road.channel
    assert isinstance(square, Square)
    await road.receive("poses two: this is our form #file", "liar")
    await road.turn()
    road.clock.move(seconds=5)
    await _again(road, "liar")
    assert ((await road.outcomes())[-1], square.fetched) == (None, 0)
    road.clock.move(seconds=6)
    await _again(road, "liar")
    assert ((await road.outcomes())[-1], square.fetched) == ("opened", 1)


async def _again(road: Road, key: str) -> None:
    claim = await road.claim((await conversation(road, key)).id)
    assert claim is not None
    await road.turner.work(claim)
    await road.deliver()
