"""The webhook: only X can sign, 200 means stored, and a post is one message by whichever way it came."""

from __future__ import annotations

import asyncio
import base64
import hmac
import json
import random
from pathlib import Path
from typing import Any

import pytest

from channels.contract import Kind
from channels.faults import NotStored
from channels.monitor.posts import Page
from channels.twitter.api import Api
from channels.twitter.posts import page_of
from channels.twitter.settings import check
from tests.fakes.desk import PUBLIC_URL, FakeDesk
from tests.monitor.harness import Time
from tests.twitter.conftest import Deliver, Start
from tests.twitter.x_api import ACCOUNT, CREDENTIALS, XApi
from tests.twitter.x_webhook import NotValid, signed

OWN = int(ACCOUNT["id"])
LINK = {"url": "https://t.co/a", "expanded_url": "https://example.com/a?b=1"}
FILM = {"url": "https://t.co/f", "expanded_url": "https://x.com/u/status/1/video/1", "media_key": "7_1"}
PICTURE = {"url": "https://t.co/m", "expanded_url": "https://x.com/u/status/1/photo/1", "media_key": "3_1"}


async def test_the_check_is_answered_to_the_letter(deliver: Deliver) -> None:
    _, x = await deliver()
    assert await x.check()
    answer = await x.ask(crc_token="NjU2YzUwNTk+/=")
    key = CREDENTIALS["consumer_secret"].encode()
    right = base64.b64encode(hmac.new(key, b"NjU2YzUwNTk+/=", "sha256").digest()).decode()
    assert (answer.status_code, answer.json()) == (200, {"response_token": f"sha256={right}"})
    assert answer.headers["content-type"] == "application/json"


@pytest.mark.parametrize(
    "asked",
    [
        {},
        {"crc_token": ""},
        {"crc_token": "a" * 257},
        {"crc_token": ["a", "b"]},
        {"crc_token": '{"a":1}'},
        {"crc_token": "词"},
    ],
    ids=["missing", "empty", "too long", "twice", "JSON", "Chinese"],
)
async def test_a_wrong_word_is_refused_with_a_sentence(deliver: Deliver, asked: dict[str, Any]) -> None:
    channel, x = await deliver()
    answer = await x.ask(**asked)
    assert answer.status_code == 400
    assert answer.text.startswith("crc_token must be there once")
    assert channel.figures().refused == {"wrong_crc_token": 1}


async def test_a_door_that_cannot_sign_gets_nothing(deliver: Deliver, api: XApi, desk: FakeDesk) -> None:
    _, x = await deliver(consumer_secret="of-another-app")
    with pytest.raises(NotValid):
        await x.deliver(api.say("@DemoExchange hello"))
    assert desk.attempts == 0


async def test_who_cannot_sign_gets_nowhere(deliver: Deliver, api: XApi, desk: FakeDesk) -> None:
    channel, x = await deliver()
    body = json.dumps({"for_user_id": "4242", "tweet_create_events": [x.legacy(api.say("@DemoExchange hi"))]}).encode()
    right = signed(body)
    hexadecimal = "sha256=" + hmac.digest(CREDENTIALS["consumer_secret"].encode(), body, "sha256").hex()
    wrong = [None, "", "sha256=", right[:-1], right.removeprefix("sha256="), hexadecimal, signed(body + b" "), "ü"]
    wrong.append(signed(body, "another secret"))
    assert [(await x.post(body, each)).status_code for each in wrong] == [403] * len(wrong)
    assert desk.attempts == 0
    assert channel.figures().refused == {"wrong_signature": len(wrong)}
    assert (await x.post(body, right)).status_code == 200


async def test_what_the_check_signs_is_no_delivery(deliver: Deliver, desk: FakeDesk) -> None:
    """Anybody may have a word signed; with its signature nothing can be smuggled in."""
    channel, x = await deliver()
    for word in ("123", "null", "a" * 256):
        signature = (await x.ask(crc_token=word)).json()["response_token"]
        assert (await x.post(word.encode(), signature)).status_code == 400
    assert desk.attempts == 0
    assert channel.figures().refused == {"unreadable": 3}


