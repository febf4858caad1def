"""What a post says, and what agents are told about it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from channels.contract import Kind, ReadMessage
from channels.mastodon.channel import MastodonChannel
from channels.mastodon.html_text import text_of
from tests.mastodon.harness import WORDS, channel
from tests.monitor.harness import Desk, Time

MENTION = '<span class="h-card"><a href="https://m.example/@D" class="u-url mention">@<span>D</span></a></span>'


@pytest.fixture
def reader(tmp_path: Path) -> MastodonChannel:
    return channel(tmp_path, Desk(), "http://127.0.0.1:9", Time())


async def read(reader: MastodonChannel, content: Any, feed: str = "mentions", **more: Any) -> ReadMessage:
    account = {"id": "77", "acct": "li@far.example"} | more.pop("account", {})
    status = {"id": "1001", "content": content, "visibility": "public", "account": account, **more}
    return await reader.read(json.dumps({"status": status}).encode(), {"feed": feed, "account": "4242"})


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("<p>one<br>two</p><p>three &lt; 4 &amp;amp; 5</p>", "one\ntwo\n\nthree < 4 &amp; 5"),
        (f"<p>{MENTION} where is my BTC?</p>", "where is my BTC?"),
        (f"<p>{MENTION}</p><p>提现一直没到账</p>", "提现一直没到账"),
        (f"<p>why {MENTION}?</p>", "why @D?"),
        ('<p><a href="https://x.example/t/a" class="mention hashtag">#<span>help</span></a></p>', "#help"),
        (
            '<a href="https://evil.example/login"><span class="invisible">https://</span>'
            '<span class="ellipsis">exchange.example/lo</span><span class="invisible">gin</span></a> yours?',
            "https://evil.example/login yours?",
        ),
        ("<ul><li>a</li><li>b</li></ul>", "- a\n- b"),
        ("<script>alert(1)</script>hi<style>p{}</style>", "hi"),
        ("<p>unclosed <b>and &broken; <", "unclosed and &broken; <"),
        ("", ""),
    ],
)
async def test_html_becomes_text(reader: MastodonChannel, content: str, said: str) -> None:
    message = await read(reader, content)
    assert message.text == said
    assert message.kind is Kind.MESSAGE
    assert message.thread == {
        "post_id": "1001",
        "username": "li@far.example",
        "visibility": "public",
        "addressed": "yes",
    }


def test_a_bomb_of_tags_costs_little() -> None:
    assert text_of("<br>" * 200_000 + "x") == ""
    assert len(text_of("<div>" * 1000 + "x" * 300_000)) == 256 * 1024 - 5000


async def test_a_content_warning_is_said_first(reader: MastodonChannel) -> None:
    message = await read(reader, "<p>gone</p>", spoiler_text="Lost money at Demo Exchange", sensitive=True)
    assert message.text == "Lost money at Demo Exchange\n\ngone"


async def test_media_polls_and_quotes_are_named(reader: MastodonChannel) -> None:
    media = [
        {"url": "https://far.example/a.png", "type": "image", "description": "a screenshot"},
        {"url": None, "remote_url": "https://far.example/b.mp4", "description": "我的录像"},
        {"url": 7},
    ]
    quote = {"state": "accepted", "quoted_status": {"url": "https://far.example/@a/9"}}
    poll = {"options": [{"title": "yes"}, {"title": "no"}]}
    message = await read(reader, "<p>look</p>", media_attachments=media, quote=quote, poll=poll)
    assert message.text == "look\n\n- yes\n- no"
    assert message.note == (
        "The author describes the pictures or the film: a screenshot / 我的录像 "
        "The post quotes another one: https://far.example/@a/9 "
        "The file https://far.example/a.png could not be fetched. "
        "The file https://far.example/b.mp4 could not be fetched."
    )
    assert message.attachments == ()


@pytest.mark.parametrize("visibility", ["direct", "private"])
async def test_what_is_not_public_is_not_private_either(reader: MastodonChannel, visibility: str) -> None:
    message = await read(reader, "<p>my order</p>", visibility=visibility)
    assert message.thread["visibility"] == visibility
    assert "administrators of both servers can read it" in (message.note or "")
    assert "管理员均可看到" in ((await read(reader, "我的订单", visibility=visibility)).note or "")


async def test_an_edit_says_so(reader: MastodonChannel) -> None:
    message = await read(reader, "到账了吗", edited_at="2026-11-22T09:00:00.000Z")
    assert message.note == WORDS.say("mastodon.note_edit", "zh", at="2026-11-22T09:00:00.000Z", first="1001")


async def test_own_and_automatic_posts_are_told(reader: MastodonChannel, tmp_path: Path) -> None:
    assert (await read(reader, "hi", account={"id": "4242"})).kind is Kind.OWN
    assert (await read(reader, "hi", account={"bot": True})).kind is Kind.AUTOMATIC
    assert (await read(reader, "hi", account={"group": True})).kind is Kind.AUTOMATIC
    other = channel(tmp_path, Desk(), "http://127.0.0.1:9", Time(), own_accounts=["li@far.example"])
    assert (await read(other, "hi")).kind is Kind.OWN


async def test_who_names_us_addresses_us(reader: MastodonChannel) -> None:
    assert (await read(reader, "hi", feed="hashtags", mentions=[{"id": "4242"}])).thread["addressed"] == "yes"
    assert (await read(reader, "hi", feed="hashtags", mentions=[{"id": "1"}])).thread["addressed"] == "no"


@pytest.mark.parametrize(
    "raw",
    [b"", b"{", b"[]", b"null", b"[" * 100_000, b'{"status":{"id":"1"}}', b'{"status":{"id":1,"account":{"id":"2"}}}'],
    ids=lambda raw: raw[:20].decode(),
)
async def test_whatever_cannot_be_read_has_a_note(reader: MastodonChannel, raw: bytes) -> None:
    message = await reader.read(raw, {})
    assert (message.text, message.note) == ("", "This post could not be read. The original is kept.")


async def test_no_field_of_the_wrong_kind_breaks_it(reader: MastodonChannel) -> None:
    odd: list[Any] = [None, 7, "x", [], {}, [7], ["x"], {"a": 1}, [{}], [{"id": 7, "url": 7, "title": 7}], True]
    names = ("content", "mentions", "media_attachments", "poll", "quote", "spoiler_text", "visibility", "edited_at")
    for name in names:
        for value in odd:
            message = await read(reader, **{"content": "hello", name: value})
            assert message.kind is Kind.MESSAGE
            assert message.note != "This post could not be read. The original is kept."


async def test_nothing_that_a_database_refuses_is_left(reader: MastodonChannel) -> None:
    assert (await read(reader, "a\x00b\ud800")).text == "a\ufffdb\ufffd"
