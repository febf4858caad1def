"""Claims in hand: how many, what becomes of them at a stop, and who is told that he finished."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from datetime import timedelta

import pytest
from sqlalchemy import select, update

from bot import serve, turns
from bot.clock import now
from bot.deliveries import DeliveryRunner
from bot.finish import Ending, LeaseLost
from bot.inbox import Claim
from bot.repository import conversations
from bot.store.tables import Conversation, Inbox, Outbox
from bot.turns import TurnRunner
from channels.contract import SendReceipt
from escalation import cases
from tests.fakes.rasa import FakeRasa
from tests.flow.conftest import COMPLEX, LEASE, Road


def runner(road: Road, width: int = 1, lease: timedelta = LEASE, scan_seconds: float = 60) -> TurnRunner:
    return TurnRunner(road.turner, road.store, road.clock, width=width, lease=lease, scan_seconds=scan_seconds)


async def backlog(road: Road, count: int) -> Sequence[Claim]:
    """Claims as the accepts took them: each of a conversation of its own."""
    for number in range(count):
        await road.receive("hello", key=str(number))
    taken, road.claims[:] = list(road.claims), []
    return taken


async def leases(road: Road) -> list[str | None]:
    query = select(Conversation.lease_token).order_by(Conversation.id)
    return await road.store.read(lambda c: list(c.execute(query).scalars()))


async def deaths(road: Road) -> set[int]:
    return await road.store.read(lambda c: set(c.execute(select(Inbox.deaths)).scalars()))


async def test_a_stop_gives_back_what_has_not_begun_and_finishes_what_has(road: Road, rasa: FakeRasa) -> None:
    rasa.mode = "hang"
    claims, running = await backlog(road, 4), runner(road)
    for claim in claims:
        running.start(claim)
    await rasa.asked.wait()
    rasa.mode = "well"
    stopping = asyncio.create_task(running.drain(10))
    await until(lambda: list(running._work) == [claims[0]])
    rasa.released.set()
    await stopping
    assert await leases(road) == [None] * 4
    assert sorted(filter(None, await road.outcomes())) == ["answered"]
    assert await deaths(road) == {0}
    other = runner(road, width=10)
    await other._claim_waiting()
    assert len(other._work) == 3  # at once, without waiting for leases
    assert await deaths(road) == {0}
    await other.drain(10)


async def until(true: Callable[[], bool]) -> None:
    async with asyncio.timeout(10):
        while not true():
            await asyncio.sleep(0.01)


async def test_a_turn_that_takes_too_long_for_a_stop_is_broken_off_and_nobody_died(road: Road, rasa: FakeRasa) -> None:
    rasa.mode = "hang"
    [claim], running = await backlog(road, 1), runner(road)
    running.start(claim)
    await rasa.asked.wait()
    await running.drain(0.05)
    assert await leases(road) == [None]
    assert await road.outcomes() == [None]
    other = runner(road)
    rasa.released.set()
    rasa.mode = "well"
    await other._claim_waiting()
    await asyncio.gather(*other._work.values())
    assert (await road.outcomes(), await deaths(road)) == (["answered"], {0})


async def test_after_a_stop_nothing_is_begun(road: Road) -> None:
    running = runner(road)
    await running.drain(1)
    [claim] = await backlog(road, 1)
    assert not running.has_room()
    running.start(claim)
    await asyncio.gather(*running._returning)
    await running._claim_waiting()
    assert (running._work, await leases(road)) == ({}, [None])


async def test_more_than_there_is_room_for_is_left_to_others(
    road: Road, rasa: FakeRasa, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(turns, "ROOM", 2)
    rasa.mode = "hang"
    claims, full, idle = await backlog(road, 5), runner(road), runner(road, width=10)
    for claim in claims:
        full.start(claim)
    assert not full.has_room()
    assert len(full._work) == 2
    await asyncio.gather(*full._returning)
    await rasa.asked.wait()
    rasa.mode = "well"
    await idle._claim_waiting()
    assert len(idle._work) == 3
    await idle.drain(10)
    rasa.released.set()
    await full.drain(10)
    assert await deaths(road) == {0}


async def test_what_waits_from_one_beat_to_the_next_is_given_back(road: Road, rasa: FakeRasa) -> None:
    rasa.mode = "hang"
    claims, running = await backlog(road, 3), runner(road, lease=timedelta(seconds=0.3))
    for claim in claims:
        running.start(claim)
    beating = asyncio.create_task(running.keep_leases())
    await until(lambda: list(running._work) == [claims[0]])
    async with asyncio.timeout(10):
        while [bool(token) for token in await leases(road)] != [True, False, False]:
            await asyncio.sleep(0.01)
    beating.cancel()
    rasa.released.set()
    await running.drain(10)


async def test_a_full_load_is_followed_by_the_next_without_waiting_for_the_scan(road: Road) -> None:
    await backlog(road, 12)
    await road.store.write(lambda c: c.execute(update(Conversation).values(lease_token=None, lease_until=None)))
    running = runner(road, width=2, scan_seconds=3600)
    scanning = asyncio.create_task(running.run())
    async with asyncio.timeout(30):
        while None in await road.outcomes():
            await asyncio.sleep(0.05)
    scanning.cancel()
    assert await road.outcomes() == ["answered"] * 12


async def test_what_a_dead_worker_left_is_taken_as_soon_as_its_lease_ends(road: Road) -> None:
    await backlog(road, 2)
    ends = now() + timedelta(seconds=0.3)
    await road.store.write(lambda c: c.execute(update(Conversation).values(lease_until=ends)))
    running = TurnRunner(road.turner, road.store, now, width=2, lease=LEASE, scan_seconds=3600)
    scanning = asyncio.create_task(running.run())
    async with asyncio.timeout(30):
        while None in await road.outcomes():
            await asyncio.sleep(0.05)
    scanning.cancel()
    assert await deaths(road) == {1}


@pytest.mark.parametrize(
    ("changed", "pause"),
    [
        ({"lease_until": 0.5}, 0.55),
        ({"lease_until": 0.5, "not_before": 0.2}, 0.55),
        ({"lease_until": None, "not_before": 0.2}, 0.25),
        ({"lease_until": -5, "not_before": 0.2}, 0.25),
        ({"lease_until": 15}, 1),
    ],
)
async def test_the_next_look_is_when_something_comes_free(
    road: Road, changed: Mapping[str, float | None], pause: float
) -> None:
    await backlog(road, 2)
    times = {
        name: None if value is None else road.clock() + timedelta(seconds=value) for name, value in changed.items()
    }
    first = await road.store.read(lambda c: c.execute(select(Conversation.id).limit(1)).scalar_one())
    await road.store.write(lambda c: c.execute(update(Conversation).where(Conversation.id == first).values(**times)))
    assert await runner(road, scan_seconds=1)._claim_waiting() == pytest.approx(pause)


async def test_what_a_dead_sender_left_is_looked_at_when_its_claim_ends(road: Road) -> None:
    await road.receive("hello")
    await road.turn()
    sending = DeliveryRunner(road.deliverer, road.store, road.clock, road.hub, 1, 1)
    ends = road.clock() + timedelta(seconds=0.5)
    await road.store.write(lambda c: c.execute(update(Outbox).values(state="sending", lease_until=ends)))
    assert await sending._start_due() == pytest.approx(0.55)
    road.clock.move(seconds=0.55)
    assert await sending._start_due() == 1
    assert len(sending._sending) == 1
    await sending.drain(10)


async def test_a_beat_renews_only_what_is_still_ours(road: Road) -> None:
    [claim] = await backlog(road, 1)
    road.clock.move(seconds=16)
    taken = await road.claim(claim.conversation_id)
    assert taken is not None
    before = select(Conversation.lease_until)
    ours = await road.store.read(lambda c: c.execute(before).scalar_one())
    later = road.clock() + timedelta(hours=1)
    await road.store.write(lambda c: conversations.renew_leases(c, {claim.token: claim.conversation_id}, later))
    await road.store.write(lambda c: conversations.release_leases(c, {claim.token: claim.conversation_id}))
    assert await road.store.read(lambda c: c.execute(before).scalar_one()) == ours
    assert await leases(road) == [taken.token]


async def test_who_lost_the_lease_is_not_told_what_the_successor_finished(road: Road) -> None:
    """Both end in one commit: the replies are the successor's to send, and the other must hear of its loss."""
    accepted = await road.receive("hello")
    lost = road.claims.pop()
    matter = await road.turner._next(lost)
    assert matter is not None
    thought = await road.turner._think(matter)
    road.clock.move(seconds=16)
    successor = await road.claim(accepted.conversation_id)
    assert successor is not None
    endings = [Ending(claim=claim, thought=thought, evidence=[]) for claim in (lost, successor)]
    first, second = await road.store.write(lambda c: road.turner.finish.done(c, endings))
    assert isinstance(first, LeaseLost)
    assert not isinstance(second, Exception)
    assert second.outcome == "answered"