POSTS: dict[str, dict[str, Any]] = {
    "a mention": {},
    "a reply": {"in_reply_to_user_id": "4242"},
    "Chinese": {"text": "@DemoExchange 我的提现一直没有到账 &lt;急&gt;", "lang": "zh"},
    "long": {"text": "@DemoExchange " + "where is it? " * 20},
    "a link": {"text": "@DemoExchange see https://t.co/a", "urls": [LINK]},
    "long with a link": {"text": "@DemoExchange " + "look! " * 40 + "https://t.co/a", "urls": [LINK]},
    "a picture": {"text": "@DemoExchange see https://t.co/m", "urls": [PICTURE]},
    "a film": {"text": "@DemoExchange see https://t.co/f", "urls": [FILM]},
    "long with both": {"text": "@DemoExchange " + "look! " * 40 + "https://t.co/m", "urls": [PICTURE, FILM]},
    "a quote": {"referenced_tweets": [{"type": "quoted", "id": "1234"}]},
    "an edit": {"edits": ["12"]},
}


def said(api: XApi, text: str = "@DemoExchange where is my withdrawal?", **more: Any) -> str:
    urls, edits = more.pop("urls", []), more.pop("edits", [])
    api.media["3_1"] = {"media_key": "3_1", "type": "photo", "url": "https://pbs.example/1.jpg", "alt_text": "proof"}
    best = {"bit_rate": 832_000, "content_type": "video/mp4", "url": "https://video.example/1.mp4"}
    list_of_parts = {"content_type": "application/x-mpegURL", "url": "https://video.example/1.m3u8"}
    preview = {"preview_image_url": "https://pbs.example/2.jpg", "duration_ms": 9_000}
    api.media["7_1"] = {"media_key": "7_1", "type": "video", **preview, "variants": [list_of_parts, best]}
    post_id = api.say(text, **more)
    post = api.posts[int(post_id)]
    post["edit_history_tweet_ids"] = [*edits, post_id]
    post["entities"]["urls"] = urls
    post["attachments"] = {"media_keys": [each["media_key"] for each in urls if "media_key" in each]}
    return post_id


@pytest.mark.parametrize("name", POSTS)
async def test_a_delivered_post_is_what_a_look_makes_of_it(
    deliver: Deliver, api: XApi, desk: FakeDesk, name: str
) -> None:
    channel, x = await deliver()
    post_id = said(api, **POSTS[name])
    assert await x.deliver(post_id) == [200]
    [stored] = desk.stored
    [looked] = (await looks(api)).posts
    assert (stored.external_id, stored.sender, stored.language) == (looked.id, looked.author_id, looked.language)
    assert stored.conversation_key == "4242:77"
    ours = {"us": [ACCOUNT["username"], ACCOUNT["name"]]}
    assert stored.envelope == {"feed": "webhook", "username": looked.username, **ours, **looked.envelope}
    assert json.loads(stored.raw) == {"delivered": x.legacy(post_id)}
    told = await channel.read(stored.raw, stored.envelope)
    assert told == await channel.read(looked.raw, {"feed": "mentions"})
    assert told.kind is Kind.MESSAGE


async def looks(api: XApi) -> Page:
    client = Api(check({**CREDENTIALS, "api_url": api.url}, PUBLIC_URL))
    try:
        return page_of(await client.mentions(1, None))
    finally:
        client.close()


async def test_by_webhook_and_by_a_look_it_is_one(
    deliver: Deliver, api: XApi, desk: FakeDesk, time: Time, start: Start
) -> None:
    channel, x = await deliver(backfill_seconds=60, poll_seconds=60)
    both, delivered_later = api.say("@DemoExchange one"), api.say("@DemoExchange two", 78)
    assert await x.deliver(both) == [200]
    await time.run(120)
    assert desk.ids() == [both, delivered_later]
    assert await x.deliver(delivered_later, both, times=2) == [200, 200]
    assert (desk.ids(), desk.attempts) == ([both, delivered_later], 2)
    await channel.stop()
    assert await x.deliver(both) == [503]
    await (await start(first_hours=1)).stop()
    assert desk.ids() == [both, delivered_later]


async def test_posts_of_one_delivery_are_stored_in_the_order_of_their_times(
    deliver: Deliver, api: XApi, desk: FakeDesk
) -> None:
    _, x = await deliver()
    said = [api.say(f"@DemoExchange {number}", ago=60 - number) for number in range(9)]
    assert await x.deliver(*reversed(said)) == [200]
    assert desk.ids() == said
    for each in reversed(said):
        assert await x.deliver(each, times=2) == [200, 200]
    assert desk.ids() == said


