"""Mentions and keyword hits become one stored message each, whatever X does meanwhile."""

from __future__ import annotations

import asyncio
import json
import random
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import text

from bot.files import Files
from bot.inbox import Inbox
from bot.store.store import Store
from channels.faults import NotStored
from channels.monitor.durable import read_json
from tests.conftest import MovedClock
from tests.fakes.desk import FakeDesk
from tests.monitor.harness import Time
from tests.monitor.network import Fault
from tests.twitter.conftest import Start
from tests.twitter.harness import texts
from tests.twitter.x_api import ACCOUNT, CREDENTIALS, XApi

OWN = int(ACCOUNT["id"])
DAY = 86_400.0
IN_THE_REAL_INBOX = 1000


async def test_a_mention_is_stored_once_with_its_author(start: Start, api: XApi, desk: FakeDesk) -> None:
    post_id = api.say("@DemoExchange where is my withdrawal?", ago=60)
    await start()
    [message] = desk.stored
    assert (message.external_id, message.sender, message.conversation_key) == (post_id, "77", "4242:77")
    kept = json.loads(message.raw)
    assert kept["author"]["username"] == "user77"
    assert kept["post"]["edit_history_tweet_ids"] == [post_id]
    assert (message.language, desk.attempts) == ("en", 1)
    assert api.called("mentions")
    assert api.called("search")


async def test_a_post_with_a_keyword_is_found_too(start: Start, api: XApi, desk: FakeDesk) -> None:
    api.say("Demo Exchange stole my coins", ago=60)
    api.say("nice weather", ago=60)
    channel = await start(keywords=["demo exchange"])
    [message] = desk.stored
    read = await channel.read(message.raw, message.envelope)
    assert read.thread["addressed"] == "no"
    assert read.note is not None
    assert "keyword" in read.note


async def test_own_posts_and_reposts_are_left_out(start: Start, api: XApi, desk: FakeDesk) -> None:
    api.sloppy = True
    api.say("@DemoExchange is us", author=OWN, ago=50)
    api.users["55"] = {"id": "55", "name": "News", "username": "DemoNews"}
    api.say("@DemoExchange has news", author=55, ago=40)
    said = api.say("@DemoExchange help", ago=30)
    api.say("RT @user77: @DemoExchange help", 78, ago=20, referenced_tweets=[{"type": "retweeted", "id": said}])
    channel = await start(own_usernames=["@demonews"])
    assert desk.ids() == [said]
    assert channel.figures().refused == {"own": 2, "repost": 1}


async def test_pages_are_stored_oldest_first_and_then_the_mark_moves(
    start: Start, api: XApi, desk: FakeDesk, time: Time, tmp_path: Path
) -> None:
    posted = [api.say(f"@DemoExchange {number}", ago=3000 - number) for number in range(350)]
    desk.fail_next = [NotStored("full", 30)]
    await start()
    state = read_json(tmp_path / "twitter" / "feeds.json")
    assert int(state["feeds"]["mentions"]) < int(posted[0])
    await time.run(31)
    assert desk.ids() == posted
    state = read_json(tmp_path / "twitter" / "feeds.json")
    assert int(state["feeds"]["mentions"]) >= int(posted[-1])
    assert len(api.called("mentions")) == 4


async def test_after_a_restart_it_goes_on_where_it_was(start: Start, api: XApi, desk: FakeDesk, time: Time) -> None:
    api.say("@DemoExchange one", ago=7200)
    first = await start()
    await first.stop()
    await time.skip(3 * DAY)
    api.say("@DemoExchange two", ago=2 * DAY)
    second = await start(first_hours=0)
    assert texts(desk) == ["@DemoExchange one", "@DemoExchange two"]
    assert desk.attempts == 2
    assert second.trouble() is None


