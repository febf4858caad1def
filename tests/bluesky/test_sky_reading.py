"""What a post says, and what agents are told about it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from channels.bluesky.channel import BlueskyChannel
from channels.contract import Kind, ReadMessage
from tests.bluesky.conftest import Start
from tests.bluesky.harness import channel
from tests.bluesky.pds_api import DID, HANDLE, Pds, did_of
from tests.monitor.harness import Desk, Time

AUTHOR = "did:plc:li"
URI = f"at://{AUTHOR}/app.bsky.feed.post/3k1"
SHOWN = "https://bsky.app/profile/did:plc:li/post/3k1"


@pytest.fixture
def reader(tmp_path: Path) -> BlueskyChannel:
    return channel(tmp_path, Desk(), "http://127.0.0.1:9", Time())


async def read(reader: BlueskyChannel, text: Any, author: str = AUTHOR, **more: Any) -> ReadMessage:
    whose = {"did": author, "handle": more.pop("handle", "li.bsky.social"), "labels": more.pop("marks", [])}
    mention = facet(0, 1, {"$type": "app.bsky.richtext.facet#mention", "did": DID})
    record = {"text": text, "facets": [mention], **more}
    post = {"uri": URI.replace(AUTHOR, author), "cid": "bafyrei0001", "author": whose, "record": record}
    return await reader.read(json.dumps({"post": post}).encode(), {"feed": "mentions", "account": DID})


def facet(start: Any, end: Any, *features: Any) -> dict[str, Any]:
    return {"index": {"byteStart": start, "byteEnd": end}, "features": list(features)}


def link(uri: str) -> dict[str, str]:
    return {"$type": "app.bsky.richtext.facet#link", "uri": uri}


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("@demo.exchange.example @other.example where is my BTC?", "where is my BTC?"),
        ("where is it @demo.exchange.example ?", "where is it @demo.exchange.example ?"),
        ("@demo.exchange.example\n提现一直没到账", "提现一直没到账"),
        ("@demo.exchange.example", ""),
    ],
)
async def test_the_names_before_the_words_go(reader: BlueskyChannel, text: str, said: str) -> None:
    message = await read(reader, text)
    assert message.text == said
    assert message.kind is Kind.MESSAGE
    assert message.thread == {
        "uri": URI,
        "root_uri": URI,
        "root_cid": "bafyrei0001",
        "username": "li.bsky.social",
        "addressed": "yes",
    }


async def test_links_are_written_out(reader: BlueskyChannel) -> None:
    text = "提现 exchange.example/lo... 和 b"
    start = len("提现 ".encode())
    facets = [
        facet(start, start + len(b"exchange.example/lo..."), link("https://evil.example/login")),
        facet(len(text.encode()) - 1, len(text.encode()), link("https://b.example")),
    ]
    assert (await read(reader, text, facets=facets)).text == "提现 https://evil.example/login 和 https://b.example"


async def test_facets_that_lie_are_read_over(reader: BlueskyChannel) -> None:
    facets = [
        facet(-1, 2, link("https://a.example")),
        facet(1, 900, link("https://a.example")),
        facet(2, 1, link("https://a.example")),
        facet("0", True, link("https://a.example")),
        facet(0, 2, 7, {"$type": "x"}),
    ]
    assert (await read(reader, "hello", facets=facets)).text == "hello"
    overlapping = [facet(0, 4, link("https://a.example")), facet(2, 5, link("https://b.example"))]
    assert (await read(reader, "hello", facets=overlapping)).text == "https://a.exampleo"
    assert (await read(reader, "é", facets=[facet(0, 1, link("https://a.example"))])).text == "https://a.example\ufffd"


async def test_pictures_films_cards_and_quotes_are_named(reader: BlueskyChannel) -> None:
    images = {"$type": "app.bsky.embed.images", "images": [{"alt": "a screenshot", "image": {}}, {"alt": ""}]}
    message = await read(reader, "look", embed=images)
    described = "The author describes the pictures or the film: a screenshot"
    assert (message.note, message.attachments) == (described, ())
    film = f"The post shows a film, which was not fetched: {SHOWN}"
    assert (await read(reader, "look", embed={"video": {}, "alt": "a screenshot"})).note == f"{film} {described}"
    card = {"external": {"uri": "https://news.example/a", "title": "A"}}
    assert (await read(reader, "look", embed=card)).text == "look\n\nhttps://news.example/a"
    assert (await read(reader, "https://news.example/a", embed=card)).text == "https://news.example/a"
    quoted = {"uri": "at://did:plc:b/app.bsky.feed.post/9"}
    for embed in ({"record": quoted}, {"record": {"record": quoted}}):
        message = await read(reader, "看", embed=embed)
        assert message.note == "帖子引用了另一条帖子：https://bsky.app/profile/did:plc:b/post/9"
    both = {"record": {"record": quoted}, "media": images}
    assert "a screenshot The post quotes" in ((await read(reader, "look", embed=both)).note or "")


async def test_a_content_warning_is_told(reader: BlueskyChannel) -> None:
    message = await read(reader, "look", labels={"values": [{"val": "graphic-media"}]})
    assert message.note == "The author marked this post with: graphic-media"


async def test_own_and_automatic_posts_are_told(reader: BlueskyChannel) -> None:
    assert (await read(reader, "hi", author=DID)).kind is Kind.OWN
    assert (await read(reader, "hi", handle="demo.exchange.example")).kind is Kind.OWN
    assert (await read(reader, "hi", marks=[{"val": "bot", "src": AUTHOR}])).kind is Kind.AUTOMATIC
    assert (await read(reader, "hi", marks=[{"val": "bot", "src": "did:plc:x"}])).kind is Kind.MESSAGE
    assert (await read(reader, "hi", marks=[{"val": "bot", "src": AUTHOR, "neg": True}])).kind is Kind.MESSAGE


async def test_only_who_names_us_or_replies_to_us_addresses_us(reader: BlueskyChannel) -> None:
    ours, theirs = ({"uri": f"at://{did}/app.bsky.feed.post/1", "cid": "bafyrei0002"} for did in (DID, "did:plc:b"))
    assert (await read(reader, "hi", facets=[])).thread["addressed"] == "no"
    reply = {"root": theirs, "parent": ours}
    message = await read(reader, "hi", facets=[], reply=reply)
    assert message.thread["addressed"] == "yes"
    assert (message.thread["root_uri"], message.thread["root_cid"]) == (theirs["uri"], "bafyrei0002")
    reply = {"root": ours, "parent": theirs}
    assert (await read(reader, "hi", facets=[], reply=reply)).thread["addressed"] == "no"


@pytest.mark.parametrize(
    "raw",
    [b"", b"{", b"[]", b"null", b"[" * 100_000, b'{"post":{"uri":"1"}}', b'{"post":{"uri":7,"author":{"did":"2"}}}'],
    ids=lambda raw: raw[:20].decode(),
)
async def test_whatever_cannot_be_read_has_a_note(reader: BlueskyChannel, raw: bytes) -> None:
    message = await reader.read(raw, {})
    assert (message.text, message.note) == ("", "This post could not be read. The original is kept.")


async def test_no_field_of_the_wrong_kind_breaks_it(reader: BlueskyChannel) -> None:
    odd: list[Any] = [None, 7, "x", [], {}, [7], ["x"], {"a": 1}, [{}], [{"index": 7, "features": 7, "val": 7}], True]
    for name in ("text", "facets", "embed", "labels", "reply", "langs", "marks"):
        for value in odd:
            message = await read(reader, **{"text": "hello", name: value})
            assert message.kind is Kind.MESSAGE
            assert message.note != "This post could not be read. The original is kept."


async def test_nothing_that_a_database_refuses_is_left(reader: BlueskyChannel) -> None:
    assert (await read(reader, "a\x00b")).text == "a\ufffdb"
    assert "\ud800" not in (await read(reader, "a\ud800b")).text


@pytest.mark.parametrize(("title", "is_flagged"), [("Brandnew Markets", True), ("", False)])
async def test_who_is_called_like_our_profile_is_flagged(
    start: Start, pds: Pds, desk: Desk, title: str, is_flagged: bool
) -> None:
    """Without a profile there is nothing to compare with, and all else goes on."""
    pds.title = title
    pds.authors[did_of(66)] = {"did": did_of(66), "handle": "b.bsky.social", "displayName": "Brandnew Markets Help"}
    asked = {"uri": pds.say("where are my coins?", ago=60), "cid": "bafyrei0001"}
    posing = pds.say(f"@{HANDLE} write to us", 66, ago=30, reply={"parent": asked, "root": asked})
    built = await start()
    stored = desk.stored[posing]
    public = (await built.read(stored.raw, stored.envelope)).public
    assert public is not None
    assert (public.posing is not None) is is_flagged