async def test_own_posts_and_reposts_are_left_out(deliver: Deliver, api: XApi, desk: FakeDesk) -> None:
    channel, x = await deliver(own_usernames=["DemoNews"])
    api.users["55"] = {"id": "55", "name": "News", "username": "DemoNews"}
    copied = [{"type": "retweeted", "id": "1234"}]
    posts = [api.say("we", OWN), api.say("@DemoExchange us", 55), api.say("RT", 78, referenced_tweets=copied)]
    assert await x.deliver(*posts) == [200]
    assert await x.deliver_deletion(posts[0], str(OWN)) == [200]
    assert desk.attempts == 0
    assert channel.figures().refused == {"own": 3, "repost": 1}


async def test_a_quote_that_does_not_address_us_is_kept_and_not_replied_to(
    deliver: Deliver, api: XApi, desk: FakeDesk
) -> None:
    channel, x = await deliver()
    quoted = api.say("your announcement is a lie", referenced_tweets=[{"type": "quoted", "id": "1234"}])
    assert await x.deliver(quoted) == [200]
    [stored] = desk.stored
    read = await channel.read(stored.raw, stored.envelope)
    assert read.thread["addressed"] == "no"
    assert (read.note or "").startswith("X delivered this post because it has to do with our account")


async def test_of_a_text_that_is_cut_off_the_whole_is_named(deliver: Deliver, api: XApi, desk: FakeDesk) -> None:
    channel, x = await deliver()
    post_id = api.say("@DemoExchange " + "a long story. " * 20)
    tweet = x.legacy(post_id)
    del tweet["extended_tweet"]
    assert await x.hand({"tweet_create_events": [tweet]}) == [200]
    [stored] = desk.stored
    read = await channel.read(stored.raw, stored.envelope)
    assert f"only the beginning of this post; the whole of it: https://x.com/i/status/{post_id}" in (read.note or "")


async def test_who_poses_as_us_in_a_delivery_is_flagged(deliver: Deliver, api: XApi, desk: FakeDesk) -> None:
    channel, x = await deliver()
    api.users["66"] = {"id": "66", "name": "Demo Exchange Support", "username": "DemoExchangeHelp"}
    named = [{"id": "77", "username": "user77"}, {"id": ACCOUNT["id"], "username": ACCOUNT["username"]}]
    post_id = api.say("@user77 @DemoExchange write to us", 66, in_reply_to_user_id="77", entities={"mentions": named})
    assert await x.deliver(post_id) == [200]
    [stored] = desk.stored
    read = await channel.read(stored.raw, stored.envelope)
    assert read.public is not None
    assert read.public.posing is not None
    assert (read.public.addressed, read.public.posing.answers) == (True, ("4242:77",))


async def test_without_a_list_of_what_is_stored_503_is_said(
    deliver: Deliver, api: XApi, desk: FakeDesk, tmp_path: Path
) -> None:
    """A disk that takes nothing: without the list an edit would be a second complaint."""
    channel, x = await deliver()
    post_id = api.say("@DemoExchange hello")
    lock = tmp_path / "twitter" / "seen.lock"
    lock.unlink(missing_ok=True)
    lock.mkdir()
    assert await x.deliver(post_id) == [503]
    assert (desk.attempts, channel.figures().refused) == (0, {"not_stored": 1})
    lock.rmdir()
    assert await x.deliver(post_id) == [200]
    assert desk.ids() == [post_id]


async def test_200_is_said_after_the_commit_and_503_without_one(deliver: Deliver, api: XApi, desk: FakeDesk) -> None:
    channel, x = await deliver()
    assert await x.check()
    post_id = api.say("@DemoExchange hello")
    body = json.dumps({"for_user_id": "4242", "tweet_create_events": [x.legacy(post_id)]}).encode()
    desk.fail_next = [NotStored("the disk is full", 6.2), RuntimeError("a bug")]
    answers = [await x.post(body, signed(body)) for _ in range(2)]
    assert [(each.status_code, each.headers["retry-after"]) for each in answers] == [(503, "7"), (503, "5")]
    desk.door.clear()
    delivering = asyncio.create_task(x.post(body, signed(body)))
    await desk.until(attempts=3)
    assert not (await asyncio.wait([delivering], timeout=0.05))[0]
    desk.door.set()
    assert (await delivering).status_code == 200
    assert desk.ids() == [post_id]
    assert channel.figures().refused["not_stored"] == 2


async def test_what_was_delivered_for_another_account_is_not_ours(deliver: Deliver, api: XApi, desk: FakeDesk) -> None:
    channel, x = await deliver()
    assert await x.deliver(api.say("@DemoExchange hello"), for_user="4243") == [200]
    assert (desk.attempts, channel.figures().refused) == (0, {"other_account": 1})


