"""What seldom happens: commits of unknown outcome, clocks that jump, rows that come back, faults of our own."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import Connection, insert, select, update

from actions.commands import Command, Say
from bot.finish import Ending, LeaseLost
from bot.inbox import Claim
from bot.ledger import draw_up
from bot.repository import timers
from bot.store.tables import Conversation, Inbox, Note, Outbox, Timer
from bot.turns import TurnRunner
from channels.faults import OutcomeUnknown, RetryLater
from escalation.cases import first_contact
from escalation.handling import AgentRef, TooLong
from tests.fakes.rasa import FakeRasa
from tests.flow.conftest import ANNA, BO, COMPLEX, LEASE, Road


async def broken_turn(road: Road, claim: Claim) -> None:
    """A turn that breaks, as `TurnRunner` treats it."""
    with pytest.raises((KeyError, RuntimeError)) as broke:
        await road.turner.work(claim)
    await road.turner.note_failure(claim, broke.value)
    road.clock.move(seconds=2)


async def test_a_commit_that_is_run_again_counts_once(road: Road) -> None:
    """The connection broke during COMMIT, it had committed all the same, and the writer runs the batch again."""
    first = await road.receive("hello")
    await road.receive("and again")
    claim = road.claims.pop()
    matter = await road.turner._next(claim)
    assert matter is not None
    thought = await road.turner._think(matter)
    ending = Ending(claim=claim, thought=thought, evidence=[])
    finished = await road.store.write_together(road.turner.finish.done, ending)
    assert finished.more
    with pytest.raises(LeaseLost):
        await road.store.write_together(road.turner.finish.done, ending)
    await road.turner.work(Claim(claim.conversation_id, claim.token))
    assert await road.outcomes() == ["answered", "answered"]
    pending = select(Conversation.pending).where(Conversation.id == first.conversation_id)
    assert await road.store.read(lambda c: c.execute(pending).scalar_one()) == 0


async def test_an_answer_that_cannot_be_carried_out_ends_as_a_case(road: Road, rasa: FakeRasa) -> None:
    def unknown_sentence(_body: dict[str, Any]) -> Sequence[Command]:
        return (Say(key="a sentence that nobody wrote"),)

    rasa.answer = unknown_sentence
    accepted = await road.receive("我的提现没到账")
    claim: Claim | None = road.claims.pop()
    for _ in range(2):
        assert claim is not None
        await broken_turn(road, claim)
        claim = await road.claim(accepted.conversation_id)
    assert claim is not None
    await road.turner.work(claim)
    await road.deliver()
    assert road.channel.texts()[0] == road.words.say("case.assistant_unavailable", "zh")
    assert (await road.cases())[0] in road.channel.texts()[1]
    assert await road.outcomes() == ["opened"]


async def test_a_full_evidence_disk_waits_and_parks_nothing(road: Road, monkeypatch: pytest.MonkeyPatch) -> None:
    accepted = await road.receive("file: proof.png")
    claim: Claim | None = road.claims.pop()
    with monkeypatch.context() as patch:
        patch.setattr(road.turner.evidence, "put", _no_space)
        for _ in range(5):
            assert claim is not None
            await road.turner.work(claim)
            road.clock.move(seconds=6)
            claim = await road.claim(accepted.conversation_id)
    assert claim is not None
    await road.turner.work(claim)
    assert await road.outcomes() == ["answered"]


def _no_space(_data: bytes) -> str:
    raise OSError(28, "No space left on device")


async def test_a_process_never_works_twice_on_one_conversation(road: Road) -> None:
    """Its own heartbeat was late; the scan must not take the conversation again."""
    await road.receive("hello")
    claim = road.claims.pop()
    runner = TurnRunner(road.turner, road.store, road.clock, width=2, lease=LEASE, scan_seconds=1)
    runner._work[claim] = None  # type: ignore[assignment]  # under way
    road.clock.move(minutes=1)
    await runner._claim_waiting()
    assert list(runner._work) == [claim]


async def test_a_clock_set_back_holds_nothing_up(road: Road) -> None:
    accepted = await road.receive("hello")
    road.claims.clear()
    road.clock.move(days=-1)
    claim = await road.claim(accepted.conversation_id)
    assert claim is not None
    await road.turner.work(claim)
    await road.store.write(lambda c: c.execute(update(Outbox).values(not_before=road.clock() + timedelta(days=3))))
    await road.deliver()
    assert len(road.channel.sent) == 1


async def test_a_timer_whose_number_was_given_away_is_not_lost(road: Road) -> None:
    def set_up(connection: Connection) -> None:
        timers.set_timer(connection, "test", "first", road.clock(), {})

    await road.store.write(set_up)
    [seen] = await road.store.read(lambda c: timers.due(c, road.clock(), 10))
    await road.store.write(lambda c: timers.cancel(c, "test", "first"))
    later = {"id": seen.id, "kind": "test", "key": "second", "due_at": road.clock(), "data": {}}
    await road.store.write(lambda c: c.execute(insert(Timer).values(**later)))
    assert await road.store.write(lambda c: timers.take(c, seen)) is False
    assert len(await road.store.read(lambda c: timers.due(c, road.clock(), 10))) == 1


async def test_a_broken_timer_does_not_hold_up_the_others(road: Road, rasa: FakeRasa) -> None:
    rasa.answer = lambda _body: COMPLEX
    await road.say("my money is gone")
    data = {"conversation_id": 424242}
    await road.store.write(lambda c: timers.set_timer(c, "queue_patience", "424242", road.clock(), data))
    road.clock.move(minutes=4)
    await road.alarm.ring_due()
    await road.deliver()
    assert road.channel.texts()[-1].startswith("Nobody from our team")
    assert await road.alarm.ring_due() == 0


@pytest.mark.parametrize("by_person", [True, False])
async def test_an_unknown_outcome_is_repeated_for_people_only(road: Road, by_person: bool) -> None:
    accepted = await road.receive("hello")
    await road.settle()
    if by_person:
        await road.handling.take_over(ANNA, accepted.conversation_id)
        await road.deliver()
        await road.handling.reply(ANNA, accepted.conversation_id, "I am on it.", nonce="n")
    else:
        await road.receive("hello again")
        await road.turn()
    sent = len(road.channel.sent)
    road.channel.fail_next = [OutcomeUnknown("silence after the last byte")]
    await road.deliver()
    road.clock.move(minutes=1)
    await road.deliver()
    assert len(road.channel.sent) == sent + (1 if by_person else 0)
    kinds = await road.store.read(lambda c: list(c.execute(select(Note.kind)).scalars()))
    assert ("not_reached" in kinds) is not by_person


async def test_an_agents_words_do_not_wait_behind_late_words_of_the_bot(road: Road) -> None:
    road.channel.fail_next = [RetryLater("greylisted", after_seconds=3600)]
    accepted = await road.receive("hello")
    await road.settle()
    await road.handling.take_over(ANNA, accepted.conversation_id)
    await road.handling.reply(ANNA, accepted.conversation_id, "I am here.", nonce="n")
    await road.deliver()
    assert road.channel.texts()[-1] == "I am here."


async def test_an_agent_who_falls_silent_is_noticed(road: Road, rasa: FakeRasa) -> None:
    rasa.answer = lambda _body: COMPLEX
    accepted = await road.receive("my money is gone")
    await road.settle()
    await road.handling.take_over(ANNA, accepted.conversation_id)
    await road.handling.reply(ANNA, accepted.conversation_id, "One moment.", nonce="n")
    await road.say("hello?")
    road.clock.move(minutes=4)
    assert await road.alarm.ring_due() == 1
    await road.deliver()
    assert road.channel.texts()[-1] == road.words.say("case.answer_delayed", "en")


async def test_a_supervisor_may_take_from_an_agent(road: Road) -> None:
    accepted = await road.receive("hello")
    await road.settle()
    await road.handling.take_over(ANNA, accepted.conversation_id)
    await road.handling.take_over(AgentRef(id=BO.id, name=BO.name, role="supervisor"), accepted.conversation_id)
    assert await road.owner() == f"agent:{BO.id}"


async def test_a_reply_too_long_for_the_channel_is_refused(road: Road) -> None:
    accepted = await road.receive("hello")
    await road.handling.take_over(ANNA, accepted.conversation_id)
    with pytest.raises(TooLong, match="4000"):
        await road.handling.reply(ANNA, accepted.conversation_id, "x" * 4_001, nonce="n")


async def test_the_ledger_notices_an_answer_that_never_was(road: Road) -> None:
    await road.say("hello")
    assert (await road.store.read(draw_up)).balanced
    await road.store.write(lambda c: c.execute(update(Outbox).values(origin="somewhere else")))
    book = await road.store.read(draw_up)
    assert (book.balanced, book.unproven["answered"]) == (False, 1)


async def test_the_ledger_notices_a_message_that_nobody_would_look_at(road: Road) -> None:
    await road.receive("hello")
    await road.store.write(lambda c: c.execute(update(Conversation).values(pending=0)))
    assert (await road.store.read(draw_up)).unproven["in_progress"] == 1
    assert await road.store.read(lambda c: c.execute(select(Inbox.state)).scalar_one()) == "new"


DAY = datetime(2026, 11, 22, tzinfo=UTC)


@pytest.mark.parametrize(
    ("days_ago", "expected"),
    [([0], 0), ([0, 0.1, 0.2], 0.2), ([0, 60], 0), ([0, 3, 6, 9, 60], 9), ([0, 7], 7), ([0, -1], 0)],
    ids=["alone", "one sitting", "an old hello", "a slow talk", "just within", "a clock set back"],
)
def test_the_clock_starts_with_the_first_message_of_the_matter(days_ago: list[float], expected: float) -> None:
    moments = [DAY - timedelta(days=ago) for ago in days_ago]
    assert first_contact(moments, timedelta(days=7)) == DAY - timedelta(days=expected)