async def test_a_gap_that_cannot_be_searched_is_named(start: Start, api: XApi, desk: FakeDesk, time: Time) -> None:
    await (await start()).stop()
    left = time.wall()
    await time.skip(10 * DAY)
    api.say("@DemoExchange late", ago=DAY)
    channel = await start()
    assert texts(desk) == ["@DemoExchange late"]
    told = channel.trouble() or ""
    assert f"the feed search from {left:%Y-%m-%d %H:%M} UTC to 2026-11-25 09:18 UTC are missing" in told
    await channel.stop()
    again = await start()
    assert again.trouble() == told


async def test_a_quiet_week_is_no_gap(start: Start, time: Time) -> None:
    channel = await start(poll_seconds=900)
    await time.run(DAY / 4)
    await channel.stop()
    await time.skip(7 * DAY - 7200)
    assert (await start()).trouble() is None


async def test_a_post_that_appears_late_is_found(start: Start, api: XApi, desk: FakeDesk, time: Time) -> None:
    await start()
    await time.run(60)
    api.say("@DemoExchange first", ago=5)
    await time.run(40)
    api.say("@DemoExchange late", ago=50)
    await time.run(100)
    assert texts(desk) == ["@DemoExchange first", "@DemoExchange late"]
    assert desk.attempts == 2


@pytest.mark.parametrize(
    "fault",
    [
        Fault(code=500),
        Fault(code=503),
        Fault(code=404),
        Fault(code=302),
        Fault(truncated=True),
        Fault(untidy=True),
        Fault(code=429),
        Fault(code=429, reset_in=-60),
        Fault(code=429, reset_in=30),
        Fault(text=b"<html>"),
        Fault(text=b"[]"),
        Fault(text=b'{"data":"none","includes":[],"meta":7}'),
        Fault(text=b'{"data":[7,{"id":"x"},{"id":"1"}],"includes":{"users":[7,{}]}}'),
    ],
    ids=str,
)
async def test_whatever_a_page_is_like_nothing_is_lost_or_doubled(
    start: Start, api: XApi, desk: FakeDesk, time: Time, fault: Fault
) -> None:
    posted = [api.say(f"@DemoExchange {number}", ago=3000 - number) for number in range(250)]
    for endpoint in ("mentions", "search"):
        api.fail_next[endpoint] = [Fault(), fault]
    await start()
    await time.run(400)
    assert sorted(desk.ids()) == sorted(posted)
    assert desk.attempts == len(posted)


async def test_an_entry_that_cannot_be_read_does_not_hide_the_others(start: Start, api: XApi, desk: FakeDesk) -> None:
    api.say("@DemoExchange help", ago=30)
    entries = [7, {"id": "x", "author_id": "1"}, {"id": "1"}, *api.posts.values()]
    page = {"data": entries, "includes": {"users": [7, {}]}, "meta": {"result_count": len(entries)}}
    api.fail_next["mentions"] = [Fault(text=json.dumps(page).encode())]
    channel = await start()
    assert texts(desk) == ["@DemoExchange help"]
    assert channel.figures().refused == {"unreadable": 3}


async def test_a_silent_server_is_given_up(start: Start, api: XApi, desk: FakeDesk, time: Time) -> None:
    api.say("@DemoExchange hello", ago=30)
    api.fail_next["mentions"] = [Fault(hang=True)]
    await start(request_seconds=0.2)
    await time.run(10)
    assert len(api.called("mentions")) == 2
    assert texts(desk) == ["@DemoExchange hello"]


async def test_only_one_process_looks(start: Start, api: XApi, time: Time) -> None:
    first = await start()
    asked = len(api.calls)
    second = await start()
    assert len(api.calls) == asked
    assert (first.figures().connections, second.figures().connections) == (2, 0)
    await first.stop()
    await time.run(20)
    assert second.figures().connections == 2
    assert len(api.called("account")) == 2


async def test_stopping_finishes_what_is_being_stored(start: Start, api: XApi, desk: FakeDesk) -> None:
    api.say("@DemoExchange hello", ago=30)
    desk.door.clear()
    channel = await start(looked=False)
    await desk.knocked.wait()
    stopping = asyncio.create_task(channel.stop())
    desk.door.set()
    await stopping
    assert texts(desk) == ["@DemoExchange hello"]