async def test_sendings_in_hand_are_waited_for_and_no_others_begun(road: Road, monkeypatch: pytest.MonkeyPatch) -> None:
    await road.receive("hello", key="one")
    await road.receive("hello", key="two")
    await road.turn()
    sending = DeliveryRunner(road.deliverer, road.store, road.clock, road.hub, 1, 60)
    let_go = asyncio.Event()

    async def slowly(_message: object) -> SendReceipt:
        await let_go.wait()
        return SendReceipt(peer_id="p")

    monkeypatch.setattr(road.channel, "send", slowly)
    await sending._start_due()
    await sending.drain(0.05)  # its time is over
    assert len(sending._sending) == 1
    asyncio.get_running_loop().call_later(0.05, let_go.set)
    await sending.drain(10)
    states = await road.store.read(lambda c: sorted(c.execute(select(Outbox.state)).scalars()))
    assert states == ["new", "sent"]


async def test_a_channel_that_hangs_or_breaks_at_a_stop_is_left_behind() -> None:
    stopped: list[str] = []

    async def hangs() -> None:
        await asyncio.Event().wait()

    async def breaks() -> None:
        raise RuntimeError("a fault of the channel")

    async def well() -> None:
        stopped.append("well")

    async with asyncio.timeout(5):
        await serve._each("stop", 0.05, {"hangs": hangs, "breaks": breaks, "well": well})
    assert stopped == ["well"]


async def test_a_lone_message_begins_with_its_case_and_one_that_waited_sees_it_as_it_is(
    road: Road, rasa: FakeRasa
) -> None:
    rasa.answer = lambda _body: COMPLEX
    await road.say("my money is gone")
    number = (await road.cases())[0]
    await road.store.write(lambda c: conversations.change_owner(c, 1, "bot"))
    await road.receive("any news?")
    [claim], road.claims[:] = list(road.claims), []
    case = claim.first.case if claim.first is not None else None
    assert case is not None
    assert (case.number, case.status) == (number, "open")
    running = runner(road)
    await running._slots.acquire()
    running.start(claim)
    await road.store.write(lambda c: cases.resolve(c, case.id, "somebody", road.clock()))
    running._slots.release()
    await until(lambda: not running._work)
    assert rasa.seen[-1]["metadata"]["case"]["status"] == "resolved"
