"""Answers leave whole, at a bearable pace, and never twice where that can be known."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from channels.faults import OutcomeUnknown, Rejected, RetryLater
from channels.telegram.channel import TelegramChannel
from channels.telegram.pace import CHAT_SECONDS, LONGEST_WAIT_SECONDS, OVERALL_SECONDS, Pace
from tests.fakes.desk import FakeDesk
from tests.telegram.bot_api import BotApi, Fault
from tests.telegram.harness import Sleeps, answer, channel

LONG = "\n\n".join(f"Paragraph {n}. " + "words " * 200 for n in range(12))


@pytest.fixture
async def of(api: BotApi, desk: FakeDesk, sleeps: Sleeps, tmp_path: Path) -> AsyncIterator[TelegramChannel]:
    api.known_chats.add(77)
    built = channel(tmp_path, desk, api.url, sleeps, request_seconds=1)
    yield built
    api.released.set()
    await built.close()


async def test_plain_text_without_previews(api: BotApi, of: TelegramChannel) -> None:
    receipt = await of.send(answer(text="*no* <b>markup</b> _here_ https://desk.example/t/secret"))
    [sent] = api.sent
    assert sent["text"] == "*no* <b>markup</b> _here_ https://desk.example/t/secret"
    assert "parse_mode" not in sent
    assert sent["link_preview_options"] == {"is_disabled": True}
    assert receipt.peer_id == str(sent["message_id"])


async def test_a_long_answer_leaves_in_parts_with_buttons_on_the_last(api: BotApi, of: TelegramChannel) -> None:
    await of.send(answer(text=LONG, buttons=[("yes", "Yes"), ("no", "No")]))
    assert len(api.sent) == 4
    assert "".join("".join(m["text"].split()) for m in api.sent) == "".join(LONG.split())
    assert ["reply_markup" in m for m in api.sent] == [False, False, False, True]
    [row] = api.sent[-1]["reply_markup"]["inline_keyboard"]
    assert [button["text"] for button in row] == ["Yes", "No"]


async def test_parts_that_were_sent_are_not_sent_again(api: BotApi, of: TelegramChannel) -> None:
    api.fail_next["sendmessage"] = [Fault(code=500)]
    with pytest.raises(RetryLater):
        await of.send(answer(text=LONG))
    first = asyncio.create_task(of.send(answer(text=LONG)))
    await api.until(2, api.sent)
    api.fail_next["sendmessage"] = [Fault(code=500)]
    with pytest.raises(RetryLater):
        await first
    assert len(api.sent) < 4
    await of.send(answer(text=LONG))
    receipt = await of.send(answer(text=LONG))
    assert len(api.sent) == len({m["text"] for m in api.sent}) == 4
    assert receipt.peer_id == ",".join(str(m["message_id"]) for m in api.sent)


async def test_another_message_of_the_same_words_is_sent(api: BotApi, of: TelegramChannel) -> None:
    await of.send(answer())
    await of.send(answer(message_id="another"))
    assert len(api.sent) == 2


async def test_the_pause_that_is_asked_for_is_passed_on_and_kept(api: BotApi, of: TelegramChannel) -> None:
    api.fail_next["sendmessage"] = [Fault(code=429, description="Too Many Requests", retry_after=35)]
    with pytest.raises(RetryLater) as asked:
        await of.send(answer())
    assert asked.value.after_seconds == 35
    with pytest.raises(RetryLater) as held:
        await of.send(answer(message_id="another"))
    assert held.value.after_seconds == pytest.approx(35, abs=2)
    assert len(api.called("sendMessage")) == 1


@pytest.mark.parametrize("fault", [Fault(code=429), Fault(code=500), Fault(code=502), Fault(code=413)])
async def test_what_was_surely_not_taken_is_tried_again(api: BotApi, of: TelegramChannel, fault: Fault) -> None:
    api.fail_next["sendmessage"] = [fault]
    with pytest.raises(RetryLater):
        await of.send(answer())
    await of.send(answer())
    assert len(api.sent) == 1


async def test_a_server_that_is_away_is_tried_again(desk: FakeDesk, sleeps: Sleeps, tmp_path: Path) -> None:
    of = channel(tmp_path, desk, "http://127.0.0.1:9", sleeps)
    with pytest.raises(RetryLater):
        await of.send(answer())
    await of.close()


@pytest.mark.parametrize("fault", [Fault(hang=True, done=True), Fault(truncated=True, done=True)])
async def test_silence_after_sending_is_an_unknown_outcome(api: BotApi, of: TelegramChannel, fault: Fault) -> None:
    api.fail_next["sendmessage"] = [fault]
    with pytest.raises(OutcomeUnknown):
        await of.send(answer())
    assert len(api.sent) == 1


async def test_who_blocked_the_bot_is_not_tried_again(api: BotApi, of: TelegramChannel) -> None:
    api.blocked_by.add(77)
    with pytest.raises(Rejected, match="blocked"):
        await of.send(answer())


@pytest.mark.parametrize("recipient", ["99", "", "somebody"])
async def test_a_chat_that_does_not_exist_is_not_tried_again(api: BotApi, of: TelegramChannel, recipient: str) -> None:
    with pytest.raises(Rejected, match="chat"):
        await of.send(answer(recipient=recipient))


async def test_a_refused_token_keeps_answers_waiting(api: BotApi, of: TelegramChannel) -> None:
    api.token = "1:another"
    with pytest.raises(RetryLater):
        await of.send(answer())
    assert of.deaf()


class Clock:
    def __init__(self) -> None:
        self.now = 100.0
        self.slept: list[float] = []

    def __call__(self) -> float:
        return self.now

    async def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now += seconds


async def test_one_message_a_second_to_a_chat() -> None:
    clock = Clock()
    pace = Pace(clock, clock.sleep)
    for _ in range(4):
        await pace.turn(1)
    assert clock.now == pytest.approx(100 + 3 * CHAT_SECONDS)


async def test_thirty_a_second_in_all() -> None:
    clock = Clock()
    pace = Pace(clock, clock.sleep)
    for chat in range(61):
        await pace.turn(chat)
    assert clock.now == pytest.approx(100 + 60 * OVERALL_SECONDS)


async def test_whoever_would_wait_too_long_comes_again() -> None:
    clock = Clock()
    pace = Pace(clock, clock.sleep)
    pace.hold(1, LONGEST_WAIT_SECONDS + 1)
    with pytest.raises(RetryLater) as later:
        await pace.turn(1)
    assert later.value.after_seconds == pytest.approx(LONGEST_WAIT_SECONDS + 1)
    await pace.turn(2)
    assert clock.slept == []
