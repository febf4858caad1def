"""Who really sent a mail, as the channel tells the desk (RFC 7208, 6376, 7489; reliability T44, A9)."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from channels.contract import ReadMessage
from channels.mail import authenticate, worker
from channels.mail.channel import MailChannel
from tests.fakes.desk import FakeDesk
from tests.mail.conftest import Start
from tests.mail.harness import INBOX, channel, deliver, mail_bytes
from tests.mail.zone import PEER, SlowZone, Zone, domain, key, served, signed

FROM_LI = {"mail_from": "li@user.example", "rcpt_to": [INBOX], "peer": PEER, "helo": "mx.user.example"}
FROM_ELSEWHERE = FROM_LI | {"peer": "198.51.100.7"}
BOUNCES = FROM_LI | {"mail_from": "li=1@sender.example"}
EVIL = domain("user.example-evil.test")

type Read = Callable[..., Awaitable[ReadMessage]]


@pytest.fixture
async def read(tmp_path: Path) -> AsyncIterator[Read]:
    """Reads a mail with the given zone and settings."""
    built: list[MailChannel] = []

    async def one(zone: Zone, raw: bytes, envelope: dict[str, Any], **settings: Any) -> ReadMessage:
        reader = channel(tmp_path, FakeDesk(), dns=zone, **({"authentication": "verify"} | settings))
        built.append(reader)
        return await reader.read(raw, envelope)

    yield one
    for each in built:
        await each.close()


def said(message: ReadMessage) -> tuple[str, str]:
    return message.thread["authentication"], message.thread["alignment"]


GENUINE = domain("user.example")
STRICT = domain("user.example", "v=DMARC1; p=none; adkim=s; aspf=s")
PLAIN = mail_bytes()
SIGNED = signed(PLAIN)
FROM_SUB = PLAIN.replace(b"li@user.example", b"li@shop.user.example")
TAMPERED = SIGNED.replace(b"stuck", b"fine!")


@pytest.mark.parametrize(
    ("zone", "raw", "envelope", "expected"),
    [
        (GENUINE, PLAIN, FROM_LI, ("pass", "spf")),
        (GENUINE, SIGNED, FROM_LI, ("pass", "dkim spf")),
        (GENUINE, SIGNED, FROM_ELSEWHERE, ("pass", "dkim")),
        (GENUINE, PLAIN, FROM_ELSEWHERE, ("fail", "")),
        (GENUINE, TAMPERED, FROM_ELSEWHERE, ("fail", "")),
        (GENUINE, SIGNED.replace(b"Subject: Help", b"Subject: Buy!"), FROM_ELSEWHERE, ("fail", "")),
        # Added to a genuine mail after it was signed:
        (GENUINE, b"Subject: Buy!\r\n" + SIGNED, FROM_ELSEWHERE, ("fail", "")),
        (GENUINE, signed(PLAIN, length=True) + b"Buy!\r\n", FROM_ELSEWHERE, ("fail", "")),
        (GENUINE, signed(PLAIN, fields=(b"from",)), FROM_ELSEWHERE, ("fail", "")),
        # The good signature is not the topmost:
        (GENUINE, b"DKIM-Signature: v=1; d=user.example; s=k1; b=AAAA\r\n" + SIGNED, FROM_ELSEWHERE, ("pass", "dkim")),
        # Somebody else's signature or server proves nothing about the author:
        (GENUINE | domain("evil.test"), signed(PLAIN, "evil.test"), FROM_ELSEWHERE, ("fail", "")),
        (GENUINE | domain("sender.example"), PLAIN, BOUNCES, ("fail", "")),
        (GENUINE | domain("sender.example"), SIGNED, BOUNCES, ("pass", "dkim")),
        (GENUINE | EVIL, PLAIN, FROM_LI | {"mail_from": "x@user.example-evil.test"}, ("fail", "")),
        (GENUINE | EVIL, signed(PLAIN, "user.example-evil.test"), FROM_ELSEWHERE, ("fail", "")),
        # The organisation's policy and its parts:
        (GENUINE, signed(FROM_SUB), FROM_ELSEWHERE, ("pass", "dkim")),
        (GENUINE, FROM_SUB, FROM_ELSEWHERE, ("fail", "")),
        (STRICT, signed(FROM_SUB), FROM_ELSEWHERE, ("fail", "")),
        (STRICT, SIGNED, FROM_LI, ("pass", "dkim spf")),
        # A domain without a policy fails nothing, but may prove itself:
        ({}, PLAIN, FROM_LI, ("none", "")),
        (domain("user.example", "nothing"), PLAIN, FROM_LI, ("none", "spf")),
        (domain("user.example", "v=DMARC1"), PLAIN, FROM_ELSEWHERE, ("none", "")),
        (domain("user.example", "v=DMARC1; p"), PLAIN, FROM_ELSEWHERE, ("none", "")),
        # A key that is too small to mean anything, or no key:
        (GENUINE | {("k1._domainkey.user.example", "TXT"): [b"p="]}, SIGNED, FROM_ELSEWHERE, ("fail", "")),
        (
            GENUINE | {("k1._domainkey.user.example", "TXT"): [b"p=" + b"A" * 5000]},
            SIGNED,
            FROM_ELSEWHERE,
            ("fail", ""),
        ),
        # Several authors, or none:
        (GENUINE, b"From: li@user.example\r\n" + SIGNED, FROM_LI, ("none", "")),
        (GENUINE, PLAIN.replace(b"Li <li@user.example>", b"li@user.example, eve@evil.test"), FROM_LI, ("none", "")),
        (GENUINE, PLAIN.replace(b"Li <", b"li@user.example <eve@evil.test> <"), FROM_LI, ("none", "")),
        (GENUINE, PLAIN.replace(b"From: ", b"X-From: "), FROM_LI, ("none", "")),
    ],
)
async def test_what_is_found_out(
    read: Read, zone: Any, raw: bytes, envelope: dict[str, Any], expected: tuple[str, str]
) -> None:
    message = await read(Zone(zone), raw, envelope)
    assert said(message) == expected
    assert ("probably forged" in (message.note or "")) == (expected[0] == "fail")


async def test_agents_hear_of_a_forgery_in_the_language_of_the_mail(read: Read) -> None:
    message = await read(Zone(GENUINE), mail_bytes(subject="投诉"), FROM_ELSEWHERE)
    assert (message.note or "").startswith("这封邮件很可能是伪造的")


async def test_a_mail_through_a_server_of_our_own_network_is_judged_by_its_signature(read: Read) -> None:
    inside = FROM_LI | {"peer": "10.0.0.7"}
    assert said(await read(Zone(GENUINE), SIGNED, inside)) == ("pass", "dkim")
    assert (await read(Zone(GENUINE), PLAIN, inside)).thread["spf"] == "none"


@pytest.mark.parametrize(
    ("broken", "raw", "expected"),
    [
        ({"*"}, SIGNED, ("temperror", "")),
        ({"_dmarc.user.example"}, SIGNED, ("temperror", "dkim")),
        ({"k1._domainkey.user.example"}, SIGNED, ("temperror", "")),
        ({"user.example"}, PLAIN, ("temperror", "")),
        ({"user.example"}, SIGNED, ("pass", "dkim")),
    ],
)
async def test_a_fault_of_dns_is_nobodys_fault(
    read: Read, broken: set[str], raw: bytes, expected: tuple[str, str]
) -> None:
    message = await read(Zone(GENUINE, broken), raw, FROM_ELSEWHERE)
    assert said(message) == expected
    assert message.note is None
    assert message.text == "My withdrawal is stuck."


async def test_silent_servers_cost_no_more_than_the_budget(read: Read, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(authenticate.Authenticator.__init__, "__defaults__", (0.5,))
    began = time.monotonic()
    message = await read(SlowZone(), SIGNED, FROM_LI)
    assert said(message) == ("temperror", "")
    assert time.monotonic() - began < 5  # a parser process starts meanwhile


async def test_dns_does_not_keep_anybody_from_writing(start: Start, desk: FakeDesk) -> None:
    zone = SlowZone()
    listener = await start(authentication="verify", dns=zone)
    assert (await deliver(listener, SIGNED)).startswith("250 ")
    assert len(desk.stored) == 1
    assert desk.stored[0].envelope["peer"] == "127.0.0.1"
    assert desk.stored[0].envelope["helo"] == "user.example"
    assert zone.asked == []


async def test_on_one_machine_nothing_is_asked(read: Read) -> None:
    zone = Zone(GENUINE)
    assert said(await read(zone, SIGNED, FROM_LI, authentication="auto")) == ("none", "")
    assert said(await read(zone, SIGNED, FROM_LI, authentication="off")) == ("none", "")
    assert zone.asked == []


async def test_a_public_listener_verifies(tmp_path: Path) -> None:
    public = channel(tmp_path, FakeDesk(), host="0.0.0.0", dns=Zone(GENUINE))
    assert said(await public.read(SIGNED, FROM_LI)) == ("pass", "dkim spf")
    await public.close()


async def test_with_a_real_server_of_names(tmp_path: Path) -> None:
    from channels.mail.resolver import SystemDns

    async with served(Zone(GENUINE)) as port:
        public = channel(tmp_path, FakeDesk(), host="0.0.0.0", dns=SystemDns(["127.0.0.1"], port))
        assert said(await public.read(SIGNED, FROM_LI)) == ("pass", "dkim spf")
        assert said(await public.read(PLAIN, FROM_ELSEWHERE)) == ("fail", "")
        await public.close()


TRUST = {"authentication": "trust", "trusted_authserv_id": "mx.exchange.example"}
RESULTS = "Authentication-Results: mx.exchange.example; {}\r\n"


@pytest.mark.parametrize(
    ("above", "expected"),
    [
        (RESULTS.format("spf=pass smtp.mailfrom=user.example; dmarc=pass header.from=user.example"), "pass"),
        (RESULTS.format("dmarc=fail (p=reject) header.from=user.example"), "fail"),
        (RESULTS.format("dmarc=temperror header.from=user.example"), "temperror"),
        (RESULTS.format("dmarc=pass header.from=evil.test"), "none"),
        (RESULTS.format("spf=pass smtp.mailfrom=user.example"), "none"),
        (RESULTS.format("none"), "none"),
        ("authentication-results: MX.exchange.example 1;\r\n dmarc=pass\r\n header.from=user.example\r\n", "pass"),
        ("Authentication-Results: mx.evil.test; dmarc=pass header.from=user.example\r\n", "none"),
        ("Authentication-Results: mx.evil.test; x=y mx.exchange.example; dmarc=pass\r\n", "none"),
        # The topmost is ours; what is below it was there before:
        (RESULTS.format("dmarc=fail") + RESULTS.format("dmarc=pass"), "fail"),
        (RESULTS.format("spf=none") + RESULTS.format("dmarc=pass"), "none"),
        ("Authentication-Results: filter.test; none\r\n" + RESULTS.format("dmarc=pass"), "none"),
        ("Authentication-Results: " + "(" * 9000 + "\r\n", "none"),
        ("Authentication-Results: \r\n", "none"),
        ("", "none"),
    ],
)
async def test_results_of_our_own_mail_server(read: Read, above: str, expected: str) -> None:
    zone = Zone(GENUINE)
    assert (await read(zone, above.encode() + PLAIN, FROM_LI, **TRUST)).thread["authentication"] == expected
    assert zone.asked == []


@pytest.mark.parametrize("settings", [{"authentication": "verify"}, {"authentication": "off"}])
async def test_results_that_a_sender_wrote_count_for_nothing(read: Read, settings: dict[str, str]) -> None:
    for name in ("mx.exchange.example", "exchange.example", "localhost"):
        forged = f"Authentication-Results: {name}; dmarc=pass header.from=user.example\r\n".encode() + PLAIN
        message = await read(Zone(GENUINE), forged, FROM_ELSEWHERE, **settings)
        assert message.thread["authentication"] == ("fail" if settings["authentication"] == "verify" else "none")


async def test_two_authors_are_nobody_for_our_mail_server_either(read: Read) -> None:
    raw = (RESULTS.format("dmarc=pass") + "From: eve@evil.test\r\n").encode() + PLAIN
    assert (await read(Zone(), raw, FROM_LI, **TRUST)).thread["authentication"] == "none"


def claiming(body: bytes) -> bytes:
    """With a signature that is good for nothing but work."""
    claim = (
        b"DKIM-Signature: v=1; a=rsa-sha256; c=relaxed/relaxed; d=user.example; s=k1; h=from:subject; bh=AA==; b=AA=="
    )
    return claim + b"\r\n" + PLAIN.partition(b"\r\n\r\n")[0] + b"\r\n\r\n" + body


@pytest.mark.parametrize("body", [b"x\r\n" + b" \t" * 500_000 + b"\r\n.\r\n", b"\r\n" * 190_000 + b"x"])
async def test_signatures_that_are_made_to_take_time(read: Read, body: bytes) -> None:
    began = time.monotonic()
    message = await read(Zone(GENUINE), claiming(body), FROM_ELSEWHERE)
    assert message.thread["authentication"] == "fail"
    assert message.text.strip().startswith("x")
    assert time.monotonic() - began < 10


async def test_a_signature_that_takes_too_long_is_nobodys_fault(read: Read, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(worker, "SIGNATURE_SECONDS", 0.0)
    message = await read(Zone(GENUINE), SIGNED, FROM_ELSEWHERE)
    assert said(message) == ("temperror", "")
    assert message.text == "My withdrawal is stuck."


def test_the_key_of_this_test_is_one() -> None:
    assert len(key()[1]) > 200
