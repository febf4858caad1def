"""The fake Bot API behaves as the documented one, so that the channel's tests mean something."""

from __future__ import annotations

import asyncio
import random
from typing import Any

import httpx
import pytest

from tests.telegram.bot_api import TOKEN, BotApi, Fault


async def call(api: BotApi, method: str, **parameters: Any) -> tuple[int, Any]:
    async with httpx.AsyncClient(trust_env=False, timeout=5) as http:
        answer = await http.post(f"{api.url}/bot{TOKEN}/{method}", json=parameters)
        return answer.status_code, answer.json()


async def test_it_knows_its_token(api: BotApi) -> None:
    code, answer = await call(api, "getMe")
    assert (code, answer["result"]["username"]) == (200, "redress_test_bot")
    async with httpx.AsyncClient(trust_env=False) as http:
        assert (await http.post(f"{api.url}/bot1:wrong/getMe")).status_code == 401
    assert (await call(api, "getNothing"))[0] == 404


async def test_an_update_comes_until_it_is_confirmed(api: BotApi) -> None:
    first = await api.say("one")
    second = await api.say("two")
    assert (await call(api, "getUpdates"))[1]["result"] == [first, second]
    assert (await call(api, "getUpdates", offset=first["update_id"]))[1]["result"] == [first, second]
    assert (await call(api, "getUpdates", offset=second["update_id"]))[1]["result"] == [second]
    assert (await call(api, "getUpdates", offset=second["update_id"] + 1))[1]["result"] == []
    assert api.pending == []


async def test_a_long_poll_ends_when_something_comes(api: BotApi) -> None:
    waiting = asyncio.create_task(call(api, "getUpdates", timeout=5))
    await api.until(1, api.calls)
    update = await api.say("now")
    assert (await waiting)[1]["result"] == [update]


async def test_a_second_poller_ends_the_first(api: BotApi) -> None:
    first = asyncio.create_task(call(api, "getUpdates", timeout=5))
    await api.until(1, api.calls)
    second = asyncio.create_task(call(api, "getUpdates", timeout=5))
    assert (await first)[0] == 409
    await api.say("for the second")
    assert (await second)[0] == 200


async def test_polling_and_a_webhook_exclude_each_other(api: BotApi) -> None:
    await call(api, "setWebhook", url="http://127.0.0.1:9/x", secret_token="s")
    assert (await call(api, "getWebhookInfo"))[1]["result"]["url"] == "http://127.0.0.1:9/x"
    assert (await call(api, "getUpdates"))[0] == 409
    await call(api, "deleteWebhook")
    assert (await call(api, "getUpdates"))[0] == 200


async def test_updates_can_come_several_times_and_shuffled(api: BotApi) -> None:
    numbers = [(await api.say(str(n)))["update_id"] for n in range(4)]
    api.times, api.shuffled = 5, random.Random(3)
    got = [update["update_id"] for update in (await call(api, "getUpdates"))[1]["result"]]
    assert sorted(got) == sorted(numbers * 5)
    assert got != sorted(got)


@pytest.mark.parametrize(
    ("chat", "text", "code", "reason"),
    [
        (77, "x" * 4096, 200, ""),
        (77, "x" * 4097, 400, "too long"),
        (77, "😀" * 2049, 400, "too long"),
        (77, " ", 400, "empty"),
        (78, "hi", 400, "chat not found"),
        (79, "hi", 403, "blocked"),
    ],
)
async def test_what_it_sends_and_refuses(api: BotApi, chat: int, text: str, code: int, reason: str) -> None:
    api.known_chats |= {77, 79}
    api.blocked_by.add(79)
    got, answer = await call(api, "sendMessage", chat_id=chat, text=text)
    assert got == code
    assert reason in answer.get("description", "")
    assert len(api.sent) == (code == 200)


async def test_a_button_has_at_most_64_bytes(api: BotApi) -> None:
    api.known_chats.add(77)
    keyboard = {"inline_keyboard": [[{"text": "a", "callback_data": "x" * 65}]]}
    assert (await call(api, "sendMessage", chat_id=77, text="hi", reply_markup=keyboard))[0] == 400


async def test_files_have_a_limit(api: BotApi) -> None:
    api.files["small"], api.files["large"] = b"bytes", bytes(20_000_001)
    path = (await call(api, "getFile", file_id="small"))[1]["result"]["file_path"]
    async with httpx.AsyncClient(trust_env=False) as http:
        assert (await http.get(f"{api.url}/file/bot{TOKEN}/{path}")).content == b"bytes"
        assert (await http.get(f"{api.url}/file/bot1:wrong/{path}")).status_code == 404
    assert "too big" in (await call(api, "getFile", file_id="large"))[1]["description"]
    assert (await call(api, "getFile", file_id="none"))[0] == 400


async def test_it_fails_as_told(api: BotApi) -> None:
    api.fail_next["getme"] = [Fault(code=429, retry_after=7), Fault(code=429), Fault(code=500)]
    assert (await call(api, "getMe"))[1]["parameters"] == {"retry_after": 7}
    assert "parameters" not in (await call(api, "getMe"))[1]
    assert (await call(api, "getMe"))[0] == 500
    assert (await call(api, "getMe"))[0] == 200


async def test_an_answer_can_break_off(api: BotApi) -> None:
    api.fail_next["getme"] = [Fault(truncated=True)]
    with pytest.raises(httpx.RemoteProtocolError):
        await call(api, "getMe")


async def test_it_can_hang_after_the_deed(api: BotApi) -> None:
    api.known_chats.add(77)
    api.fail_next["sendmessage"] = [Fault(hang=True, done=True)]
    waiting = asyncio.create_task(call(api, "sendMessage", chat_id=77, text="hi"))
    await api.until(1, api.calls)
    assert not waiting.done()
    api.released.set()
    await waiting
    assert len(api.sent) == 1
