"""Long polling: an update is confirmed only when it is stored, and no fault loses or repeats one (bar A21)."""

from __future__ import annotations

import json
import random
from collections.abc import Awaitable, Callable
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import text

from bot.files import Files
from bot.inbox import Inbox
from bot.store.store import Store
from channels.faults import NotStored
from channels.telegram.channel import TelegramChannel
from tests.conftest import MovedClock
from tests.fakes.desk import FakeDesk
from tests.telegram.bot_api import BOT, BotApi, Fault
from tests.telegram.harness import Sleeps, channel

type Start = Callable[..., Awaitable[TelegramChannel]]


async def confirmed(api: BotApi) -> None:
    """Waits until nothing is left unconfirmed."""
    async with api.changed:
        await api.changed.wait_for(lambda: not api.pending)


async def test_an_update_is_stored_and_then_confirmed(api: BotApi, desk: FakeDesk, polling: TelegramChannel) -> None:
    desk.door.clear()
    update = await api.say("My withdrawal is stuck.")
    await desk.until(attempts=1)
    polls = len(api.called("getUpdates"))
    assert api.pending == [update]
    desk.door.set()
    await confirmed(api)
    [stored] = desk.stored
    assert (stored.external_id, stored.conversation_key) == (f"4242:{update['update_id']}", "4242:77")
    assert (stored.sender, stored.language, json.loads(stored.raw)) == ("77", "en", update)
    assert api.called("getUpdates")[polls]["offset"] == str(update["update_id"] + 1)
    assert polling.deaf() is None
    assert polling.figures().connections == 1


async def test_it_asks_only_for_what_it_reads(api: BotApi, polling: TelegramChannel) -> None:
    assert api.called("getUpdates")[0]["allowed_updates"] == ["message", "edited_message", "callback_query"]
    assert polling.door() == f"https://t.me/{BOT['username']}"
    assert api.called("deleteWebhook") == [{"drop_pending_updates": "false"}]
    assert set(api.commands) == {"", "zh"}
    assert [command["command"] for command in api.commands["zh"]] == [
        "start",
        "help",
        "status",
        "agent",
        "language",
        "appeal",
        "subscribe",
        "unsubscribe",
    ]


async def test_what_is_not_stored_comes_again(
    api: BotApi, desk: FakeDesk, polling: TelegramChannel, sleeps: Sleeps
) -> None:
    desk.fail_next = [NotStored("the disk is full", 9), RuntimeError("a bug")]
    first = await api.say("one")
    second = await api.say("two", chat=78)
    await confirmed(api)
    assert {m.external_id for m in desk.stored} == {f"4242:{u['update_id']}" for u in (first, second)}
    assert sleeps.seconds[0] >= 9
    assert polling.figures().refused["not_stored"] == 2


async def test_the_order_within_a_chat_is_kept_when_one_fails(
    api: BotApi, desk: FakeDesk, start: Start, sleeps: Sleeps
) -> None:
    desk.fail_next = [NotStored("not now")]
    for words in ("one", "two", "three"):
        await api.say(words)
    await start()
    await confirmed(api)
    assert [json.loads(m.raw)["message"]["text"] for m in desk.stored] == ["one", "two", "three"]


async def test_each_update_five_times_and_shuffled_is_one_event(
    api: BotApi, store: Store, start: Start, clock: MovedClock, desk: FakeDesk, tmp_path: Path
) -> None:
    inbox = Inbox(store, Files(tmp_path / "raw"), clock, timedelta(seconds=15), lambda _claim: None)
    desk.inbox = inbox.accept
    api.times, api.shuffled = 5, random.Random(1)
    for number in range(20):
        await api.say(str(number), chat=number % 3 + 1)
    await start()
    await confirmed(api)
    rows = await store.read(lambda connection: connection.execute(text("SELECT external_id FROM inbox")).all())
    assert len(rows) == len(set(rows)) == 20


