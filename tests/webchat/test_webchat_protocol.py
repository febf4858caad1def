"""The chat protocol over real sockets: greeting, storing, resuming, order."""

from __future__ import annotations

import asyncio
import json
from uuid import uuid4

import pytest

from channels.contract import Author
from tests.webchat.client import greeted, new_session, open_socket
from tests.webchat.desk import RunningChat, not_stored, running_chat


async def test_a_message_is_stored_then_confirmed_then_shown(chat: RunningChat) -> None:
    session = await new_session(chat)
    async with greeted(chat, session) as (client, welcome):
        assert (welcome["entries"], welcome["reset"]) == ([], False)
        client_id = await client.write("我的提现没到账")
        frames = [await client.next(), await client.next()]
    stored = next(frame for frame in frames if frame["type"] == "stored")
    entry = next(frame for frame in frames if frame["type"] == "entry")
    assert stored == {"type": "stored", "id": client_id, "seq": 1}
    assert entry["text"] == "我的提现没到账"
    assert (entry["seq"], entry["author"], entry["client_id"]) == (1, "user", client_id)


async def test_what_is_stored_is_the_exact_frame(chat: RunningChat) -> None:
    session = await new_session(chat)
    raw = '{ "text":"caf\\u00e9 中文 😀",  "type":"message","id":"abcdefgh", "extra":1 }'
    async with greeted(chat, session, language="zh") as (client, _):
        await client.socket.send(raw)
        await client.next_of("stored")
    [message] = chat.desk.inbox
    assert message.raw == raw.encode()
    assert message.external_id == f"{session['session']}:abcdefgh"
    assert message.conversation_key == message.sender == session["session"]
    assert message.language == "zh"
    assert message.account is None
    assert message.envelope == {"client_id": "abcdefgh", "language": "zh", "type": "message"}


async def test_nothing_is_confirmed_before_it_is_stored(chat: RunningChat) -> None:
    chat.desk.held = asyncio.Event()
    async with greeted(chat, await new_session(chat)) as (client, _):
        client_id = await client.write("hello")
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(client.socket.recv(), 0.3)
        chat.desk.held.set()
        assert (await client.next_of("stored"))["id"] == client_id


async def test_a_client_that_hangs_up_does_not_interrupt_the_commit(chat: RunningChat) -> None:
    chat.desk.held = asyncio.Event()
    session = await new_session(chat)
    async with greeted(chat, session) as (client, _):
        client_id = await client.write("I hang up now")
        await client.send(type="ping")
        client.socket.transport.abort()
    chat.desk.held.set()
    async with greeted(chat, session) as (client, _):
        await client.write("I hang up now", client_id)
        assert (await client.next_of("stored"))["seq"] == 1
    assert len(chat.desk.inbox) == 1


@pytest.mark.parametrize(("language", "words"), [("en", "not saved yet"), ("zh", "暂未保存")])
async def test_a_message_that_cannot_be_stored_is_said_to_be_unsaved(
    chat: RunningChat, language: str, words: str
) -> None:
    chat.desk.fail_next = [not_stored(7)]
    async with greeted(chat, await new_session(chat), language=language) as (client, _):
        client_id = await client.write("does this arrive?")
        error = await client.next()
        assert (error["type"], error["code"], error["id"]) == ("error", "not_saved", client_id)
        assert words in error["message"]
        assert error["retry_after_seconds"] == 7
        await client.write("does this arrive?", client_id)
        assert (await client.next_of("stored"))["seq"] == 1


async def test_a_store_that_hangs_is_said_to_be_unsaved() -> None:
    async with running_chat({"save_seconds": 0.1}) as chat:
        chat.desk.held = asyncio.Event()
        async with greeted(chat, await new_session(chat)) as (client, _):
            client_id = await client.write("hello")
            assert (await client.next())["code"] == "not_saved"
            chat.desk.held.set()
            await client.write("hello", client_id)
            await client.next_of("stored")
        assert len(chat.desk.inbox) == 1


