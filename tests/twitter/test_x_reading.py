"""What a post says, and what agents are told about it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from channels.contract import Kind, ReadMessage
from channels.twitter.channel import XChannel
from tests.fakes.desk import FakeDesk
from tests.monitor.harness import Time
from tests.twitter.harness import channel


@pytest.fixture
def reader(tmp_path: Path) -> XChannel:
    return channel(tmp_path, FakeDesk(), "http://127.0.0.1:9", Time())


async def read(reader: XChannel, text: str, media: Any = (), author: str = "77", **more: Any) -> ReadMessage:
    post = {"id": "1001", "text": text, "author_id": author, **more}
    kept = {"post": post, "author": {"id": author, "username": f"user{author}"}, "media": list(media)}
    return await reader.read(json.dumps(kept).encode(), {"feed": "mentions"})


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("@DemoExchange @other where is my BTC?", "where is my BTC?"),
        ("where is it @DemoExchange ?", "where is it @DemoExchange ?"),
        ("@DemoExchange\n提现一直没到账", "提现一直没到账"),
        ("@DemoExchange 5 &lt; 6 &amp; 7", "5 < 6 & 7"),
        ("@DemoExchange", ""),
        ("@DemoExchange提现", "@DemoExchange提现"),
        ("mail@DemoExchange x", "mail@DemoExchange x"),
    ],
)
async def test_the_names_before_the_words_go(reader: XChannel, text: str, said: str) -> None:
    message = await read(reader, text)
    assert message.text == said
    assert message.kind is Kind.MESSAGE
    assert message.thread == {"post_id": "1001", "username": "user77", "addressed": "yes"}


async def test_links_are_written_out(reader: XChannel) -> None:
    urls = [
        {"url": "https://t.co/a", "expanded_url": "https://demo-exchange-help.example/login?a=1"},
        {"url": "https://t.co/b", "expanded_url": "https://x.com/u/status/1/photo/1", "media_key": "3_1"},
    ]
    media = [{"media_key": "3_1", "type": "photo", "url": "https://elsewhere.example/a.jpg?1"}]
    message = await read(reader, "@D is https://t.co/a yours? https://t.co/b", media, entities={"urls": urls})
    assert message.text == "is https://demo-exchange-help.example/login?a=1 yours?"
    assert message.note == "The file https://elsewhere.example/a.jpg?1 could not be fetched."
    assert message.attachments == ()


async def test_a_long_post_is_read_whole(reader: XChannel) -> None:
    long = "@DemoExchange " + "a" * 1000
    assert (await read(reader, long[:279], note_tweet={"text": long})).text == "a" * 1000


async def test_an_edit_says_so(reader: XChannel) -> None:
    message = await read(reader, "@D 到账了吗", edit_history_tweet_ids=["999", "1000", "1001"])
    assert message.note == "这条帖子已被编辑，此为第 2 次修改后的版本；最初的帖子（编号 999）保持不变。"
    first = await read(reader, "@D hello", edit_history_tweet_ids=["1001"])
    assert first.note is None


async def test_a_quote_is_named(reader: XChannel) -> None:
    message = await read(reader, "@D look", referenced_tweets=[{"type": "quoted", "id": "55"}])
    assert message.note == "The post quotes another one: https://x.com/i/status/55"


async def test_our_own_is_our_own(reader: XChannel) -> None:
    assert (await read(reader, "@DemoExchange hi", author="4242")).kind is Kind.OWN


async def test_a_reply_to_us_addresses_us(reader: XChannel) -> None:
    kept = {"post": {"id": "1", "text": "and?", "in_reply_to_user_id": "4242"}, "author": {"id": "77"}}
    message = await reader.read(json.dumps(kept).encode(), {"feed": "search"})
    assert message.thread["addressed"] == "yes"


@pytest.mark.parametrize(
    "raw",
    [b"", b"{", b"[]", b"null", b"[" * 100_000, b'{"post":{"id":"1"}}', b'{"post":{"id":1},"author":{"id":"2"}}'],
    ids=lambda raw: raw[:20].decode(),
)
async def test_whatever_cannot_be_read_has_a_note(reader: XChannel, raw: bytes) -> None:
    message = await reader.read(raw, {})
    assert (message.text, message.note) == ("", "This post could not be read. The original is kept.")


async def test_no_field_of_the_wrong_kind_breaks_it(reader: XChannel) -> None:
    odd: list[Any] = [None, 7, "x", [], {}, [7], ["x"], {"a": 1}, [{}], [{"id": 7, "url": 7, "type": "quoted"}], True]
    names = ("entities", "referenced_tweets", "edit_history_tweet_ids", "note_tweet", "attachments", "text", "lang")
    for name in names:
        for value in odd:
            message = await read(reader, **{"text": "hello", name: value})
            assert message.kind is Kind.MESSAGE
            assert message.note != "This post could not be read. The original is kept."


async def test_nothing_that_a_database_refuses_is_left(reader: XChannel) -> None:
    assert (await read(reader, "@D a\x00b\ud800")).text == "a\ufffdb\ufffd"
