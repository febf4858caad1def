"""Asking DNS over UDP: answers, "there is none", faults, silence; the cache and the budget."""

from __future__ import annotations

import asyncio
import time

import pytest

from channels.mail.resolver import MOST_LOOKUPS, DnsFault, Lookups, Remembering, SystemDns
from tests.mail.zone import SlowZone, Zone, served

LONG = b"v=DKIM1; p=" + b"A" * 500


async def test_over_the_network() -> None:
    zone = Zone(
        {("a.example", "TXT"): [LONG, b"other"], ("a.example", "MX"): [b"10 mx.a.example."]}, {"silent.example"}
    )
    async with served(zone) as port:
        dns = SystemDns(["127.0.0.1"], port)
        texts, holds = await asyncio.to_thread(dns.ask, "a.example", "TXT", 2)
        assert sorted(texts) == [b"other", LONG]
        assert holds == 300
        assert await asyncio.to_thread(dns.ask, "a.example", "MX", 2) == ([b"10 mx.a.example."], 300)
        for name in ("none.example", "a" * 64 + ".example", "a..example", "\udc80.example", ""):
            assert (await asyncio.to_thread(dns.ask, name, "TXT", 2))[0] == []
        assert (await asyncio.to_thread(dns.ask, "a.example", "A", 2))[0] == []
        with pytest.raises(DnsFault):
            await asyncio.to_thread(dns.ask, "fault.example", "TXT", 0.5)
        began = time.monotonic()
        with pytest.raises(DnsFault):
            await asyncio.to_thread(dns.ask, "silent.example", "TXT", 0.3)
        assert time.monotonic() - began < 2


def test_answers_are_kept_for_their_time_and_faults_are_not() -> None:
    now = [0.0]
    zone = Zone({("a.example", "TXT"): [b"x"]}, {"broken.example"})
    dns = Remembering(zone, lambda: now[0])
    for _ in range(3):
        assert dns.ask("A.example.", "TXT", 1)[0] == [b"x"]
        assert dns.ask("none.example", "TXT", 1)[0] == []
        with pytest.raises(DnsFault):
            dns.ask("broken.example", "TXT", 1)
    assert len(zone.asked) == 5
    now[0] = 301
    assert dns.ask("a.example", "TXT", 1)[0] == [b"x"]
    assert len(zone.asked) == 6


def test_the_cache_has_an_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("channels.mail.resolver.MOST_KEPT", 3)
    zone = Zone()
    dns = Remembering(zone)
    for number in [0, 1, 2, 3, 3, 0]:
        dns.ask(f"{number}.example", "TXT", 1)
    assert [name for name, _ in zone.asked] == [f"{n}.example" for n in (0, 1, 2, 3, 0)]


def test_all_questions_of_a_mail_have_one_end() -> None:
    zone = SlowZone()
    lookups = Lookups(zone, time.monotonic() + 0.2)
    began = time.monotonic()
    for _ in range(20):
        with pytest.raises(DnsFault):
            lookups.ask("a.example", "TXT")
    assert time.monotonic() - began < 1
    assert len(zone.asked) < 20


def test_their_number_has_an_end() -> None:
    lookups = Lookups(Zone(), time.monotonic() + 60)
    for _ in range(MOST_LOOKUPS):
        assert lookups.ask("a.example", "TXT") == []
    with pytest.raises(DnsFault):
        lookups.ask("a.example", "TXT")