async def test_a_repeated_message_is_one_message(chat: RunningChat) -> None:
    session = await new_session(chat)
    async with greeted(chat, session) as (client, _):
        client_id = await client.write("once")
        await client.next_of("stored")
    async with greeted(chat, session) as (client, welcome):
        assert [entry["client_id"] for entry in welcome["entries"]] == [client_id]
        await client.write("once", client_id)
        assert (await client.next_of("stored"))["seq"] == 1
        assert await client.settle() == []
    assert len(chat.desk.inbox) == 1


async def test_resuming_brings_exactly_what_was_missed(chat: RunningChat) -> None:
    session = await new_session(chat)
    for number in range(1, 6):
        chat.desk.say(session["session"], f"answer {number}")
    async with greeted(chat, session, after=3) as (client, welcome):
        assert [entry["seq"] for entry in welcome["entries"]] == [4, 5]
        assert welcome["reset"] is False
        chat.desk.say(session["session"], "answer 6")
        assert (await client.next())["seq"] == 6


async def test_a_client_that_knows_more_than_the_desk_starts_over(chat: RunningChat) -> None:
    session = await new_session(chat)
    chat.desk.say(session["session"], "the only one")
    async with greeted(chat, session, after=9) as (_, welcome):
        assert welcome["reset"] is True
        assert [entry["seq"] for entry in welcome["entries"]] == [1]


async def test_a_long_history_follows_the_welcome_in_order(chat: RunningChat) -> None:
    session = await new_session(chat)
    for number in range(450):
        chat.desk.say(session["session"], f"line {number}")
    async with greeted(chat, session) as (client, welcome):
        seen = [entry["seq"] for entry in welcome["entries"]]
        assert len(seen) == 200
        while len(seen) < 450:
            seen.append((await client.next())["seq"])
        assert seen == list(range(1, 451))
        assert await client.settle() == []


async def test_an_answer_that_becomes_visible_late_is_not_lost(chat: RunningChat) -> None:
    session = await new_session(chat)
    async with greeted(chat, session) as (client, _):
        show = chat.desk.say_later(session["session"], "queued before you wrote again")
        await client.write("are you there?")
        await client.next_of("stored")
        assert (await client.next_of("entry"))["seq"] == 2
        show()
        assert (await client.next_of("entry"))["seq"] == 1
        chat.desk.say(session["session"], "and on")
        assert (await client.next_of("entry"))["seq"] == 3
        assert await client.settle() == []


async def test_every_tab_of_a_session_sees_everything_once(chat: RunningChat) -> None:
    session = await new_session(chat)
    async with greeted(chat, session) as (one, _), greeted(chat, session) as (two, _):
        await one.write("from the first tab")
        await one.next_of("stored")
        chat.desk.say(session["session"], "answer", Author.AGENT, "Mei")
        for client in (one, two):
            entries = [await client.next_of("entry"), await client.next_of("entry")]
            assert [(entry["seq"], entry["name"]) for entry in entries] == [(1, ""), (2, "Mei")]
            assert await client.settle() == []


async def test_many_writers_and_answers_keep_one_order_for_all() -> None:
    async with running_chat({"messages_per_minute": 1000}) as chat:
        session = await new_session(chat)
        async with greeted(chat, session) as (one, _), greeted(chat, session) as (two, _):

            async def write(client: type(one)) -> None:  # type: ignore[valid-type]
                for number in range(30):
                    await client.write(f"line {number}")

            async def answer() -> None:
                for number in range(30):
                    chat.desk.say(session["session"], f"answer {number}")
                    await asyncio.sleep(0)

            await asyncio.gather(write(one), write(two), answer())
            for client in (one, two):
                seen: list[int] = []
                while len(seen) < 90:
                    seen.append((await client.next_of("entry"))["seq"])
                assert seen == list(range(1, 91))


async def test_each_writers_messages_are_stored_in_the_order_written(chat: RunningChat) -> None:
    async with greeted(chat, await new_session(chat)) as (client, _):
        ids = [await client.write(f"line {number}") for number in range(10)]
        confirmed = [(await client.next_of("stored"))["id"] for _ in ids]
    assert confirmed == ids
    assert [json.loads(message.raw)["id"] for message in chat.desk.inbox] == ids


