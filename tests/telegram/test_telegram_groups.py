"""In groups: silence, and one invitation a day for whoever addresses the bot (bar A21)."""

from __future__ import annotations

from typing import Any

import pytest

from channels.telegram.channel import TelegramChannel
from tests.fakes.desk import FakeDesk
from tests.telegram.bot_api import BOT, BotApi

GROUP: dict[str, Any] = {"id": -100500, "type": "supergroup", "title": "Traders"}


async def say(api: BotApi, text: str, **more: Any) -> None:
    api.known_chats.add(GROUP["id"])
    await api.add(message={**api.message(text, 9), "chat": GROUP, **more})


async def settled(api: BotApi, desk: FakeDesk) -> None:
    """A private message after the others: when it is stored, they were heard, too."""
    await api.say("private", chat=77)
    await desk.until(stored=1)


@pytest.mark.parametrize(
    ("text", "more"),
    [
        ("my withdrawal is stuck", {}),
        ("mail me at a@redress_test_bot_fan", {}),
        ("/price BTC", {}),
        ("/agent@other_bot", {}),
        ("@redress_test_bot hi", {"from": {"id": 9, "is_bot": True, "first_name": "Other"}}),
        ("hi", {"reply_to_message": {"from": {"id": 5}}}),
    ],
)
async def test_silence(api: BotApi, desk: FakeDesk, polling: TelegramChannel, text: str, more: dict[str, Any]) -> None:
    await say(api, text, **more)
    await settled(api, desk)
    assert api.sent == []
    assert len(desk.stored) == 1
    assert polling.figures().refused == {"group": 1}


@pytest.mark.parametrize(
    ("text", "more"),
    [
        ("@Redress_Test_Bot where is my money?", {}),
        ("/status", {}),
        ("/agent@redress_test_bot", {}),
        ("and me?", {"reply_to_message": {"from": BOT}}),
    ],
)
async def test_whoever_addresses_it_is_invited_once_a_day(
    api: BotApi, desk: FakeDesk, polling: TelegramChannel, text: str, more: dict[str, Any]
) -> None:
    for _ in range(3):
        await say(api, text, **more)
    await api.until(1, api.sent)
    await settled(api, desk)
    [sent] = api.sent
    assert (sent["chat_id"], sent["text"].count("https://t.me/redress_test_bot")) == (str(GROUP["id"]), 2)
    assert "in private" in sent["text"]
    assert "私聊" in sent["text"]
    assert [m.conversation_key for m in desk.stored] == ["4242:77"]
