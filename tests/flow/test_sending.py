"""The way out: order kept, tried again, never risked twice, shown to a person when it cannot go."""

from __future__ import annotations

from dataclasses import replace

import pytest
from sqlalchemy import select

from actions.commands import Say
from bot.store.tables import Inbox, Outbox
from channels.faults import NeedsPerson, Rejected, RetryLater
from tests.fakes.rasa import FakeRasa
from tests.flow.conftest import ANNA, COMPLEX, Road


async def test_one_reply_per_turn_where_the_channel_wants_it(road: Road, rasa: FakeRasa) -> None:
    road.channel.capabilities = replace(road.channel.capabilities, one_reply=True, live=False, buttons=False)
    rasa.answer = lambda _body: (Say(key="greeting"), *COMPLEX)
    [text] = await road.say("hello, my money is gone")
    assert text.startswith(road.words.say("bot.greeting", "en"))
    assert (await road.cases())[0] in text


async def test_a_refusing_peer_is_tried_again_later_and_the_order_is_kept(road: Road) -> None:
    road.channel.fail_next = [RetryLater("greylisted", after_seconds=60)]
    await road.receive("first")
    await road.receive("second")
    await road.settle()
    assert road.channel.sent == []
    road.clock.move(seconds=61)
    await road.deliver()
    assert [message.seq for message in road.channel.sent] == sorted(message.seq for message in road.channel.sent)
    assert len(road.channel.sent) == 2


@pytest.mark.parametrize(("fault", "state"), [(NeedsPerson("no address"), "parked"), (Rejected("unknown"), "failed")])
async def test_what_cannot_be_sent_is_shown_to_a_person(road: Road, fault: Exception, state: str) -> None:
    road.channel.fail_next = [fault]
    await road.say("hello")
    found = await road.store.read(lambda c: c.execute(select(Outbox.state, Outbox.error)).one())
    assert found == (state, str(fault))
    assert len(await road.say("hello again")) == 1


async def test_an_interrupted_automatic_answer_is_not_risked_twice(road: Road) -> None:
    road.channel.capabilities = replace(road.channel.capabilities, repeat_harmless=False)
    accepted = await road.receive("hello")
    await road.turn()
    [automatic] = await road.store.read(lambda c: list(c.execute(select(Outbox.id)).scalars()))
    await road.store.write_together(road.deliverer._claim, automatic)  # the process dies here
    road.clock.move(seconds=20)
    await road.deliver()
    await road.handling.take_over(ANNA, accepted.conversation_id)
    await road.deliver()
    said = await road.handling.reply(ANNA, accepted.conversation_id, "by a person", nonce="n")
    await road.store.write_together(road.deliverer._claim, said)  # and here
    road.clock.move(seconds=20)
    await road.deliver()
    states = await road.store.read(lambda c: list(c.execute(select(Outbox.state).order_by(Outbox.seq)).scalars()))
    assert states == ["unknown", "sent", "sent"]
    assert road.channel.texts()[-1] == "by a person"


async def test_large_raw_bytes_are_a_file_named_by_their_hash(road: Road) -> None:
    text = "长" * 60_000
    accepted = await road.receive(text)
    row = await road.store.read(lambda c: c.execute(select(Inbox.raw, Inbox.raw_sha256, Inbox.raw_size)).one())
    assert row.raw is None
    assert road.raw.get(row.raw_sha256) == text.encode()
    await road.settle()
    assert accepted.seq == 1
    assert await road.outcomes() == ["answered"]


async def test_what_a_turn_says_to_someone_who_watches_has_arrived_with_its_commit(road: Road, rasa: FakeRasa) -> None:
    road.channel.capabilities = replace(road.channel.capabilities, immediate=True)
    rasa.answer = lambda _body: (Say(key="greeting"), Say(key="welcome"))
    await road.receive("hello")
    await road.turn()
    assert await states(road) == ["sent", "sent"]
    await road.settle()
    assert road.channel.sent == []


async def test_what_a_turn_says_does_not_overtake_what_still_waits(road: Road) -> None:
    road.channel.capabilities = replace(road.channel.capabilities, immediate=True)
    accepted = await road.receive("hello")
    await road.turn()
    await road.handling.take_over(ANNA, accepted.conversation_id)
    await road.deliver()
    road.channel.fail_next = [RetryLater("busy")]
    await road.handling.reply(ANNA, accepted.conversation_id, "one moment", nonce="n")
    await road.deliver()
    await road.handling.hand_back(ANNA, accepted.conversation_id)
    await road.say("and another")
    waiting = [state for state in await states(road) if state == "new"]
    assert len(waiting) >= 2
    road.clock.move(minutes=1)
    await road.deliver()
    assert set(await states(road)) == {"sent"}
    assert [message.seq for message in road.channel.sent] == sorted(message.seq for message in road.channel.sent)


async def states(road: Road) -> list[str]:
    query = select(Outbox.state).order_by(Outbox.seq)
    return await road.store.read(lambda c: list(c.execute(query).scalars()))
