"""One fixed sentence is said, at most once per author and day, to who addressed us and where replies are taken."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from channels.bluesky.channel import BlueskyChannel
from channels.contract import Author
from channels.faults import NeedsPerson, OutcomeUnknown, Rejected, RetryLater
from tests.bluesky.conftest import Start
from tests.bluesky.harness import CID, SENTENCES, answer, channel
from tests.bluesky.pds_api import Pds
from tests.fakes.desk import PUBLIC_URL
from tests.monitor.harness import Desk, Time
from tests.monitor.network import Fault

HOUR = 3600.0
GONE = "at://did:plc:a/app.bsky.feed.post/1"


@pytest.fixture
async def sender(pds: Pds, desk: Desk, time: Time, tmp_path: Path) -> AsyncIterator[BlueskyChannel]:
    """A channel that does not listen."""
    built = channel(tmp_path, desk, pds.url, time)
    yield built
    pds.released.set()
    await built.close()


@pytest.mark.parametrize(("language", "said"), [("en", "en"), ("zh", "zh"), ("fr", "en")])
async def test_only_the_fixed_sentence_is_posted(sender: BlueskyChannel, pds: Pds, language: str, said: str) -> None:
    uri = pds.say("@demo.exchange.example my order 8812 is lost, write to anna@example.org")
    receipt = await sender.send(answer(uri, language=language, case_number="RD-2026-000001"))
    assert [(reply["text"], reply["to"]) for reply in pds.posted] == [(SENTENCES[said], uri)]
    assert receipt.peer_id in pds.posts
    assert pds.posted[0]["record"]["langs"] == [said]


async def test_a_reply_stands_in_its_thread(sender: BlueskyChannel, pds: Pds) -> None:
    root, uri = pds.say("fees?", 78), pds.say("@demo.exchange.example help")
    await sender.send(answer(uri, thread={"root_uri": root}))
    reply = pds.posted[0]["record"]["reply"]
    assert (reply["root"]["uri"], reply["root"]["cid"]) == (root, CID)
    assert (reply["parent"]["uri"], reply["parent"]["cid"]) == (uri, pds.posts[uri]["cid"])


async def test_the_link_is_a_link(sender: BlueskyChannel, pds: Pds) -> None:
    await sender.send(answer(pds.say("@demo.exchange.example 提现"), language="zh"))
    record = pds.posted[0]["record"]
    [facet] = record["facets"]
    shown = record["text"].encode()[facet["index"]["byteStart"] : facet["index"]["byteEnd"]].decode()
    assert shown == facet["features"][0]["uri"] == f"{PUBLIC_URL}/chat?lang=zh"
    assert record["langs"] == ["zh"]


@pytest.mark.parametrize("how", ["gone", "closed"])
async def test_a_post_that_takes_no_reply_gets_none(sender: BlueskyChannel, pds: Pds, how: str) -> None:
    uri = pds.say("@demo.exchange.example help")
    if how == "gone":
        pds.forget(uri)
    else:
        pds.posts[uri]["viewer"] = {"replyDisabled": True}
    with pytest.raises(Rejected, match="gone, closed to us"):
        await sender.send(answer(uri))
    assert pds.posted == []


@pytest.mark.parametrize("fault", [Fault(code=500), Fault(hang=True), Fault(text=b"{")], ids=str)
async def test_a_look_that_fails_leaves_the_reply_to_do(
    pds: Pds, desk: Desk, time: Time, tmp_path: Path, fault: Fault
) -> None:
    built = channel(tmp_path, desk, pds.url, time, request_seconds=0.3)
    uri = pds.say("@demo.exchange.example help")
    pds.fail_next["look"] = [fault]
    with pytest.raises(RetryLater):
        await built.send(answer(uri))
    await built.send(answer(uri))
    assert len(pds.posted) == 1
    pds.released.set()
    await built.close()


async def test_one_reply_per_author_and_day(sender: BlueskyChannel, pds: Pds, time: Time) -> None:
    uri = pds.say("@demo.exchange.example help")
    first = await sender.send(answer(uri))
    assert await sender.send(answer(uri)) == first
    second = await sender.send(answer(uri, message_id="01hzx4"))
    assert second.peer_id == "not posted: a reply to this author was posted or tried within 24 hours"
    await time.skip(24 * HOUR + 1)
    await sender.send(answer(uri, message_id="01hzx6"))
    assert len(pds.posted) == 2


async def test_two_processes_reply_once(
    sender: BlueskyChannel, pds: Pds, desk: Desk, time: Time, tmp_path: Path
) -> None:
    other = channel(tmp_path, desk, pds.url, time)
    uri = pds.say("@demo.exchange.example help")
    await asyncio.gather(*(each.send(answer(uri, message_id=f"{each}")) for each in (sender, other)))
    assert len(pds.posted) == 1
    await other.close()


async def test_so_many_an_hour(pds: Pds, desk: Desk, time: Time, tmp_path: Path) -> None:
    built = channel(tmp_path, desk, pds.url, time, replies_per_hour=3)
    posts = [(pds.say("@demo.exchange.example help", author), author) for author in range(70, 74)]
    for uri, author in posts[:3]:
        await built.send(answer(uri, author, message_id=uri))
    with pytest.raises(RetryLater) as wait:
        await built.send(answer(*posts[3], message_id="last"))
    await time.skip((wait.value.after_seconds or 0) + 1)
    await built.send(answer(*posts[3], message_id="last"))
    assert len(pds.posted) == 4
    await built.close()


async def test_a_persons_words_are_never_posted(sender: BlueskyChannel, pds: Pds) -> None:
    message = answer(
        pds.say("@demo.exchange.example hi"), automatic=False, author=Author.AGENT, text="Dear Anna, your KYC ..."
    )
    with pytest.raises(NeedsPerson, match="Bluesky is public") as refused:
        await sender.send(message)
    assert f"{PUBLIC_URL}/chat" in refused.value.reason
    assert pds.calls == []


@pytest.mark.parametrize(
    "thread",
    [
        {"username": "news.exchange.example"},
        {"username": "demo.exchange.example"},
        {"uri": ""},
        {"uri": "at://did:plc:a/app.bsky.feed.like/1"},
        {"root_uri": "https://bsky.app"},
    ],
)
async def test_what_cannot_be_replied_to_is_refused(
    pds: Pds, desk: Desk, time: Time, tmp_path: Path, thread: dict[str, str]
) -> None:
    built = channel(tmp_path, desk, pds.url, time, own_handles=["News.exchange.example"])
    with pytest.raises(Rejected):
        await built.send(answer(pds.say("@demo.exchange.example hi"), thread=thread))
    assert pds.calls == []


async def test_who_did_not_address_us_is_left_alone(sender: BlueskyChannel, pds: Pds) -> None:
    receipt = await sender.send(answer(pds.say("#help"), thread={"addressed": "no"}))
    assert receipt.peer_id == "not posted: the author did not address us"
    assert pds.calls == []


async def test_replies_can_be_switched_off(pds: Pds, desk: Desk, time: Time, tmp_path: Path) -> None:
    built = channel(tmp_path, desk, pds.url, time, replies=False)
    receipt = await built.send(answer(pds.say("@demo.exchange.example help")))
    assert receipt.peer_id == "not posted: replies are switched off"
    assert pds.calls == []


@pytest.mark.parametrize(
    "fault",
    [
        Fault(code=429),
        Fault(code=429, reset_in=-60),
        Fault(code=429, reset_in=300),
        Fault(code=429, reset_in=86_400),
        Fault(code=429, after="120"),
    ],
    ids=str,
)
async def test_asked_to_wait_it_waits_and_then_posts(
    sender: BlueskyChannel, pds: Pds, time: Time, fault: Fault
) -> None:
    uri = pds.say("@demo.exchange.example help")
    pds.fail_next["post"] = [fault]
    with pytest.raises(RetryLater) as wait:
        await sender.send(answer(uri))
    assert wait.value.after_seconds is not None
    assert 50 <= wait.value.after_seconds <= 900
    with pytest.raises(RetryLater):
        await sender.send(answer(uri))
    assert len(pds.called("post")) == 1
    await time.skip(wait.value.after_seconds + 0.01)
    await sender.send(answer(uri))
    assert len(pds.posted) == 1


@pytest.mark.parametrize("fault", [Fault(code=500), Fault(truncated=True), Fault(text=b"{}")], ids=str)
async def test_what_may_have_been_posted_is_not_posted_again(sender: BlueskyChannel, pds: Pds, fault: Fault) -> None:
    uri = pds.say("@demo.exchange.example help")
    pds.fail_next["post"] = [fault]
    for _ in range(2):
        with pytest.raises(OutcomeUnknown):
            await sender.send(answer(uri))
    assert "24 hours" in (await sender.send(answer(uri, message_id="next"))).peer_id
    assert len(pds.called("post")) == 1


async def test_silence_after_a_post_is_unknown(pds: Pds, desk: Desk, time: Time, tmp_path: Path) -> None:
    built = channel(tmp_path, desk, pds.url, time, request_seconds=0.2)
    pds.fail_next["post"] = [Fault(hang=True, done=True)]
    with pytest.raises(OutcomeUnknown):
        await built.send(answer(pds.say("@demo.exchange.example help")))
    assert len(pds.posted) == 1
    await built.close()


async def test_refused_credentials_leave_the_reply_to_do(sender: BlueskyChannel, pds: Pds) -> None:
    uri = pds.say("@demo.exchange.example help")
    pds.revoked = True
    with pytest.raises(RetryLater):
        await sender.send(answer(uri))
    assert sender.deaf() is not None
    pds.revoked = False
    await sender.send(answer(uri))
    assert sender.deaf() is None
    assert len(pds.posted) == 1


async def test_without_a_connection_it_is_tried_again(desk: Desk, time: Time, tmp_path: Path, pds: Pds) -> None:
    built = channel(tmp_path, desk, "http://127.0.0.1:9", time)
    with pytest.raises(RetryLater):
        await built.send(answer(GONE))
    await built.close()
    again = channel(tmp_path, desk, pds.url, time)
    await again.send(answer(pds.say("@demo.exchange.example help")))
    assert len(pds.posted) == 1
    await again.close()


async def test_our_reply_is_not_a_complaint(start: Start, pds: Pds, desk: Desk, time: Time) -> None:
    uri = pds.say("@demo.exchange.example help", ago=30)
    built = await start(keywords=["private"])
    await built.send(answer(uri))
    await time.run(200)
    assert list(desk.stored) == [uri]
    assert built.figures().refused["own"] == 1
