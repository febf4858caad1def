"""Subscribing by saying so: a bot of Telegram, with its real wire; no case, no Rasa, whoever owns the conversation."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from sqlalchemy import Connection, select

from bot import catalogue
from bot.store.tables import Conversation
from channels.contract import Channel
from escalation.broadcast.repository import subscriptions
from escalation.queue import agent_owner
from tests.broadcast.conftest import ONE_DATABASE, TITLES, Cast
from tests.telegram.bot_api import TOKEN, BotApi

pytestmark = pytest.mark.asyncio(loop_scope="module")
WORDS = catalogue.whole()
CHAT = 77


@pytest_asyncio.fixture(loop_scope="module")
async def api() -> AsyncIterator[BotApi]:
    async with BotApi().running() as running:
        yield running


@pytest_asyncio.fixture(loop_scope="module")
async def bot(cast: Cast, api: BotApi) -> AsyncIterator[BotApi]:
    cast.settings.channel["telegram"] = {"token": TOKEN, "api_url": api.url, "poll_seconds": 1}
    await cast.restart()
    telegram: Channel = cast.desk.channels["telegram"]
    await telegram.start()
    yield api
    await telegram.stop()


async def said(cast: Cast, bot: BotApi, count: int) -> str:
    """What the bot says next: the turn ends by itself, and deliveries are ours."""
    async with bot.changed:
        await bot.changed.wait_for(lambda: not bot.pending)
    await cast.desk.turns.drain(5)
    cast.desk.turns._stopping = False
    await cast.deliver()
    await bot.until(count, bot.sent)
    return str(bot.sent[-1]["text"])


async def proof(cast: Cast) -> list[tuple[str, str]]:
    def look(connection: Connection) -> list[tuple[str, str]]:
        row = subscriptions.find(connection, "telegram", str(CHAT))
        assert row is not None
        return [deed[:2] for deed in subscriptions.deeds(connection, row.id)]

    found: list[tuple[str, str]] = await cast.read(look)
    return found


async def test_a_bots_user_subscribes_gets_a_notice_and_leaves_by_its_button(cast: Cast, bot: BotApi) -> None:
    await bot.say("/subscribe", CHAT)
    assert await said(cast, bot, 1) == WORDS.say("broadcast.subscribed", "en")
    await cast.begin()
    await cast.ring()
    await cast.deliver()
    notice = bot.sent[-1]
    assert notice["text"].startswith(TITLES["en"])
    assert notice["text"].endswith(WORDS.say("broadcast.footer", "en"))
    await bot.press(notice)
    assert await said(cast, bot, 3) == WORDS.say("broadcast.unsubscribed", "en")
    await cast.begin()
    await cast.go()
    assert len(bot.sent) == 3
    assert await proof(cast) == [("subscribed", "message"), ("unsubscribed", "message")]
    assert await cast.cases() == 0


@ONE_DATABASE
async def test_a_wish_is_heard_while_an_agent_has_the_conversation(cast: Cast, bot: BotApi) -> None:
    await bot.say("订阅通知", CHAT)
    assert await said(cast, bot, 1) == WORDS.say("broadcast.subscribed", "zh")
    await cast.desk.store.write(
        lambda c: c.execute(Conversation.__table__.update().values(owner=agent_owner(2)))  # type: ignore[attr-defined]
    )
    await bot.say("退订", CHAT)
    assert await said(cast, bot, 2) == WORDS.say("broadcast.unsubscribed", "zh")
    owners = await cast.read(lambda c: list(c.execute(select(Conversation.owner)).scalars()))
    assert owners == [agent_owner(2)]


@ONE_DATABASE
async def test_who_blocked_the_bot_is_a_result(cast: Cast, bot: BotApi) -> None:
    await cast.subscribe(str(CHAT), channel="telegram")
    bot.blocked_by.add(CHAT)
    broadcast_id = await cast.begin()
    await cast.go()
    [(state, reason)] = (await cast.states(broadcast_id)).values()
    assert (state, reason) == ("failed", "the user has blocked the bot or deleted the account")