async def test_a_damaged_state_file_is_put_aside(start: Start, api: XApi, desk: FakeDesk, tmp_path: Path) -> None:
    (tmp_path / "twitter").mkdir()
    (tmp_path / "twitter" / "feeds.json").write_text("{")
    api.say("@DemoExchange hello", ago=30)
    channel = await start()
    assert texts(desk) == ["@DemoExchange hello"]
    assert "damaged" in (channel.trouble() or "")
    assert (tmp_path / "twitter" / "feeds.damaged").exists()


async def test_nothing_of_the_state_holds_words_of_people(start: Start, api: XApi, tmp_path: Path) -> None:
    api.say("@DemoExchange my seed phrase is abandon abandon", ago=30)
    await start()
    text = (tmp_path / "twitter" / "feeds.json").read_text()
    assert "abandon" not in text
    assert not any(secret in text for secret in CREDENTIALS.values())


async def test_more_than_fits_into_memory_is_had_in_two_looks(
    start: Start, api: XApi, desk: FakeDesk, time: Time, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("channels.monitor.feed.MOST_GATHERED", 250)
    posted = [api.say(f"@DemoExchange {number}", ago=3000 - number) for number in range(600)]
    await start()
    await time.run(10)
    assert desk.ids() == posted


async def test_many_mentions_are_had_within_quota(start: Start, api: XApi, desk: FakeDesk, time: Time) -> None:
    """Bar A22: 10,000 mentions by 300 authors, with copies and our own posts among them."""
    chance = random.Random(22)
    api.sloppy = True
    api.quotas |= {"search": 60, "mentions": 10}
    wanted = []
    for number in range(10_000):
        author = 1000 + chance.randrange(300)
        post = api.say(f"@DemoExchange complaint {number % 50}", author, ago=80_000 - 7 * number)
        wanted.append(post)
        if number % 20 == 0:
            copied = [{"type": "retweeted", "id": post}]
            api.say("RT @DemoExchange complaint", author, ago=80_000 - 7 * number - 1, referenced_tweets=copied)
            api.say("@DemoExchange answers itself", OWN, ago=80_000 - 7 * number - 2)
    for endpoint in ("search", "mentions"):
        api.fail_next[endpoint] = [Fault(), Fault(untidy=True), Fault(truncated=True), Fault(), Fault(code=429)]
    began = time.seconds
    channel = await start()
    while len(desk.stored) < len(wanted):
        await time.run(60)
    assert set(desk.ids()) == set(wanted)
    assert desk.attempts == len(wanted)
    assert time.seconds - began < 3600
    assert channel.figures().refused["own"] == channel.figures().refused["repost"] == 500
    assert api.over_quota == 0
    by_author: dict[str, set[str]] = {}
    for message in desk.stored:
        by_author.setdefault(message.sender, set()).add(message.conversation_key)
    assert len(by_author) == 300
    assert all(len(keys) == 1 for keys in by_author.values())


async def test_the_real_inbox_keeps_each_once(
    start: Start, api: XApi, desk: FakeDesk, time: Time, store: Store, clock: MovedClock, tmp_path: Path
) -> None:
    inbox = Inbox(store, Files(tmp_path / "raw"), clock, timedelta(seconds=15), lambda _claim: None)
    desk.inbox = inbox.accept
    for number in range(IN_THE_REAL_INBOX):
        api.say(f"@DemoExchange {number}", 1000 + number % 300, ago=80_000 - 7 * number)
    for endpoint in ("search", "mentions"):
        api.fail_next[endpoint] = [Fault(untidy=True), Fault(truncated=True)]
    first = await start()
    await time.run(600)
    await first.stop()
    (tmp_path / "twitter" / "feeds.json").unlink()
    await start()
    await time.run(600)
    rows = await store.read(lambda connection: connection.execute(text("SELECT external_id FROM inbox")).all())
    assert len(rows) == len(set(rows)) == IN_THE_REAL_INBOX
    talks = await store.read(lambda connection: connection.execute(text("SELECT key FROM conversation")).all())
    assert len(talks) == 300
