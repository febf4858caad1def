"""Buttons: only ours, only in their chat, only for some days, and only once."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from bot.understanding.labels import CLASSES
from channels.telegram.buttons import MAX_DATA_BYTES, Buttons, NotOffered
from channels.telegram.channel import TelegramChannel
from tests.fakes.desk import SECRET, FakeDesk
from tests.telegram.bot_api import BotApi
from tests.telegram.harness import WORDS, answer


class Today:
    def __init__(self) -> None:
        self.moment = datetime(2026, 11, 22, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.moment


def data_of(buttons: Buttons, name: str, chat: int = 77) -> str:
    keyboard = buttons.keyboard([(name, "Title")], chat)
    assert keyboard is not None
    data = keyboard.inline_keyboard[0][0].callback_data
    assert isinstance(data, str)
    return data


@pytest.mark.parametrize("name", ["yes", "never_mind", *(f"class:{label}" for label in CLASSES)])
def test_every_button_of_the_desk_fits(name: str) -> None:
    buttons = Buttons(SECRET, 4242, 7)
    data = data_of(buttons, name, chat=-(2**62))
    assert len(data.encode()) <= MAX_DATA_BYTES
    assert buttons.pressed(data, -(2**62)) == name


def test_a_button_holds_for_its_chat_bot_and_key_only() -> None:
    data = data_of(Buttons(SECRET, 4242, 7), "person")
    others = [(Buttons(SECRET, 4242, 7), 78), (Buttons(SECRET, 4243, 7), 77), (Buttons(bytes(32), 4242, 7), 77)]
    for buttons, chat in others:
        with pytest.raises(NotOffered) as fault:
            buttons.pressed(data, chat)
        assert not fault.value.expired


@pytest.mark.parametrize(
    "data", [None, 3, "", "yes", "yes|", "yes|739942|", "yes|739942|AAAA", "|||", "yes|９|x", "é|1|\ud800", "a|-1|b"]
)
def test_made_up_data_is_no_button(data: object) -> None:
    with pytest.raises(NotOffered) as fault:
        Buttons(SECRET, 4242, 7).pressed(data, 77)
    assert not fault.value.expired


def test_a_button_expires() -> None:
    today = Today()
    buttons = Buttons(SECRET, 4242, 7, today)
    data = data_of(buttons, "yes")
    today.moment += timedelta(days=7)
    assert buttons.pressed(data, 77) == "yes"
    today.moment += timedelta(days=1)
    with pytest.raises(NotOffered) as fault:
        buttons.pressed(data, 77)
    assert fault.value.expired


def test_a_day_cannot_be_moved() -> None:
    data = data_of(Buttons(SECRET, 4242, 7), "yes")
    name, day, mac = data.split("|")
    with pytest.raises(NotOffered):
        Buttons(SECRET, 4242, 7).pressed(f"{name}|{int(day) + 1}|{mac}", 77)


def test_what_cannot_be_signed_is_left_out() -> None:
    assert Buttons(SECRET, 4242, 7).keyboard([("x" * 60, "Title")], 77) is None


async def test_a_press_is_stored_answered_and_the_keyboard_goes(
    api: BotApi, desk: FakeDesk, polling: TelegramChannel
) -> None:
    api.known_chats.add(77)
    await polling.send(answer(buttons=[("yes", "是"), ("no", "否")]))
    update = await api.press(api.sent[0])
    await api.until(1, api.stripped)
    [stored] = desk.stored
    read = await polling.read(stored.raw, stored.envelope)
    assert (read.text, read.payload, stored.conversation_key) == ("是", "yes", "4242:77")
    assert api.answered[0]["callback_query_id"] == update["callback_query"]["id"]
    assert "text" not in api.answered[0]
    assert api.stripped[0]["message_id"] == str(api.sent[0]["message_id"])


async def test_two_presses_on_one_keyboard_are_one(api: BotApi, desk: FakeDesk, polling: TelegramChannel) -> None:
    api.known_chats.add(77)
    await polling.send(answer(buttons=[("yes", "Yes")]))
    await api.press(api.sent[0])
    await api.press(api.sent[0])
    await api.until(2, api.answered)
    assert len(desk.stored) == 1


@pytest.mark.parametrize("chat", [77, 78])
async def test_a_forged_press_does_nothing_and_says_so(
    api: BotApi, desk: FakeDesk, polling: TelegramChannel, chat: int
) -> None:
    """Made-up data, or a real button carried into another chat."""
    api.known_chats.add(77)
    await polling.send(answer(buttons=[("person", "Person")]))
    await api.press(api.sent[0], None if chat == 78 else "person|739942|AAAAAAAAAAAAAAAA", chat)
    await api.until(1, api.answered)
    assert (api.answered[0]["text"], desk.attempts) == (WORDS.say("telegram.button_forged", "en"), 0)
    assert polling.figures().refused == {"forged_button": 1}
    assert api.stripped == []


async def test_an_expired_press_does_nothing_and_says_so(
    api: BotApi, desk: FakeDesk, polling: TelegramChannel, tmp_path: Path
) -> None:
    api.known_chats.add(77)
    await polling.send(answer(buttons=[("yes", "Yes")]))
    old = data_of(Buttons(SECRET, 4242, 7, lambda: datetime.now(UTC) - timedelta(days=9)), "yes")
    await api.press(api.sent[0], old)
    await api.until(1, api.answered)
    assert (api.answered[0]["text"], desk.attempts) == (WORDS.say("telegram.button_expired", "en"), 0)
