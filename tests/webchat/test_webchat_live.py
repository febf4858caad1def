"""The live part of the protocol: who has the word, typing, read marks. Only for clients that ask for it."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from datetime import UTC, datetime

import jwt
import pytest
import structlog

from channels.contract import Author
from channels.live_contract import Holder, Situation
from tests.webchat.client import Client, Frame, greeted, new_session, open_socket
from tests.webchat.desk import APP_SECRET, RunningChat, in_an_hour, running_chat

PATIENCE_SECONDS = 20


@asynccontextmanager
async def live(chat: RunningChat, session: dict[str, str], after: int = 0) -> AsyncGenerator[tuple[Client, Frame]]:
    async with open_socket(chat) as client:
        await client.send(type="hello", version=1, **session, after=after, live=True)
        assert (await client.next())["type"] == "welcome"
        yield client, await client.next_of("state")


async def test_the_situation_is_told_at_once_and_when_it_changes(chat: RunningChat) -> None:
    session = await new_session(chat)
    async with live(chat, session) as (client, state):
        nothing = {"name": "", "here": False, "thinking": False, "seen": 0, "read": 0}
        assert state == {"type": "state", "with": "bot", **nothing}
        chat.desk.attention.change(session["session"], owner=Holder.AGENT, name="Anna", here=True, seen=3)
        changed = await client.next_of("state")
        assert (changed["with"], changed["name"], changed["here"], changed["seen"]) == ("agent", "Anna", True, 3)
        chat.desk.attention.change(session["session"], seen=3)
        assert await client.settle() == [], "nothing changed, nothing is said"


async def test_that_the_bot_works_on_it_is_told_after_the_message_is_stored(chat: RunningChat) -> None:
    session = await new_session(chat)
    async with live(chat, session) as (client, _):
        thinking = Situation(owner=Holder.BOT, thinking=True)
        chat.desk.attention.situations[session["session"]] = thinking  # and nobody is woken: the desk looks by itself
        await client.write("hello")
        assert (await client.next_of("state"))["thinking"] is True


async def test_an_agent_who_types_is_named_and_nobody_else(chat: RunningChat) -> None:
    session = await new_session(chat)
    key = session["session"]
    async with live(chat, session) as (client, _):
        chat.desk.attention.agent_typed(key)
        assert await client.settle() == [], "the bot has the word: no person is announced"
        chat.desk.attention.change(key, owner=Holder.AGENT, name="安娜")
        await client.next_of("state")
        chat.desk.attention.agent_typed(key)
        assert await client.next_of("typing") == {"type": "typing", "author": "agent", "name": "安娜"}


async def test_the_users_typing_is_passed_on_but_not_without_end() -> None:
    async with running_chat({"typing_per_minute": 5}) as chat:
        session = await new_session(chat)
        async with live(chat, session) as (client, _):
            for _ in range(20):
                await client.send(type="typing")
            await client.settle()
            assert chat.desk.attention.typed[session["session"]] == 5


async def test_nobody_has_read_what_was_not_shown(chat: RunningChat) -> None:
    session = await new_session(chat)
    key = session["session"]
    async with live(chat, session) as (client, _):
        chat.desk.say(key, "one")
        chat.desk.say(key, "two")
        for _ in range(2):
            await client.next_of("entry")
        for seq in (1, 1, 2, 1, 999):
            await client.send(type="seen", seq=seq)
        await client.settle()
        assert chat.desk.attention.read[key] == [1, 2]
        assert chat.desk.attention.situations[key].read == 2


async def test_a_user_is_present_while_connected(chat: RunningChat) -> None:
    session = await new_session(chat)
    key = session["session"]
    async with live(chat, session), live(chat, session):
        assert chat.desk.attention.here[key] == 2
    async with asyncio.timeout(PATIENCE_SECONDS):
        await chat.desk.unwatched[key].wait()
        while chat.desk.attention.here[key]:
            await asyncio.sleep(0.02)


async def test_who_does_not_ask_for_it_hears_nothing_of_it(chat: RunningChat) -> None:
    session = await new_session(chat)
    key = session["session"]
    async with open_socket(chat) as client:
        await client.send(type="hello", version=1, **session)
        assert (await client.next())["type"] == "welcome"
        chat.desk.attention.change(key, owner=Holder.AGENT, name="Anna")
        chat.desk.attention.agent_typed(key)
        chat.desk.say(key, "an answer", Author.AGENT, "Anna")
        await client.send(type="typing")
        await client.send(type="seen", seq=1)
        assert [frame["type"] for frame in await client.settle()] == ["entry"]
        assert chat.desk.attention.typed[key] == 0
        assert chat.desk.attention.read[key] == []


async def test_the_app_may_name_the_registered_address(chat: RunningChat) -> None:
    """That is where an unread answer is announced; a token is the only thing here that may bring one."""
    claims = {"sub": "10001", "aud": "redress", "exp": in_an_hour(), "iat": datetime.now(UTC)}
    for email, expected in (("li@mail.example", "li@mail.example"), ("x" * 300, "")):
        token = jwt.encode({**claims, "email": email}, APP_SECRET, "HS256")
        async with greeted(chat, await new_session(chat), token=token) as (client, _):
            await client.write("hello")
            await client.next_of("stored")
        account = chat.desk.inbox[-1].account
        assert account is not None
        assert account.email == expected


@pytest.mark.parametrize(
    ("given", "shown"),
    [
        ("小明\ud83d", "小明"),
        ("Li\x00 Mei\x1b[31m", "Li Mei[31m"),
        ("\u202eevil\u2066", "evil"),
        ("👩\u200d💻 Li", "👩\u200d💻 Li"),
        ("名" * 300, "名" * 120),
        ("\ud83d\ude00\ud83d"[2:], ""),
    ],
)
async def test_a_name_that_is_no_text_is_cleaned(chat: RunningChat, given: str, shown: str) -> None:
    async with greeted(chat, await new_session(chat), token=app_token(name=given)) as (client, welcome):
        assert welcome["account"] == {"uid": "10001", "name": shown}
        await client.write("hello")
        await client.next_of("stored")
    account = chat.desk.inbox[-1].account
    assert account is not None
    assert account.name == shown


@pytest.mark.parametrize("uid", ["1\ud83d", "1\x00", "1\u202e", "1\n"])
async def test_an_id_that_is_no_text_is_nobodys(chat: RunningChat, uid: str) -> None:
    """To clean it would make another user of it."""
    with structlog.testing.capture_logs() as logs:
        async with greeted(chat, await new_session(chat), token=app_token(sub=uid)) as (client, welcome):
            assert "account" not in welcome
            assert (await client.next_of("error"))["code"] == "expired_token"
            await client.write("as a guest")
            await client.next_of("stored")
    assert [one["event"] for one in logs] == ["app_token_refused"]
    assert chat.desk.inbox[-1].account is None


async def test_an_address_that_is_no_text_is_none(chat: RunningChat) -> None:
    token = app_token(email="li\x00@mail.example")
    async with greeted(chat, await new_session(chat), token=token) as (client, _):
        await client.write("hello")
        await client.next_of("stored")
    account = chat.desk.inbox[-1].account
    assert account is not None
    assert account.email == ""


def app_token(**claims: str) -> str:
    """Signed as the app signs; the payload is plain JSON, in which half a character is legal."""
    known = {"sub": "10001", "aud": "redress", "exp": int(in_an_hour().timestamp())}
    return jwt.api_jws.encode(json.dumps({**known, **claims}).encode(), APP_SECRET, "HS256")


async def test_a_broken_sign_is_a_bad_frame(chat: RunningChat) -> None:
    async with live(chat, await new_session(chat)) as (client, _):
        for seq in (0, -1, "1", 2**40):
            await client.send(type="seen", seq=seq)
            assert (await client.next_of("error"))["code"] == "bad_frame"
