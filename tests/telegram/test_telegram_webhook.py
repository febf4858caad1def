"""The webhook: 200 means stored, and who does not know the secret gets nowhere (bar A21)."""

from __future__ import annotations

import random
import time
from collections.abc import Awaitable, Callable

import httpx
import pytest

from channels.faults import NotStored
from channels.telegram.channel import TelegramChannel
from tests.fakes.desk import FakeDesk
from tests.telegram.bot_api import BotApi
from tests.telegram.harness import WEBHOOK_SECRET, Sleeps

type Start = Callable[..., Awaitable[TelegramChannel]]
HEADER = "X-Telegram-Bot-Api-Secret-Token"


async def post(api: BotApi, body: bytes, secret: str | bytes = WEBHOOK_SECRET) -> httpx.Response:
    async with httpx.AsyncClient(trust_env=False) as http:
        return await http.post(
            api.webhook["url"],
            content=body,
            headers=[(HEADER.encode(), secret if isinstance(secret, bytes) else secret.encode())],
        )


async def test_it_is_set_with_the_secret(api: BotApi, webhook: TelegramChannel) -> None:
    assert api.webhook["url"].endswith("/telegram/webhook")
    assert api.webhook["secret_token"] == WEBHOOK_SECRET
    assert api.webhook["allowed_updates"] == ["message", "edited_message", "callback_query"]
    assert webhook.trouble() is None


async def test_an_update_is_stored_and_answered_200(api: BotApi, desk: FakeDesk, webhook: TelegramChannel) -> None:
    update = await api.say("My withdrawal is stuck.")
    assert await api.post_pending() == [200]
    [stored] = desk.stored
    assert stored.external_id == f"4242:{update['update_id']}"
    assert (await webhook.read(stored.raw, stored.envelope)).text == "My withdrawal is stuck."


@pytest.mark.parametrize("secret", ["", "wrong", WEBHOOK_SECRET[:-1], WEBHOOK_SECRET + "x", b"\xff\xfe"])
async def test_a_wrong_secret_is_refused_and_nothing_is_stored(
    api: BotApi, desk: FakeDesk, webhook: TelegramChannel, secret: str | bytes
) -> None:
    answer = await post(api, b'{"update_id": 1}', secret)
    assert answer.status_code == 403
    assert desk.attempts == 0
    assert webhook.figures().refused == {"wrong_secret": 1}


async def test_no_secret_is_refused(api: BotApi, desk: FakeDesk, webhook: TelegramChannel) -> None:
    async with httpx.AsyncClient(trust_env=False) as http:
        assert (await http.post(api.webhook["url"], content=b"{}")).status_code == 403
    assert desk.attempts == 0


async def test_five_times_and_shuffled_is_one_event_each(api: BotApi, desk: FakeDesk, webhook: TelegramChannel) -> None:
    api.times, api.shuffled = 5, random.Random(2)
    for number in range(10):
        await api.say(str(number), chat=number % 2 + 1)
    assert await api.post_pending() == [200] * 50
    assert len(desk.stored) == len({m.external_id for m in desk.stored}) == 10


async def test_what_is_not_stored_is_not_answered_200(api: BotApi, desk: FakeDesk, webhook: TelegramChannel) -> None:
    desk.fail_next = [NotStored("the disk is full", 6.2), RuntimeError("a bug")]
    await api.say("one")
    assert await api.post_pending() == [503]
    assert await api.post_pending() == [503]
    assert (await api.post_pending(), len(desk.stored)) == ([200], 1)


async def test_it_says_when_to_come_again(api: BotApi, desk: FakeDesk, webhook: TelegramChannel) -> None:
    desk.fail_next = [NotStored("the disk is full", 6.2)]
    answer = await post(api, b'{"update_id": 1}')
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "7")


async def test_a_body_that_is_too_long_is_not_read(api: BotApi, desk: FakeDesk, webhook: TelegramChannel) -> None:
    assert (await post(api, bytes(1024 * 1024 + 1))).status_code == 413
    assert desk.attempts == 0


@pytest.mark.parametrize("body", [b"", b"\xff", b"[]", b"null", b'{"update_id": ', b'{"message": 3}', b"[" * 100_000])
async def test_what_is_no_update_is_stored_once_and_answered(
    api: BotApi, desk: FakeDesk, webhook: TelegramChannel, body: bytes
) -> None:
    assert [(await post(api, body)).status_code for _ in range(2)] == [200, 200]
    [stored] = desk.stored
    read = await webhook.read(stored.raw, stored.envelope)
    assert (stored.raw, read.text, read.kind) == (body, "", "automatic")
    assert read.note


async def test_a_kind_that_was_not_asked_for_is_not_stored(
    api: BotApi, desk: FakeDesk, webhook: TelegramChannel
) -> None:
    assert (await post(api, b'{"update_id": 5, "poll": {"id": "1"}}')).status_code == 200
    assert desk.attempts == 0
    assert webhook.figures().refused == {"not_asked_for": 1}


async def test_after_stop_peers_are_told_to_come_again(api: BotApi, desk: FakeDesk, webhook: TelegramChannel) -> None:
    await webhook.stop()
    assert (await post(api, b'{"update_id": 1}')).status_code == 503
    assert desk.attempts == 0


async def test_a_webhook_that_somebody_took_away_is_set_again(
    api: BotApi, desk: FakeDesk, webhook: TelegramChannel, sleeps: Sleeps
) -> None:
    api.webhook = {}
    async with api.changed:
        await api.changed.wait_for(lambda: len(api.called("setWebhook")) == 2)
    assert api.webhook["url"].endswith("/telegram/webhook")
    seen = len(api.called("getWebhookInfo"))
    async with api.changed:
        await api.changed.wait_for(lambda: len(api.called("getWebhookInfo")) >= seen + 3)
    assert webhook.trouble() is None


async def test_deliveries_that_fail_are_shown(
    api: BotApi, desk: FakeDesk, webhook: TelegramChannel, sleeps: Sleeps
) -> None:
    await api.say("waits")
    api.webhook_error = {"last_error_date": int(time.time()), "last_error_message": "Connection refused"}
    seen = len(api.called("getWebhookInfo"))
    async with api.changed:
        await api.changed.wait_for(lambda: len(api.called("getWebhookInfo")) > seen + 1)
    assert "cannot post updates to us" in str(webhook.trouble())


async def test_polling_has_no_route(start: Start) -> None:
    assert (await start()).routes() == ()
