"""What strangers try: foreign pages, forged sessions, floods, junk, forged tokens."""

from __future__ import annotations

import asyncio
import json
import secrets
from datetime import timedelta
from typing import Any
from uuid import uuid4

import jwt
import pytest
from websockets.exceptions import InvalidStatus

from channels.contract import Account
from tests.webchat.client import greeted, new_session, open_socket
from tests.webchat.desk import APP_SECRET, LISTED_SITE, RunningChat, in_an_hour, running_chat

FOREIGN = [
    "https://evil.example",
    "null",
    "",
    "http://127.0.0.1",
    "https://127.0.0.1:1",
    "http://127.0.0.1.evil.example",
]


@pytest.mark.parametrize("origin", FOREIGN)
async def test_a_foreign_page_is_refused_before_the_handshake(chat: RunningChat, origin: str) -> None:
    with pytest.raises(InvalidStatus) as refusal:
        async with open_socket(chat, origin):
            pass
    assert refusal.value.response.status_code == 403


async def test_own_pages_listed_sites_and_native_apps_may_connect() -> None:
    async with running_chat({"origins": ["https://app.example"]}) as chat:
        for origin in (
            chat.url,
            f"http://localhost:{chat.port}",
            "https://app.example",
            LISTED_SITE,
            None,
        ):
            async with open_socket(chat, origin) as client:
                await client.send(type="hello", version=1, **await new_session(chat))
                assert (await client.next())["type"] == "welcome"


async def test_a_session_opens_only_with_its_own_secret(chat: RunningChat) -> None:
    mine, other = await new_session(chat), await new_session(chat)
    chat.desk.say(mine["session"], "confidential")
    forged = [
        {"session": mine["session"], "secret": other["secret"]},
        {"session": mine["session"], "secret": ""},
        {"session": mine["session"], "secret": mine["secret"][:-1]},
        {"session": mine["session"] + "x", "secret": mine["secret"]},
        {"session": "*", "secret": mine["secret"]},
        {"session": "", "secret": ""},
        {"session": mine["session"], "secret": "é中\ud800"},
    ]
    for attempt in forged:
        async with open_socket(chat) as client:
            await client.send(type="hello", version=1, **attempt)
            assert (await client.next())["code"] == "bad_session"
            assert await client.closed() == 1008


@pytest.mark.parametrize(
    "first",
    [
        {"type": "message", "id": "abcdefgh", "text": "no greeting"},
        {"type": "hello"},
        {"type": "hello", "version": 1, "session": None, "secret": None},
        {"type": "subscribe", "topic": "ticket:*"},
        [],
        7,
    ],
)
async def test_who_does_not_greet_is_sent_away(chat: RunningChat, first: Any) -> None:
    async with open_socket(chat) as client:
        await client.socket.send(json.dumps(first))
        assert (await client.next())["code"] == "bad_frame"
        assert await client.closed() == 1008


async def test_an_unknown_version_is_told_so(chat: RunningChat) -> None:
    async with open_socket(chat) as client:
        await client.send(type="hello", version=2, language="zh", **await new_session(chat))
        error = await client.next()
        assert (error["code"], "更新应用" in error["message"]) == ("unsupported_version", True)
        assert await client.closed() == 1008


async def test_who_says_nothing_is_closed() -> None:
    async with running_chat({"hello_seconds": 0.1, "idle_seconds": 0.1}) as chat:
        async with open_socket(chat) as client:
            assert await client.closed() == 1001
        async with greeted(chat, await new_session(chat)) as (client, _):
            assert await client.closed() == 1001


@pytest.mark.parametrize(
    "junk",
    [
        "",
        "{",
        "[" * 60_000,
        '{"type":"message"}',
        '{"type":"message","id":"short","text":"x"}',
        '{"type":"message","id":"abcdefgh","text":7}',
        '{"type":"message","id":["abcdefgh"],"text":"x"}',
        '{"type":"press","id":"abcdefgh","button":"/restart"}',
        '{"type":"press","id":"abcdefgh","button":"../x"}',
        '{"type":"hello","version":1,"session":"x","secret":"x"}',
        '{"type":"entry","seq":1,"author":"agent","text":"x"}',
        b"\x00\xff",
    ],
)
async def test_junk_is_answered_and_the_chat_goes_on(chat: RunningChat, junk: str | bytes) -> None:
    async with greeted(chat, await new_session(chat)) as (client, _):
        await client.socket.send(junk)
        assert (await client.next())["code"] == "bad_frame"
        await client.write("still here")
        assert (await client.next_of("stored"))["seq"] == 1
    assert len(chat.desk.inbox) == 1


async def test_a_frame_over_the_limit_closes_with_1009(chat: RunningChat) -> None:
    async with greeted(chat, await new_session(chat)) as (client, _):
        await client.write("中" * 22_000)
        assert await client.closed() == 1009
    assert chat.desk.inbox == []


@pytest.mark.parametrize("letter", ["a", "中", "😀"])
async def test_a_text_is_counted_in_characters(chat: RunningChat, letter: str) -> None:
    async with greeted(chat, await new_session(chat)) as (client, _):
        await client.socket.send(
            json.dumps({"type": "message", "id": "abcdefgh", "text": letter * 4000}, ensure_ascii=False)
        )
        await client.next_of("stored")
        client_id = await client.write(letter * 4001)
        error = await client.next_of("error")
    assert (error["code"], error["id"]) == ("too_long", client_id)
    assert "4000" in error["message"]
    assert "retry_after_seconds" not in error
    assert len(chat.desk.inbox) == 1


