"""Who makes room when all places are taken: the slowest of the address that has most, and nobody who is quick."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

import pytest

from channels.mail import doors
from channels.mail.doors import SETTLE_SECONDS, SLOW_BYTES_PER_SECOND, Doors
from tests.fakes.desk import FakeDesk
from tests.mail.conftest import Start
from tests.mail.harness import Client, deliver, mail_bytes


@dataclass(eq=False)
class Visitor:
    received_bytes: int = 0
    storing: bool = False
    sent_away: bool = False

    def make_room(self) -> None:
        self.sent_away = True

    def stop(self) -> None:
        raise AssertionError("nobody stops here")

    abort = stop


class Watch:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


FAST = int(SLOW_BYTES_PER_SECOND * 10)
TAKEN = {
    "the slowest of them": ([("a", Visitor(5)), ("b", Visitor(3)), ("c", Visitor(9))], 1),
    "of the address that has most": ([("a", Visitor(0)), ("b", Visitor(7)), ("b", Visitor(6))], 2),
    "not who is quick": ([("a", Visitor(FAST)), ("a", Visitor(FAST)), ("b", Visitor(1))], 2),
    "not whose message is being stored": ([("a", Visitor(storing=True)), ("b", Visitor(1)), ("c", Visitor(FAST))], 1),
    "nobody, when all are quick": ([("a", Visitor(FAST)), ("b", Visitor(FAST)), ("c", Visitor(FAST))], None),
}


@pytest.mark.parametrize("name", TAKEN)
async def test_who_makes_room(name: str) -> None:
    taken, expected = TAKEN[name]
    watch = Watch()
    entrance = Doors(most=3, most_per_address=2, clock=watch)
    assert all(entrance.enter(visitor, origin) for origin, visitor in taken)
    watch.now += 10
    assert entrance.enter(Visitor(), "z") is (expected is not None)
    assert [n for n, (_, visitor) in enumerate(taken) if visitor.sent_away] == [n for n in [expected] if n is not None]
    assert len(entrance.sessions) == 3


async def test_nobody_is_judged_at_once_and_no_address_gets_more_than_its_share() -> None:
    watch = Watch()
    entrance = Doors(most=2, most_per_address=2, clock=watch)
    assert entrance.enter(Visitor(), "a")
    assert entrance.enter(Visitor(), "a")
    watch.now += SETTLE_SECONDS / 2
    assert not entrance.enter(Visitor(), "b")
    watch.now += SETTLE_SECONDS
    assert not entrance.enter(Visitor(), "a")
    assert entrance.enter(Visitor(), "b")


async def test_who_was_sent_away_leaves_once() -> None:
    watch = Watch()
    entrance = Doors(most=1, most_per_address=1, clock=watch)
    slow, quick = Visitor(), Visitor()
    assert entrance.enter(slow, "a")
    watch.now += 10
    assert entrance.enter(quick, "b")
    entrance.leave(slow)
    assert entrance.sessions == [quick]
    entrance.leave(quick)
    assert entrance.empty.is_set()


async def test_a_mail_is_taken_although_silent_clients_have_all_places(
    start: Start, desk: FakeDesk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(doors, "SETTLE_SECONDS", 0)
    listener = await start(max_sessions=2)
    silent = [await Client.open(listener) for _ in range(2)]
    assert [(await client.reply())[:3] for client in silent] == ["220", "220"]
    assert (await deliver(listener, mail_bytes())).startswith("250 ")
    heard = [await asyncio.wait_for(silent[0].reply(), 5)]
    assert heard == ["421 4.7.0 Too many connections. Please try again later."]
    assert await silent[1].say("NOOP") == "250 OK"
    assert len(desk.stored) == 1
