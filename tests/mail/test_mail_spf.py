"""SPF with records in memory (RFC 7208), and domains under public suffixes (RFC 7489 section 3.2)."""

from __future__ import annotations

import time

import pytest

from channels.mail.dmarc import organisation, related
from channels.mail.resolver import Lookups
from channels.mail.spf_result import spf_result
from tests.mail.zone import PEER, Records, Zone

INCLUDED: Records = {
    ("a.example", "TXT"): [b"v=spf1 include:b.example -all"],
    ("b.example", "TXT"): [b"v=spf1 mx ~all"],
    ("b.example", "MX"): [b"10 mx.b.example.", b"20 mx6.b.example."],
    ("mx.b.example", "A"): [PEER.encode()],
    ("mx6.b.example", "AAAA"): [b"2001:db8::9"],
}


def spf(text: bytes) -> Records:
    return {("a.example", "TXT"): [text]}


@pytest.mark.parametrize(
    ("records", "peer", "expected"),
    [
        (spf(b"v=spf1 ip4:203.0.113.9 -all"), PEER, "pass"),
        (spf(b"v=spf1 ip4:198.51.100.0/24 -all"), PEER, "fail"),
        (spf(b"v=spf1 ~all"), PEER, "softfail"),
        (spf(b"v=spf1 ?all"), PEER, "neutral"),
        (spf(b"v=spf1 a -all") | {("a.example", "A"): [PEER.encode()]}, PEER, "pass"),
        (spf(b"v=spf1 exists:%{i}.x.example -all") | {(f"{PEER}.x.example", "A"): [b"127.0.0.2"]}, PEER, "pass"),
        (spf(b"v=spf1 redirect=a.example"), PEER, "permerror"),
        (spf(b"v=spf1 nonsense"), PEER, "permerror"),
        (spf(b"\xff\xfe"), PEER, "none"),
        ({}, PEER, "none"),
        (INCLUDED, PEER, "pass"),
        (INCLUDED, "2001:db8::9", "pass"),
        (INCLUDED, "::ffff:203.0.113.9", "pass"),
        (INCLUDED, "198.51.100.7", "fail"),
        (INCLUDED, "127.0.0.1", "none"),
        (INCLUDED, "fe80::1", "none"),
        (INCLUDED, "", "none"),
    ],
)
def test_results(records: Records, peer: str, expected: str) -> None:
    lookups = Lookups(Zone(records), time.monotonic() + 5)
    assert spf_result(peer, "mx.a.example", "li@a.example", lookups) == expected


def test_the_null_sender_is_judged_by_its_greeting() -> None:
    lookups = Lookups(Zone(spf(b"v=spf1 ip4:203.0.113.9 -all")), time.monotonic() + 5)
    assert spf_result(PEER, "a.example", "", lookups) == "pass"


def test_a_record_cannot_make_us_ask_for_ever() -> None:
    many = b"v=spf1 " + b" ".join(b"include:a%d.example" % n for n in range(30)) + b" -all"
    zone = Zone(spf(many) | {(f"a{n}.example", "TXT"): [b"v=spf1 ?all"] for n in range(30)})
    assert spf_result(PEER, "x", "li@a.example", Lookups(zone, time.monotonic() + 5)) == "permerror"
    assert len(zone.asked) <= 12


@pytest.mark.parametrize(
    ("domain", "expected"),
    [
        ("a.com", "a.com"),
        ("b.a.com", "a.com"),
        ("b.a.co.uk", "a.co.uk"),
        ("b.a.com.cn", "a.com.cn"),
        ("co.uk", "co.uk"),
        ("b.a.github.io", "a.github.io"),
        ("c.b.a.unlisted", "a.unlisted"),
        ("com", "com"),
    ],
)
def test_organisations(domain: str, expected: str) -> None:
    assert organisation(domain) == expected


def test_strangers_are_not_related() -> None:
    assert related("mail.bank.example", "bank.example")
    assert not related("bank.example", "other.example")
    assert not related("bank.example", "bank.example-evil.test")
    assert not related("a.co.uk", "b.co.uk")
    assert not related("", "")
