"""How many mails come in: who is over a cap hears "later", and nothing is lost."""

from __future__ import annotations

from channels.mail import pace
from channels.mail.pace import HOUR, Pace
from channels.mail.settings import check
from tests.fakes.desk import FakeDesk
from tests.mail.conftest import Start
from tests.mail.harness import INBOX, Client, deliver, mail_bytes
from tests.mail.zone import PEER

LI, EVE = "li@user.example", "eve@evil.example"


class Clock:
    now = 1000.0

    def __call__(self) -> float:
        return self.now


def caps(clock: Clock, **settings: int) -> Pace:
    return Pace(check({"mails_per_client": 0, "mails_per_sender": 0} | settings), clock)


async def test_a_sender_over_the_cap_hears_later_and_others_do_not(start: Start, desk: FakeDesk) -> None:
    listener = await start(mails_per_sender=2)
    for subject in ("first", "first", "second"):  # a repeat is not counted
        assert (await deliver(listener, mail_bytes(subject=subject))).startswith("250 ")
    client = await Client.open(listener)
    await client.reply()
    await client.say("EHLO user.example")
    assert (await client.say("MAIL FROM:<LI@user.example> SIZE=10")).startswith("451 4.7.1 ")
    assert (await client.say(f"RCPT TO:<{INBOX}>")).startswith("503 ")
    assert (await client.say(f"MAIL FROM:<{EVE}>")) == "250 OK"
    assert (await deliver(listener, mail_bytes(), sender="")).startswith("250 ")
    assert listener.figures().refused["rate"] == 1
    assert len(desk.stored) == 3


def test_an_hour_later_there_is_room() -> None:
    clock = Clock()
    gate = caps(clock, mails_per_sender=2)
    gate.count(PEER, LI)
    clock.now += HOUR / 2
    gate.count(PEER, LI)
    assert gate.over(PEER, LI)
    clock.now += HOUR / 2
    assert not gate.over(PEER, LI)
    gate.count(PEER, LI)
    assert gate.over(PEER, LI)


def test_a_client_has_a_cap_whatever_it_calls_itself() -> None:
    gate = caps(Clock(), mails_per_client=3)
    for number in range(3):
        assert not gate.over(PEER, LI)
        gate.count(PEER, f"{number}@evil.example")
    assert gate.over(PEER, LI)
    assert not gate.over("198.51.100.7", LI)


def test_a_network_of_ipv6_is_one_client() -> None:
    gate = caps(Clock(), mails_per_client=1)
    gate.count("2001:4860::1", LI)
    assert gate.over("2001:4860::2", EVE)
    assert not gate.over("2001:4860:0:1::1", EVE)


def test_servers_of_our_own_have_no_cap_but_their_senders_have() -> None:
    gate = caps(Clock(), mails_per_client=1, mails_per_sender=2)
    for number in range(5):
        gate.count("10.0.0.5", f"{number}@user.example")
    assert not gate.over("10.0.0.5", LI)
    for _ in range(2):
        gate.count("10.0.0.5", LI)
    assert gate.over("10.0.0.5", LI)


def test_forging_an_address_does_not_use_up_its_share() -> None:
    gate = caps(Clock(), mails_per_sender=1)
    gate.count("198.51.100.7", LI)
    assert gate.over("198.51.100.7", LI)
    assert not gate.over(PEER, LI)


def test_a_flood_from_everywhere_costs_bounded_memory_and_turns_nobody_away() -> None:
    clock = Clock()
    gate = caps(clock, mails_per_sender=1)
    for number in range(pace.MOST_COUNTED + 10):
        gate.count(PEER, f"{number}@evil.example")
    gate.count(PEER, LI)
    assert not gate.over(PEER, LI)
    assert len(gate._senders._taken) == pace.MOST_COUNTED
    clock.now += HOUR
    gate.count(PEER, LI)
    assert gate.over(PEER, LI)
    assert len(gate._senders._taken) == 1


def test_no_cap() -> None:
    gate = caps(Clock())
    for _ in range(5):
        gate.count(PEER, LI)
    assert not gate.over(PEER, LI)
