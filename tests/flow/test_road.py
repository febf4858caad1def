"""One message, end to end: stored before OK, answered once, in order; what breaks is parked; all is accounted for."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from unittest.mock import patch

import pytest

from actions.commands import Say
from bot import hub
from bot.finish import LeaseLost
from bot.ledger import draw_up
from bot.repository import conversations
from bot.tokens import new_token
from bot.transcript import ChannelTranscript
from bot.turns import TurnRunner
from channels.contract import Author
from tests.fakes.rasa import FakeRasa
from tests.flow.conftest import ANNA, COMPLEX, LEASE, Road


async def test_a_simple_question_is_answered_without_a_case(road: Road) -> None:
    assert await road.say("hello") == [road.words.say("bot.greeting", "en")]
    assert await road.say("你好，请问有人吗") == [road.words.say("bot.greeting", "zh")]
    assert await road.cases() == []
    assert await road.outcomes() == ["answered", "answered"]


async def test_a_complaint_becomes_a_case_and_a_person_is_awaited(road: Road, rasa: FakeRasa) -> None:
    rasa.answer = lambda _body: COMPLEX
    acknowledged, person = await road.say("我的提现三天没到账了")
    [number] = await road.cases()
    assert number in acknowledged
    assert "https://desk.example/track/" in acknowledged
    assert "2026年12月7日" in acknowledged
    assert person == road.words.say("case.person_soon", "zh")
    assert await road.owner() == "queue"
    assert await road.outcomes() == ["opened"]


async def test_the_same_message_again_changes_nothing(road: Road, rasa: FakeRasa) -> None:
    rasa.answer = lambda _body: COMPLEX
    first = await road.receive("help", external_id="x")
    again = await road.receive("help", external_id="x")
    await road.settle()
    assert (again.inbox_id, again.duplicate) == (first.inbox_id, True)
    assert len(await road.cases()) == 1
    assert len(road.channel.sent) == 2


async def test_the_same_message_at_the_same_time_is_stored_once(road: Road) -> None:
    accepted = await asyncio.gather(*(road.receive("hi", external_id="x") for _ in range(20)))
    assert {one.inbox_id for one in accepted} == {accepted[0].inbox_id}
    assert [one.duplicate for one in accepted].count(False) == 1


async def test_a_message_is_shown_before_it_is_worked_on(road: Road) -> None:
    """An agent who has the conversation open sees it although the bot still thinks, or is down."""
    transcript = ChannelTranscript("fake", road.store, road.hub, {"fake": road.channel}, road.links)
    async with transcript.changes("one") as woken:
        await road.receive("hello", external_id="x")
        await asyncio.wait_for(anext(woken), 2)
        assert [entry.text for entry in await transcript.entries("one", 0)] == ["hello"]
        await road.receive("hello", external_id="x")
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(anext(woken), 0.1)


async def test_what_a_turn_tells_is_what_the_store_would_show(
    road: Road, rasa: FakeRasa, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Watchers are spared the look only where it would show them the same."""
    monkeypatch.setattr(hub, "SOON_SECONDS", 60)  # no turn takes so long
    road.channel.capabilities = replace(road.channel.capabilities, immediate=True)
    transcript = ChannelTranscript("fake", road.store, road.hub, {"fake": road.channel}, road.links)
    rasa.answer = lambda body: COMPLEX if "withdrawal" in body["text"] else (Say(key="greeting", buttons=("yes",)),)
    async with transcript.changes("one") as woken:
        shown = 0
        for text in ("hello", "my withdrawal is missing", "hello?"):
            await road.receive(text)
            await road.turn()
            told = await asyncio.wait_for(anext(woken), 2)
            assert told == await transcript.entries("one", shown)
            shown = told[-1].seq


