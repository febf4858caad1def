"""Nothing but CR LF . CR LF ends a message (reliability: aiosmtpd CVE-2024-27305 and its relatives)."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from channels.mail.channel import MailChannel
from channels.mail.data import DataBlock, Room, Verdict
from tests.fakes.desk import FakeDesk
from tests.mail.harness import Client

SECOND = b"MAIL FROM:<evil@evil.example>\r\nRCPT TO:<complaints@exchange.example>\r\nDATA\r\nsmuggled\r\n"
NOT_THE_END = [
    b"\n.\n",
    b"\n.\r\n",
    b"\r\n.\n",
    b"\r.\r",
    b"\r.\r\n",
    b"\r\n.\r",
    b"\r\n\x00.\r\n",
    b"\r\n.\x00\r\n",
    b"\r\n. \r\n",
]


@pytest.mark.parametrize("lookalike", NOT_THE_END)
async def test_lookalikes_do_not_end_a_message(inbox: MailChannel, desk: FakeDesk, lookalike: bytes) -> None:
    client = await Client.open(inbox)
    await client.begin()
    sent = b"Subject: one\r\n\r\nbody" + lookalike + SECOND
    await client.send(sent + b".\r\n")
    assert await client.reply() == "250 2.6.0 Your message is stored"
    assert await client.say("NOOP") == "250 OK"
    (message,) = desk.stored
    assert message.sender == "li@user.example"
    assert b"smuggled" in message.raw
    await client.close()


async def test_pipelined_commands_after_the_end_are_commands(inbox: MailChannel, desk: FakeDesk) -> None:
    client = await Client.open(inbox)
    await client.begin()
    await client.send(b"one\r\n.\r\n" + SECOND.replace(b"smuggled", b"two") + b".\r\nQUIT\r\n")
    replies = [await client.reply() for _ in range(6)]
    assert [reply[:3] for reply in replies] == ["250", "250", "250", "354", "250", "221"]
    assert [message.raw for message in desk.stored] == [b"one\r\n", b"two\r\n"]
    await client.close()


async def test_no_starttls_is_offered_and_its_tail_is_not_run(inbox: MailChannel, desk: FakeDesk) -> None:
    client = await Client.open(inbox)
    await client.reply()
    await client.say("EHLO user.example")
    await client.send(b"STARTTLS\r\n")
    assert (await client.reply())[:1] in "45"
    assert desk.stored == []
    await client.close()


def _by_the_book(stream: bytes) -> tuple[bytes, bytes] | None:
    """RFC 5321 sections 4.1.1.4 and 4.5.2, line by line."""
    lines = stream.split(b"\r\n")
    for n, line in enumerate(lines[:-1]):
        if line == b".":
            content = [text[1:] if text.startswith(b".") else text for text in lines[:n]]
            return b"".join(text + b"\r\n" for text in content), b"\r\n".join(lines[n + 1 :])
    return None


@settings(max_examples=400, deadline=None)
@given(
    st.lists(st.sampled_from([b"\r\n", b"\r", b"\n", b".", b"..", b"a", b"\x00", b"\r\n.\r\n"]), max_size=30),
    st.integers(1, 7),
)
def test_blocks_of_any_size_give_what_the_book_says(pieces: list[bytes], step: int) -> None:
    stream = b"".join(pieces)
    block = DataBlock(10_000, 10_000, Room(100_000))
    expected = _by_the_book(stream)
    for start in range(0, len(stream), step):
        rest = block.feed(stream[start : start + step])
        if rest is not None:
            assert expected is not None
            assert block.verdict is Verdict.WHOLE
            assert block.content() == expected[0]
            assert rest + stream[start + step :] == expected[1]
            return
    assert expected is None


def test_all_room_is_given_back() -> None:
    room = Room(100)
    for content in (b"a" * 50 + b"\r\n.\r\n", b"a" * 60, b"a" * 200 + b"\r\n.\r\n", b"\r\n.\r\n", b".\r\n"):
        block = DataBlock(80, 10, room)
        for start in range(len(content)):
            if block.feed(content[start : start + 1]) is not None:
                break
        block.close()
    assert room.take(100)