async def test_a_desk_that_died_before_confirming_hears_it_again_and_keeps_it_once(
    api: BotApi, desk: FakeDesk, start: Start
) -> None:
    first = await start()
    await api.say("one")
    await desk.until(stored=1)
    await first.stop()
    await start()
    await confirmed(api)
    assert len(desk.stored) == 1


async def test_a_poison_update_is_stored_and_the_queue_moves_on(
    api: BotApi, desk: FakeDesk, polling: TelegramChannel
) -> None:
    await api.add(message={"chat": [], "date": "never"})
    await api.add(message={"message_id": {}, "chat": {"id": 77, "type": "private"}, "text": ["odd"]})
    await api.say("a good one")
    await confirmed(api)
    await desk.until(stored=3)
    odd = [await polling.read(m.raw, m.envelope) for m in desk.stored]
    assert sorted(m.text for m in odd) == ["", "", "a good one"]
    assert all(m.note for m in odd if not m.text)


@pytest.mark.parametrize("retry_after", [7, 7.5])
async def test_the_pause_that_is_asked_for_is_kept(
    api: BotApi, desk: FakeDesk, start: Start, sleeps: Sleeps, retry_after: float
) -> None:
    api.fail_next["getupdates"] = [Fault(code=429, retry_after=retry_after), Fault(code=429), Fault(code=502)]
    await api.say("one")
    built = await start()
    await desk.until(stored=1)
    assert retry_after <= sleeps.seconds[0] <= retry_after * 1.25
    assert 2 <= sleeps.seconds[1] <= 2.5
    assert 4 <= sleeps.seconds[2] <= 5
    assert built.deaf() is None
    assert built.trouble() is None


async def test_a_truncated_answer_loses_nothing(api: BotApi, desk: FakeDesk, start: Start) -> None:
    api.fail_next["getupdates"] = [Fault(truncated=True, done=True), Fault(truncated=True)]
    await api.say("one")
    await start()
    await desk.until(stored=1)
    await confirmed(api)


async def test_another_receiver_is_shown_as_trouble(api: BotApi, desk: FakeDesk, start: Start, sleeps: Sleeps) -> None:
    api.fail_next["getupdates"] = [Fault(code=409, description="Conflict")]
    built = await start()
    await sleeps.until(1)
    assert "a bot has one receiver only" in str(built.trouble())
    assert built.deaf() is None
    await api.say("one")
    await confirmed(api)
    assert built.trouble() is None


async def test_a_refused_token_makes_it_deaf_until_it_is_good(
    api: BotApi, desk: FakeDesk, start: Start, sleeps: Sleeps
) -> None:
    token, api.token = api.token, "1:another"
    built = await start()
    await sleeps.until(2)
    assert "token" in str(built.deaf())
    assert api.token not in str(built.deaf())
    assert built.door() == ""
    api.token = token
    await api.say("one")
    await desk.until(stored=1)
    assert built.deaf() is None


async def test_a_server_that_is_away_stops_nothing(desk: FakeDesk, sleeps: Sleeps, tmp_path: Path) -> None:
    built = channel(tmp_path, desk, "http://127.0.0.1:9", sleeps)
    await built.start()
    await sleeps.until(3)
    assert built.figures().connections == 0
    await built.stop()
    await built.close()


async def test_stopping_waits_for_what_is_being_stored(api: BotApi, desk: FakeDesk, polling: TelegramChannel) -> None:
    desk.door.clear()
    await api.say("one")
    await desk.until(attempts=1)
    desk.door.set()
    await polling.stop()
    assert len(desk.stored) == 1


async def test_numbers_that_begin_anew_lose_nothing(api: BotApi, desk: FakeDesk, polling: TelegramChannel) -> None:
    await api.say("before the quiet week")
    await confirmed(api)
    polls = len(api.called("getUpdates"))
    async with api.changed:
        await api.changed.wait_for(lambda: len(api.called("getUpdates")) >= polls + 2)
    api.last_id = 3
    await api.say("after it")
    await desk.until(stored=2)