async def test_a_session_that_writes_too_fast_is_slowed_over_all_its_connections() -> None:
    async with running_chat({"messages_per_minute": 3}) as chat:
        session = await new_session(chat)
        async with greeted(chat, session) as (one, _), greeted(chat, session) as (two, _):
            for client in (one, two, one):
                await client.write("quick")
                await client.next_of("stored")
            client_id = await two.write("too quick")
            error = await two.next_of("error")
            assert (error["code"], error["id"]) == ("too_fast", client_id)
            assert 0 < error["retry_after_seconds"] <= 20
        async with greeted(chat, await new_session(chat)) as (other, _):
            await other.write("another session is not slowed")
            await other.next_of("stored")
    assert len(chat.desk.inbox) == 4


async def test_a_flood_of_frames_is_cut_off() -> None:
    async with running_chat({"frames_per_minute": 50}) as chat, greeted(chat, await new_session(chat)) as (client, _):
        for _ in range(200):
            await client.socket.send(b"x")
        assert await client.closed() == 1008
        assert chat.desk.inbox == []


async def test_too_many_connections_of_one_session_are_refused() -> None:
    async with running_chat({"max_connections_per_session": 1}) as chat:
        session = await new_session(chat)
        async with greeted(chat, session), open_socket(chat) as second:
            await second.send(type="hello", version=1, **session)
            assert (await second.next())["code"] == "too_many_connections"
        async with greeted(chat, session):
            pass


async def test_too_many_connections_in_all_are_refused_before_the_handshake() -> None:
    async with running_chat({"max_connections": 1}) as chat, open_socket(chat):
        with pytest.raises(InvalidStatus):
            async with open_socket(chat):
                pass


async def test_a_client_that_does_not_read_is_sent_away_and_others_go_on() -> None:
    async with running_chat({"send_seconds": 0.5}) as chat:
        session = await new_session(chat)
        async with greeted(chat, session) as (deaf, _), greeted(chat, await new_session(chat)) as (other, _):
            deaf.socket.transport.pause_reading()
            incompressible = secrets.token_urlsafe(200_000)
            for _ in range(80):
                chat.desk.say(session["session"], incompressible)
            await other.write("I am not held up")
            await other.next_of("stored")
            async with asyncio.timeout(10):
                await chat.desk.unwatched[session["session"]].wait()
            deaf.socket.transport.abort()


def token(**changes: Any) -> str:
    claims = {"sub": "10001", "name": "Li Mei", "aud": "redress", "exp": in_an_hour(), **changes}
    return jwt.encode({k: v for k, v in claims.items() if v is not None}, APP_SECRET, "HS256")


async def test_the_apps_token_names_the_user(chat: RunningChat) -> None:
    async with greeted(chat, await new_session(chat), token=token()) as (client, welcome):
        assert welcome["account"] == {"uid": "10001", "name": "Li Mei"}
        await client.write("where is my withdrawal")
        await client.next_of("stored")
    account = chat.desk.inbox[0].account
    assert account is not None
    assert account.until is not None
    assert account == Account(uid="10001", name="Li Mei", proven_by="app token", until=account.until)


def forged_tokens() -> dict[str, str]:
    other_key = "another key that is also long enough to be one"
    claims = {"sub": "10001", "aud": "redress", "exp": in_an_hour()}
    return {
        "expired": token(exp=1_600_000_000),
        "without exp": token(exp=None),
        "without sub": token(sub=None),
        "empty sub": token(sub=""),
        "numeric sub": token(sub=10001),
        "endless sub": token(sub="1" * 65),
        "name is a list": token(name=["x"]),
        "wrong audience": token(aud="console"),
        "without audience": token(aud=None),
        "far future": token(exp=10**20),
        "longer than a day": token(exp=in_an_hour() + timedelta(hours=24)),
        "issued in the future": token(iat=in_an_hour()),
        "not valid yet": token(nbf=in_an_hour()),
        "other key": jwt.encode(claims, other_key, "HS256"),
        "alg none": jwt.encode(claims, "", "none"),
        "other algorithm": jwt.encode(claims, APP_SECRET * 2, "HS512"),
        "no token": "a.b.c",
        "empty": "",
    }


@pytest.mark.parametrize("name", forged_tokens())
async def test_a_token_that_proves_nothing_leaves_a_guest(chat: RunningChat, name: str) -> None:
    async with greeted(chat, await new_session(chat), token=forged_tokens()[name]) as (client, welcome):
        assert "account" not in welcome
        assert (await client.next())["code"] == "expired_token"
        await client.send(type="message", id=uuid4().hex, text="I am 10001", uid="10001", account={"uid": "10001"})
        await client.next_of("stored")
    assert chat.desk.inbox[0].account is None


async def test_an_account_holds_only_as_long_as_its_token(chat: RunningChat, monkeypatch: pytest.MonkeyPatch) -> None:
    async with greeted(chat, await new_session(chat), token=token()) as (client, _):
        monkeypatch.setattr("channels.webchat.tokens.Proof.holds", lambda _proof, _now: False)
        await client.write("after it ran out")
        assert (await client.next())["code"] == "expired_token"
        await client.next_of("stored")
        assert chat.desk.inbox[0].account is None
        monkeypatch.undo()
        await client.send(type="token", token=token(sub="10002", name=None))
        assert (await client.next_of("account"))["account"] == {"uid": "10002", "name": ""}
        await client.write("signed in again")
        await client.next_of("stored")
        await client.send(type="token", token=None)
        assert "account" not in await client.next_of("account")
        await client.write("signed out")
        await client.next_of("stored")
    accounts = [message.account and message.account.uid for message in chat.desk.inbox]
    assert accounts == [None, "10002", None]


async def test_without_a_shared_key_no_token_counts() -> None:
    from channels.webchat.tokens import AppTokens, BadToken

    with pytest.raises(BadToken):
        AppTokens("").check(token())
