"""What an operator does to parked rows: they take their old place, nothing is said twice, the books stay balanced."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest
from sqlalchemy import select, update

from bot import parked
from bot.ledger import draw_up
from bot.parked import Name, NotDone, Order
from bot.store.tables import Conversation, Deed, Inbox, Note, Outbox
from channels.contract import Accepted
from channels.faults import NeedsPerson, OutcomeUnknown, Rejected
from tests.flow.conftest import ANNA, Road


def order(road: Road, **more: Any) -> Order:
    return Order(person="Mei", reason="the reader was mended", at=road.clock(), **more)


async def replay(road: Road, name: str, **more: Any) -> None:
    await road.store.write(lambda c: parked.replay(c, Name.of(name), order(road, **more)))


async def discard(road: Road, name: str) -> None:
    await road.store.write(lambda c: parked.discard(c, Name.of(name), order(road)))


async def names(road: Road) -> list[str]:
    return [row.name for row in await road.store.read(parked.everything)]


async def all_of(road: Road, *columns: Any) -> Sequence[Any]:
    query = select(*columns).order_by(columns[0].class_.id)
    return await road.store.read(lambda c: [tuple(row) for row in c.execute(query)])


async def park(road: Road, text: str, monkeypatch: pytest.MonkeyPatch) -> Accepted:
    """A message whose reader breaks until it is parked; afterwards the reader is well again."""

    async def broken(*_arguments: Any) -> None:
        raise RuntimeError("the reader broke")

    accepted = await road.receive(text)
    road.claims.clear()
    with monkeypatch.context() as patch:
        patch.setattr(road.channel, "read", broken)
        for _ in range(4):
            road.clock.move(minutes=1)
            if (claim := await road.claim(accepted.conversation_id)) is None:
                break
            try:
                await road.turner.work(claim)
            except RuntimeError as error:
                await road.turner.note_failure(claim, error)
    assert (await road.outcomes())[-1] == "parked"
    return accepted


async def work_off(road: Road, conversation_id: int) -> None:
    """What the scan of a running desk does."""
    claim = await road.claim(conversation_id)
    assert claim is not None
    await road.turner.work(claim)
    await road.deliver()


async def test_a_replayed_message_is_read_and_shown_to_the_person_who_has_it(
    road: Road, monkeypatch: pytest.MonkeyPatch
) -> None:
    accepted = await park(road, "我的提现没到账", monkeypatch)
    assert await names(road) == [f"inbox:{accepted.inbox_id}"]
    await replay(road, f"inbox:{accepted.inbox_id}")
    book = await road.store.read(draw_up)
    assert (book.balanced, book.outcomes) == (True, {"in_progress": 1})
    assert await all_of(road, Conversation.pending) == [(1,)]
    await work_off(road, accepted.conversation_id)
    assert await all_of(road, Inbox.state, Inbox.outcome, Inbox.text) == [("done", "joined", "我的提现没到账")]
    assert await all_of(road, Conversation.pending) == [(0,)]
    assert road.channel.sent == []
    assert (await road.store.read(draw_up)).balanced
    assert await names(road) == []


async def test_the_bot_answers_a_replayed_message_when_it_has_the_word(
    road: Road, monkeypatch: pytest.MonkeyPatch
) -> None:
    accepted = await park(road, "hello", monkeypatch)
    await road.handling.take_over(ANNA, accepted.conversation_id)
    await road.handling.hand_back(ANNA, accepted.conversation_id)
    said = len(road.channel.sent)
    await replay(road, f"inbox:{accepted.inbox_id}")
    await work_off(road, accepted.conversation_id)
    greeting = road.words.say("bot.greeting", "en")
    assert road.channel.texts()[said:].count(greeting) == 1
    assert await road.outcomes() == ["answered"]


async def test_a_replayed_message_goes_before_those_that_came_later(
    road: Road, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = await park(road, "first", monkeypatch)
    await road.receive("second")
    road.claims.clear()
    await replay(road, f"inbox:{first.inbox_id}")
    road.clock.move(minutes=1)
    claim = await road.claim(first.conversation_id)
    assert claim is not None
    matter = await road.turner._next(claim)
    assert matter is not None
    assert matter.row.id == first.inbox_id
    await road.turner.work(claim)
    assert await road.outcomes() == ["joined", "joined"]


async def test_replaying_or_discarding_twice_does_nothing_the_second_time(
    road: Road, monkeypatch: pytest.MonkeyPatch
) -> None:
    name = f"inbox:{(await park(road, 'hello', monkeypatch)).inbox_id}"
    await replay(road, name)
    for again in (replay, discard):
        with pytest.raises(NotDone, match=f"{name} is not parked"):
            await again(road, name)
    assert await all_of(road, Conversation.pending) == [(1,)]
    assert await all_of(road, Deed.deed) == [("replayed",)]


async def test_a_discarded_message_counts_as_rejected_and_agents_see_why(
    road: Road, monkeypatch: pytest.MonkeyPatch
) -> None:
    accepted = await park(road, "spam", monkeypatch)
    await discard(road, f"inbox:{accepted.inbox_id}")
    book = await road.store.read(draw_up)
    assert (book.balanced, book.outcomes) == (True, {"rejected": 1})
    assert await all_of(road, Deed.deed, Deed.target, Deed.person, Deed.reason) == [
        ("discarded", f"inbox:{accepted.inbox_id}", "Mei", "the reader was mended")
    ]
    noted = [data for kind, data in await all_of(road, Note.kind, Note.data) if kind == "discarded"]
    assert noted == [{"inbox_id": accepted.inbox_id, "reason": "the reader was mended, Mei"}]
    assert await names(road) == []


async def test_the_ledger_notices_a_rejection_that_nobody_ordered(road: Road) -> None:
    await road.say("hello")
    await road.store.write(lambda c: c.execute(update(Inbox).values(outcome="rejected")))
    book = await road.store.read(draw_up)
    assert (book.balanced, dict(book.suspects)) == (False, {"rejected": [1]})


@pytest.mark.parametrize("fault", [NeedsPerson("sign in again"), Rejected("no such user")])
async def test_a_replayed_answer_leaves_once_and_under_its_old_number(road: Road, fault: Exception) -> None:
    road.channel.fail_next = [fault]
    await road.say("hello")
    [name] = await names(road)
    await road.say("and again")
    assert len(road.channel.sent) == 1
    await replay(road, name)
    with pytest.raises(NotDone):
        await replay(road, name)
    await road.deliver()
    await road.deliver()
    assert [message.outbox_id for message in road.channel.sent] == [2, 1]
    assert await all_of(road, Outbox.state) == [("sent",), ("sent",)]
    assert await names(road) == []


async def test_trying_begins_anew_with_a_replay(road: Road) -> None:
    """The five days for which a peer may keep refusing count from the replay, not from the writing."""
    road.channel.fail_next = [Rejected("no such user")]
    await road.say("hello")
    road.clock.move(days=9)
    road.channel.fail_next = [RuntimeError("still broken")]
    await replay(road, "outbox:1")
    await road.deliver()
    assert await all_of(road, Outbox.state) == [("new",)]
    road.clock.move(hours=1)
    await road.deliver()
    assert await all_of(road, Outbox.state) == [("sent",)]


async def test_what_may_have_arrived_goes_again_only_when_that_is_wished(road: Road) -> None:
    road.channel.fail_next = [OutcomeUnknown("fell silent")]
    await road.say("hello")
    with pytest.raises(NotDone, match="--risk-repeat"):
        await replay(road, "outbox:1")
    await road.deliver()
    assert road.channel.sent == []
    await replay(road, "outbox:1", risk_repeat=True)
    await road.deliver()
    assert len(road.channel.sent) == 1


async def test_a_late_word_of_the_bot_cannot_be_replayed(road: Road) -> None:
    road.channel.fail_next = [Rejected("no such user")]
    await road.say("hello")
    await road.handling.take_over(ANNA, 1)
    with pytest.raises(NotDone, match="a person took over"):
        await replay(road, "outbox:1")
    await discard(road, "outbox:1")
    assert await names(road) == []
    assert (await all_of(road, Outbox.state))[0] == ("failed",)
    with pytest.raises(NotDone, match="not parked"):
        await discard(road, "outbox:1")


@pytest.mark.parametrize(
    "written", ["inbox", "inbox:", "inbox:x", "inbox:-1", "inbox:²", "case:1", "1", "inbox:" + "9" * 30]
)
def test_what_is_no_name_is_no_name(written: str) -> None:
    with pytest.raises(parked.NoSuchName):
        Name.of(written)


async def test_a_row_that_never_was_is_not_parked(road: Road) -> None:
    for name in ("inbox:77", "outbox:77"):
        for deed in (replay, discard):
            with pytest.raises(NotDone, match="not parked"):
                await deed(road, name)