async def test_a_body_that_is_too_long_is_not_read(deliver: Deliver, desk: FakeDesk) -> None:
    channel, x = await deliver()
    body = bytes(1024 * 1024 + 1)
    assert (await x.post(body, signed(body))).status_code == 413
    assert (desk.attempts, channel.figures().refused) == (0, {"too_large": 1})


@pytest.mark.parametrize("body", [b"", b"\xff", b"[]", b"null", b'"a"', b"[" * 100_000])
async def test_what_is_no_object_is_refused(deliver: Deliver, desk: FakeDesk, body: bytes) -> None:
    _, x = await deliver()
    assert (await x.post(body, signed(body))).status_code == 400
    assert desk.attempts == 0


@pytest.mark.parametrize(
    "odd",
    [
        None,
        3,
        [],
        {},
        {"id_str": 12, "user": {}},
        {"id_str": "12", "user": None},
        {"id_str": "1" * 30, "user": {"id_str": "7"}},
    ],
    ids=repr,
)
async def test_one_odd_event_does_not_hold_back_the_others(
    deliver: Deliver, api: XApi, desk: FakeDesk, odd: Any
) -> None:
    channel, x = await deliver()
    post_id = api.say("@DemoExchange hello")
    content = {
        "tweet_create_events": [odd, x.legacy(post_id)],
        "tweet_delete_events": [odd, {"status": odd}],
        "direct_message_events": [odd],
        "favorite_events": odd,
    }
    assert await x.hand(content) == [200]
    assert desk.ids() == [post_id]
    assert channel.figures().refused == {"unreadable": 3, "not_asked_for": 2}


async def test_whatever_is_in_a_post_it_is_stored_and_read(deliver: Deliver, desk: FakeDesk, api: XApi) -> None:
    channel, x = await deliver()
    chance = random.Random(5)
    odd = [None, 3, -1.5, "", "\x00\ud800", [], {}, [None], {"id_str": "5"}, True]
    whole = {**x.legacy(said(api, urls=[LINK, PICTURE])), "extended_tweet": {}, "extended_entities": {}}
    for number in range(60):
        tweet = {name: chance.choice(odd) if chance.random() < 0.3 else value for name, value in whole.items()}
        tweet |= {"id_str": str(1000 + number), "user": {**whole["user"], "name": chance.choice(odd)}}
        assert await x.hand({"tweet_create_events": [tweet]}) == [200]
    assert len(desk.stored) + channel.figures().refused.get("repost", 0) == 60
    for stored in desk.stored:
        assert (await channel.read(stored.raw, stored.envelope)).thread


async def test_where_posts_are_brought_looks_are_rarer(deliver: Deliver, api: XApi, time: Time) -> None:
    await deliver(keywords=["demo exchange"], poll_seconds=60, backfill_seconds=900)
    await time.run(1810)
    assert len(api.called("mentions")) == 3
    assert len(api.called("search")) == 31


async def test_a_webhook_that_brings_nothing_is_shown(deliver: Deliver, api: XApi, desk: FakeDesk, time: Time) -> None:
    channel, x = await deliver(backfill_seconds=300)
    await time.run(10)
    lost = [api.say(f"@DemoExchange {number}", ago=5) for number in range(2)]
    delivered = api.say("@DemoExchange delivered", 78, ago=5)
    assert await x.deliver(delivered) == [200]
    await time.run(400)
    assert sorted(desk.ids()) == sorted([*lost, delivered])
    assert "X: nothing is delivered to the webhook since 2026-11-22 09:16 UTC, though 2 mentions were found" in (
        channel.trouble() or ""
    )
    assert await x.deliver(lost[0], for_user="4243") == [200]
    assert "nothing is delivered" in (channel.trouble() or "")
    assert await x.deliver(lost[0]) == [200]
    assert channel.trouble() is None


async def test_a_look_that_is_quicker_than_the_webhook_is_no_sign(
    deliver: Deliver, api: XApi, desk: FakeDesk, time: Time
) -> None:
    channel, _ = await deliver(backfill_seconds=30)
    await time.run(10)
    api.say("@DemoExchange hello")
    await time.run(60)
    assert (len(desk.stored), channel.trouble()) == (1, None)


async def test_without_the_setting_there_is_no_door(start: Start) -> None:
    assert (await start()).routes() == ()
