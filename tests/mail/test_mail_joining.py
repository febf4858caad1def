"""Which conversation a mail joins: only its own, only for who is proven, and decided before it is stored (A9)."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from channels.contract import InboundMessage, ReadMessage
from channels.mail import joining
from channels.mail.addresses import AddressBook
from channels.mail.channel import MailChannel
from tests.fakes.desk import SECRET, FakeDesk
from tests.mail.harness import INBOX, channel, deliver, mail_bytes
from tests.mail.zone import SlowZone, Zone, domain, signed

LI, EVE = "li@user.example", "eve@evil.example"
KEY = "abcdefghijklmnopqrstuvwx"
BOOK = AddressBook(INBOX, SECRET)
AT = BOOK.reply_address(KEY, LI)
OUR_ID = BOOK.message_id("01hzx3", KEY, LI)
RECORDS = domain("user.example") | domain("evil.example")
PLAIN, SIGNED = mail_bytes(), signed(mail_bytes())
BY_EVE = PLAIN.replace(LI.encode(), EVE.encode())
VERIFY: dict[str, Any] = {"authentication": "verify"}
TRUST = {"authentication": "trust", "trusted_authserv_id": "mx.exchange.example"}

type Take = Callable[..., Awaitable[tuple[InboundMessage, ReadMessage]]]


def answering(message_id: str, field: str = "In-Reply-To") -> bytes:
    return mail_bytes(extra=f"{field}: {message_id}\r\n")


def found(results: str) -> bytes:
    return f"Authentication-Results: mx.exchange.example; {results} header.from=user.example\r\n".encode() + PLAIN


@pytest.fixture
async def take(tmp_path: Path) -> AsyncIterator[Take]:
    """Sends one mail to a listener with the given zone and settings: as it was stored, and as it is read then."""
    built: list[MailChannel] = []

    async def one(
        raw: bytes, zone: Zone, settings: dict[str, Any], *, sender: str = LI, recipient: str = AT
    ) -> tuple[InboundMessage, ReadMessage]:
        desk = FakeDesk()
        listener = channel(tmp_path, desk, dns=zone, **settings)
        built.append(listener)
        await listener.start()
        assert (await deliver(listener, raw, sender, recipient)).startswith("250 ")
        (stored,) = desk.stored
        return stored, await listener.read(stored.raw, stored.envelope)

    yield one
    for listener in built:
        await listener.stop()
        await listener.close()


@pytest.mark.parametrize(
    ("raw", "settings", "sender", "recipient"),
    [
        (SIGNED, VERIFY, LI, AT),
        (SIGNED, VERIFY, LI, AT.upper()),
        (SIGNED, VERIFY, "bounce-7@mailer.example", AT),
        (signed(answering(OUR_ID)), VERIFY, LI, INBOX),
        (signed(answering(f"<first@user.example> {OUR_ID}", "References")), VERIFY, LI, INBOX),
        (found("dmarc=pass"), TRUST, LI, AT),
        (found("dkim=pass header.d=user.example; dmarc=none"), TRUST, LI, AT),
        (PLAIN, {}, LI, AT),
        (answering(OUR_ID), {}, LI, INBOX),
    ],
)
async def test_its_own_answer_joins(
    take: Take, raw: bytes, settings: dict[str, Any], sender: str, recipient: str
) -> None:
    stored, read = await take(raw, Zone(RECORDS), settings, sender=sender, recipient=recipient)
    assert stored.conversation_key == KEY
    assert (read.note, read.continues, read.seems_to_continue) == (None, None, ())


@pytest.mark.parametrize(
    ("raw", "settings", "sender", "recipient"),
    [
        (PLAIN, VERIFY, LI, AT),
        (signed(PLAIN, "evil.example"), VERIFY, LI, AT),
        (SIGNED.replace(b"stuck", b"fine!"), VERIFY, LI, AT),
        (signed(BY_EVE, "evil.example"), VERIFY, EVE, AT),
        (signed(BY_EVE, "evil.example"), VERIFY, LI, AT),
        (signed(mail_bytes(extra=f"From: {EVE}\r\n")), VERIFY, LI, AT),
        (SIGNED, VERIFY, LI, AT.replace(".1", ".2")),
        (SIGNED, VERIFY, LI, f"complaints+{KEY}@exchange.example"),
        (SIGNED, VERIFY, LI, BOOK.reply_address(KEY, EVE)),
        (signed(answering(BOOK.message_id("01hzx3", KEY, EVE))), VERIFY, LI, INBOX),
        (found("dmarc=fail"), TRUST, LI, AT),
        (found("dkim=pass header.d=user.example; dmarc=fail"), TRUST, LI, AT),
        (found("dkim=pass header.d=evil.example; dmarc=none"), TRUST, LI, AT),
        (SIGNED, {"authentication": "off"}, LI, AT),
        # On one machine: under another envelope, and through a mail server that takes mails from everywhere.
        (PLAIN, {}, EVE, AT),
        (
            b"Received: from evil.example by mx.exchange.example; Sun, 22 Nov 2026 08:00:00 +0000\r\n" + PLAIN,
            {},
            LI,
            AT,
        ),
    ],
)
async def test_all_others_begin_a_conversation_and_say_why(
    take: Take, raw: bytes, settings: dict[str, Any], sender: str, recipient: str
) -> None:
    stored, read = await take(raw, Zone(RECORDS), settings, sender=sender, recipient=recipient)
    assert stored.conversation_key != KEY
    assert (read.continues, read.seems_to_continue) == (None, (KEY,))
    assert read.note is not None
    assert "This mail was sent as an answer into another conversation." in read.note


async def test_a_message_id_with_another_signature_names_nothing_of_ours(take: Take) -> None:
    for changed in (OUR_ID.replace("<r.", "<r.x"), OUR_ID.replace("@exchange", "@evil")):
        stored, read = await take(signed(answering(changed)), Zone(RECORDS), VERIFY, recipient=INBOX)
        assert stored.conversation_key != KEY
        assert read.continues is None


async def test_a_header_that_is_longer_than_what_the_door_looks_at(take: Take) -> None:
    """A second From may stand further down; whoever reads the whole mail knows better."""
    long = SIGNED.replace(b"\r\n\r\n", b"\r\nX: " + b"x\r\n " * 30_000 + b"x\r\n\r\n", 1)
    stored, read = await take(long, Zone(RECORDS), VERIFY)
    assert stored.conversation_key != KEY
    assert read.continues == KEY
    stored, read = await take(
        long.replace(b"x\r\n\r\n", b"x\r\nFrom: eve@evil.example\r\n\r\n", 1), Zone(RECORDS), VERIFY
    )
    assert stored.conversation_key != KEY
    assert (read.continues, read.seems_to_continue) == (None, (KEY,))


async def test_while_dns_is_down_the_mail_is_stored_and_proven_when_it_is_read(tmp_path: Path) -> None:
    desk, zone = FakeDesk(), Zone(RECORDS, {"*"})
    listener = channel(tmp_path, desk, dns=zone, **VERIFY)
    await listener.start()
    try:
        assert (await deliver(listener, SIGNED, LI, AT)).startswith("250 ")
        (stored,) = desk.stored
        assert stored.conversation_key != KEY
        dark = await listener.read(stored.raw, stored.envelope)
        assert (dark.continues, dark.seems_to_continue) == (None, (KEY,))
        zone.broken.clear()
        light = await listener.read(stored.raw, stored.envelope)
        assert (light.continues, light.note) == (KEY, None)
    finally:
        await listener.stop()
        await listener.close()


async def test_slow_dns_holds_up_nothing_but_the_answer(take: Take, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(joining, "SECONDS", 0.2)
    monkeypatch.setattr("channels.mail.resolver.STEP_SECONDS", 0.3)
    stored, read = await take(SIGNED, SlowZone(), VERIFY)
    assert stored.conversation_key != KEY
    assert read.seems_to_continue == (KEY,)


async def test_the_verdict_of_the_door_holds_when_the_mail_is_read(take: Take) -> None:
    zone = Zone(RECORDS)
    stored, read = await take(SIGNED, zone, VERIFY)
    asked = len(zone.asked)
    assert stored.envelope["verdict"] == {"result": "pass", "alignment": "dkim", "spf": "none"}
    assert read.thread["authentication"] == "pass"
    assert len(zone.asked) == asked > 0


async def test_a_mail_that_names_nothing_is_not_looked_at(take: Take) -> None:
    zone = Zone(RECORDS)
    stored, read = await take(SIGNED, zone, VERIFY, recipient=INBOX)
    assert "verdict" not in stored.envelope
    assert (read.note, read.seems_to_continue) == (None, ())
