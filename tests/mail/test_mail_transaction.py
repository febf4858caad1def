"""Whether a relay has a letter when it falls silent, hangs up or refuses: known before the final dot, never guessed."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from channels.faults import OutcomeUnknown, Rejected, RetryLater
from channels.mail.relay import TROUBLE_AFTER_SECONDS, Relay
from channels.mail.send import Letter
from channels.mail.settings import check
from tests.mail.upstream import DROP, LATE, SILENCE, STALL, ScriptedRelay, scripted_relay

CONTENT = b"Subject: x\r\n\r\n.\r\n..one\r\ntwo\r\n"
LETTER = Letter("", "li@user.example", "<r.1.x@exchange.example>", datetime(2026, 11, 22, tzinfo=UTC), CONTENT)
BEFORE_THE_DOT = ["CONNECT", "EHLO", "MAIL", "RCPT", "DATA"]
LINE = b"x" * 78 + b"\r\n"
STUFFED = CONTENT.replace(b"\r\n.", b"\r\n..")


@pytest.fixture
async def upstream() -> AsyncIterator[ScriptedRelay]:
    async with scripted_relay() as relay:
        yield relay


def relay_to(upstream: ScriptedRelay, clock: list[float] | None = None) -> Relay:
    settings = {"relay_host": "127.0.0.1", "relay_port": upstream.port, "relay_starttls": False, "relay_seconds": 0.4}
    now = clock or [0.0]
    return Relay(check(settings), lambda: now[0])


async def test_the_whole_talk(upstream: ScriptedRelay) -> None:
    receipt = await relay_to(upstream).deliver(LETTER)
    assert receipt.peer_id == "2.0.0 queued as 42"
    assert upstream.taken == [STUFFED]
    assert upstream.heard == [
        "EHLO exchange.example",
        f"MAIL FROM:<> SIZE={len(CONTENT)}",
        "RCPT TO:<li@user.example>",
        "DATA",
        "QUIT",
    ]


@pytest.mark.parametrize("fault", [DROP, SILENCE, "421 4.3.2 closing", "450 4.2.0 later"])
@pytest.mark.parametrize("step", BEFORE_THE_DOT)
async def test_before_the_dot_it_was_not_taken(upstream: ScriptedRelay, step: str, fault: str) -> None:
    upstream.script |= {step: fault, "HELO": fault}  # what follows a refused EHLO
    with pytest.raises(RetryLater):
        await relay_to(upstream).deliver(LETTER)
    assert upstream.taken == []


@pytest.mark.parametrize(
    "fault", [DROP, SILENCE, LATE, "354 again", "not a reply", "999 what", "-1 what"], ids=lambda fault: fault[:3]
)
async def test_after_the_dot_nobody_knows(upstream: ScriptedRelay, fault: str) -> None:
    upstream.script["DOT"] = fault
    with pytest.raises(OutcomeUnknown, match="the mail relay got the whole letter") as raised:
        await relay_to(upstream).deliver(LETTER)
    assert "li@user.example" not in str(raised.value)
    assert upstream.taken == [STUFFED]


@pytest.mark.parametrize(
    ("step", "said", "error"),
    [
        ("DOT", "421 4.3.2 closing", RetryLater),
        ("DOT", "450 4.2.0 later", RetryLater),
        ("DOT", "554 5.7.1 spam", Rejected),
        ("DATA", "554 5.5.1 no valid recipients", Rejected),
        ("DATA", "250 what", RetryLater),
        ("RCPT", "550 5.1.1 no such user", Rejected),
        ("MAIL", "550 5.7.1 sender not allowed", RetryLater),
        ("CONNECT", "554 5.3.2 not you", RetryLater),
    ],
)
async def test_a_clear_answer_is_believed(
    upstream: ScriptedRelay, step: str, said: str, error: type[Exception]
) -> None:
    upstream.script[step] = said
    with pytest.raises(error):
        await relay_to(upstream).deliver(LETTER)


@pytest.mark.parametrize("fault", [DROP, STALL])
async def test_a_relay_that_leaves_in_mid_letter_has_not_taken_it(upstream: ScriptedRelay, fault: str) -> None:
    upstream.script["BODY"] = fault
    with pytest.raises(RetryLater):
        await relay_to(upstream).deliver(replace(LETTER, content=b"Subject: large\r\n\r\n" + LINE * 500_000))
    assert upstream.taken == []


async def test_a_large_letter_arrives_whole(upstream: ScriptedRelay) -> None:
    large = replace(LETTER, content=b"Subject: large\r\n\r\n" + b".line\r\n" * 300_000)
    await relay_to(upstream).deliver(large)
    assert upstream.taken == [large.content.replace(b"\r\n.", b"\r\n..")]


@pytest.mark.parametrize("fault", [DROP, SILENCE, "500 what"])
async def test_a_rude_goodbye_changes_nothing(upstream: ScriptedRelay, fault: str) -> None:
    upstream.script["QUIT"] = fault
    assert (await relay_to(upstream).deliver(LETTER)).peer_id == "2.0.0 queued as 42"


async def test_a_relay_that_never_confirms_is_trouble(upstream: ScriptedRelay) -> None:
    clock = [0.0]
    relay = relay_to(upstream, clock)
    upstream.script["DOT"] = DROP
    for _ in range(2):
        with pytest.raises(OutcomeUnknown):
            await relay.deliver(LETTER)
        clock[0] += TROUBLE_AFTER_SECONDS + 1
    trouble = relay.trouble()
    assert trouble is not None
    assert "does not confirm" in trouble
    upstream.script.clear()
    await relay.deliver(LETTER)
    assert relay.trouble() is None


async def test_nothing_is_sent_after_we_gave_up(upstream: ScriptedRelay) -> None:
    upstream.script["DOT"] = SILENCE
    with pytest.raises(OutcomeUnknown):
        await relay_to(upstream).deliver(LETTER)
    await upstream.finished.wait()
    assert upstream.heard[-1] == "DATA"