async def test_who_is_told_of_one_message_looks_when_another_waits(
    road: Road, rasa: FakeRasa, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The agent has the conversation: no reply stands between the two, whose missing would be noticed."""
    monkeypatch.setattr(hub, "SOON_SECONDS", 60)
    road.channel.capabilities = replace(road.channel.capabilities, immediate=True)
    accepted = await road.receive("hello")
    await road.settle()
    await road.handling.take_over(ANNA, accepted.conversation_id)
    await road.deliver()
    transcript = ChannelTranscript("fake", road.store, road.hub, {"fake": road.channel}, road.links)
    await asyncio.gather(*(road.receive(text) for text in ("first", "second")))
    async with transcript.changes("one") as woken:
        await road.turn()
        assert await asyncio.wait_for(anext(woken), 2) is None
        shown = [entry.text for entry in await transcript.entries("one", 0) if entry.author is Author.USER]
    assert sorted(shown) == ["first", "hello", "second"]


async def test_a_turn_whose_replies_are_still_to_be_sent_tells_nothing_of_them(road: Road) -> None:
    transcript = ChannelTranscript("fake", road.store, road.hub, {"fake": road.channel}, road.links)
    async with transcript.changes("one") as woken:
        await road.receive("hello")
        await road.turn()
        assert await asyncio.wait_for(anext(woken), 2) is None


async def test_messages_of_a_conversation_are_answered_in_order(road: Road, rasa: FakeRasa) -> None:
    await asyncio.gather(*(road.receive(f"message {number}", key=f"c{number % 3}") for number in range(30)))
    await road.settle()
    for key in ("c0", "c1", "c2"):
        order = [body["inbox_id"] for body in rasa.seen if body["sender"] == f"fake:{key}"]
        assert order == sorted(order)
        assert len(order) == 10
    assert len(road.channel.sent) == 30


async def test_automatic_messages_are_kept_and_not_answered(road: Road, rasa: FakeRasa) -> None:
    assert await road.say("auto: I am out of office") == []
    assert rasa.seen == []
    assert await road.outcomes() == ["automatic"]


async def test_a_message_that_breaks_every_turn_is_parked_and_the_conversation_goes_on(road: Road) -> None:
    accepted = await road.receive("bomb")
    claim = road.claims.pop()
    for _ in range(3):
        with pytest.raises(RuntimeError) as broke:
            await road.turner.work(claim)
        await road.turner.note_failure(claim, broke.value)
        road.clock.move(seconds=2)
        found = await road.claim(accepted.conversation_id)
        assert found is not None
        claim = found
    await road.turner.work(claim)
    assert await road.outcomes() == ["parked"]
    assert await road.owner() == "queue"
    assert await road.say("hello again") == []
    assert await road.outcomes() == ["parked", "joined"]


async def test_a_message_that_kills_every_worker_is_parked(road: Road) -> None:
    accepted = await road.receive("hello")
    road.claims.clear()
    runner = TurnRunner(road.turner, road.store, road.clock, width=1, lease=LEASE, scan_seconds=1)
    for _ in range(4):
        road.clock.move(seconds=16)
        await road.store.write(lambda c: runner._take({accepted.conversation_id: new_token()}, c))
    road.clock.move(seconds=16)
    claim = await road.claim(accepted.conversation_id)
    assert claim is not None
    await road.turner.work(claim)
    assert await road.outcomes() == ["parked"]


async def test_whoever_lost_the_lease_writes_nothing(road: Road, rasa: FakeRasa) -> None:
    rasa.mode = "hang"
    accepted = await road.receive("hello")
    first = road.claims.pop()
    late = asyncio.create_task(road.turner.work(first))
    await rasa.asked.wait()
    road.clock.move(seconds=20)
    rasa.mode = "well"
    second = await road.claim(accepted.conversation_id)
    assert second is not None
    await road.turner.work(second)
    rasa.released.set()
    with pytest.raises(LeaseLost):
        await late
    await road.deliver()
    assert road.channel.texts() == [road.words.say("bot.greeting", "en")]


async def test_a_held_lease_cannot_be_taken(road: Road) -> None:
    accepted = await road.receive("hello")
    assert await road.claim(accepted.conversation_id) is None
    road.clock.move(seconds=16)
    assert await road.claim(accepted.conversation_id) is not None


async def test_everything_received_is_accounted_for(road: Road, rasa: FakeRasa) -> None:
    await road.say("hello")
    await road.say("auto: out of office")
    rasa.answer = lambda _body: COMPLEX
    await road.say("my money is gone")
    await road.say("hello?")
    await road.receive("waiting", key="two")
    book = await road.store.read(draw_up)
    assert book.balanced
    assert dict(book.outcomes) == {"answered": 1, "automatic": 1, "opened": 1, "joined": 1, "in_progress": 1}


async def test_what_waits_behind_a_message_is_read_with_the_commit_that_ends_it(road: Road, rasa: FakeRasa) -> None:
    for text in ("one", "two", "three"):
        await road.receive(text)
    [claim], road.claims[:] = list(road.claims), []
    with patch.object(type(road.store), "read", side_effect=AssertionError("nothing is to be read beside the commits")):
        await road.turner.work(claim)
    assert [body["text"] for body in rasa.seen] == ["one", "two", "three"]
    assert await road.outcomes() == ["answered"] * 3
    assert await road.store.read(lambda c: conversations.get(c, 1).lease_token) is None