async def test_a_pressed_button_arrives_with_its_name_and_title(chat: RunningChat) -> None:
    session = await new_session(chat)
    chat.desk.say(
        session["session"], "这样解决了吗？", buttons=[("yes", "解决了"), ("class:kyc_verification", "身份认证")]
    )
    async with greeted(chat, session, language="zh") as (client, welcome):
        assert welcome["entries"][0]["buttons"][0] == {"name": "yes", "title": "解决了"}
        await client.send(type="press", id=uuid4().hex, button="class:kyc_verification")
        assert (await client.next_of("entry"))["text"] == "身份认证"
    [message] = chat.desk.inbox
    read = await chat.channel.read(message.raw, message.envelope)
    assert (read.payload, read.text) == ("class:kyc_verification", "身份认证")


@pytest.mark.parametrize(("language", "title"), [("en", "Talk to a person"), ("zh", "转人工客服")])
async def test_a_person_can_be_asked_for_at_any_time(chat: RunningChat, language: str, title: str) -> None:
    async with greeted(chat, await new_session(chat), language=language) as (client, _):
        await client.send(type="press", id=uuid4().hex, button="person")
        assert (await client.next_of("entry"))["text"] == title
    read = await chat.channel.read(chat.desk.inbox[0].raw, chat.desk.inbox[0].envelope)
    assert read.payload == "person"


@pytest.mark.parametrize("button", ["yes", "restart", "class:anything"])
async def test_a_button_that_nobody_offered_is_refused(chat: RunningChat, button: str) -> None:
    async with greeted(chat, await new_session(chat)) as (client, _):
        client_id = uuid4().hex
        await client.send(type="press", id=client_id, button=button)
        error = await client.next()
    assert (error["code"], error["id"]) == ("unknown_button", client_id)
    assert chat.desk.inbox == []


async def test_the_language_can_change_during_a_chat(chat: RunningChat) -> None:
    async with greeted(chat, await new_session(chat)) as (client, _):
        await client.send(type="language", language="zh")
        assert await client.next() == {"type": "language", "language": "zh"}
        await client.write(" ")
        assert (await client.next())["message"] == "消息内容为空。"


async def test_without_a_language_the_conversations_own_is_used(chat: RunningChat) -> None:
    session = await new_session(chat)
    chat.desk.languages[session["session"]] = "zh"
    async with open_socket(chat) as client:
        await client.send(type="hello", version=1, **session)
        assert (await client.next())["language"] == "zh"


async def test_a_stopping_chat_takes_nothing_new_says_what_is_left_and_closes(chat: RunningChat) -> None:
    session = await new_session(chat)
    async with greeted(chat, session) as (client, _):
        await chat.channel.stop()
        await client.write("too late")
        assert (await client.next())["code"] == "not_saved"
        chat.desk.say(session["session"], "the answer that was under way")
        assert (await client.next())["seq"] == 1
        await chat.channel.close()
        assert await client.closed() == 1012
    assert chat.desk.inbox == []
    with pytest.raises(Exception, match="HTTP 403"):
        async with open_socket(chat):
            pass


async def test_a_broken_transcript_closes_the_socket_and_the_client_can_come_back(
    chat: RunningChat, monkeypatch: pytest.MonkeyPatch
) -> None:
    session = await new_session(chat)
    chat.desk.say(session["session"], "earlier")

    async def broken(key: str, after: int) -> list[object]:
        raise RuntimeError("the database went away")

    with monkeypatch.context() as patch:
        patch.setattr(chat.desk, "entries", broken)
        async with open_socket(chat) as client:
            await client.send(type="hello", version=1, **session)
            assert await client.closed() == 1011
    # The context holds the very method, so the working one is asked again.
    async with greeted(chat, session) as (_, welcome):
        assert [entry["seq"] for entry in welcome["entries"]] == [1]
