"""Mentions, hashtags and search hits become one stored message each, whatever the server does meanwhile."""

from __future__ import annotations

import asyncio
import json
import random
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text

from bot.files import Files
from bot.inbox import Inbox
from bot.store.store import Store
from channels.contract import Kind
from channels.faults import NotStored
from channels.monitor.durable import read_json
from tests.conftest import MovedClock
from tests.mastodon.conftest import Start
from tests.mastodon.harness import texts
from tests.mastodon.mastodon_api import ACCOUNT, TOKEN, MastodonApi
from tests.monitor.harness import Desk, Time
from tests.monitor.network import Fault

OWN = int(ACCOUNT["id"])
DAY = 86_400.0


async def test_a_mention_is_stored_once_with_its_author(start: Start, api: MastodonApi, desk: Desk) -> None:
    post_id = api.say("@DemoExchange where is my withdrawal?", ago=60)
    channel = await start()
    [message] = desk.stored.values()
    assert (message.external_id, message.sender, message.language) == (post_id, "77", "en")
    assert message.conversation_key == f"{api.url.removeprefix('http://')}:77"
    assert json.loads(message.raw)["status"]["account"]["acct"] == "user77@far.example"
    assert channel.door() == ACCOUNT["url"]
    assert {call.endpoint for call in api.calls} == {"account", "mentions"}


async def test_hashtags_and_words_are_found_where_the_server_has_them(
    start: Start, api: MastodonApi, desk: Desk
) -> None:
    api.say("#DemoExchange stole my coins", ago=60)
    api.say("#演示交易所 提现没到账", ago=50)
    api.say("demo exchange is slow", ago=40)
    api.say("nice weather", ago=30)
    channel = await start(hashtags=["#demoexchange", "演示交易所"], keywords=["demo exchange"])
    assert texts(desk) == ["#DemoExchange stole my coins", "#演示交易所 提现没到账", "demo exchange is slow"]
    read = [await channel.read(message.raw, message.envelope) for message in desk.stored.values()]
    assert {each.thread["addressed"] for each in read} == {"no"}
    assert "hashtag or keyword" in (read[0].note or "")
    assert channel.figures().connections == 3


async def test_a_server_without_full_text_search_gives_nothing(start: Start, api: MastodonApi, desk: Desk) -> None:
    api.full_text = False
    api.say("demo exchange is slow", ago=40)
    channel = await start(keywords=["demo exchange"])
    assert (desk.stored, channel.trouble()) == ({}, None)


async def test_found_twice_it_is_stored_once(start: Start, api: MastodonApi, desk: Desk) -> None:
    api.say("@DemoExchange #help", ago=60)
    channel = await start(hashtags=["help"], keywords=["help"])
    [message] = desk.stored.values()
    assert desk.attempts == 1
    read = await channel.read(message.raw, {**message.envelope, "feed": "hashtags"})
    assert read.thread["addressed"] == "yes"


async def test_own_posts_and_boosts_are_left_out(start: Start, api: MastodonApi, desk: Desk) -> None:
    api.say("#help is us", author=OWN, ago=50)
    api.accounts["55"] = {"id": "55", "acct": "DemoNews@far.example"}
    api.say("@DemoExchange has news", author=55, ago=40)
    said = api.say("@DemoExchange #help", ago=30)
    api.say("#help", 78, ago=20, reblog=dict(api.posts[int(said)]))
    channel = await start(own_accounts=["@demonews@far.example"], hashtags=["help"])
    assert list(desk.stored) == [said]
    assert channel.figures().refused == {"own": 2, "repost": 1}


async def test_a_robots_post_is_kept_and_not_answered(start: Start, api: MastodonApi, desk: Desk) -> None:
    api.accounts["56"] = {"id": "56", "acct": "robot@far.example", "bot": True}
    api.say("@DemoExchange price is 3", author=56, ago=40)
    channel = await start()
    [message] = desk.stored.values()
    assert (await channel.read(message.raw, message.envelope)).kind is Kind.AUTOMATIC


async def test_pages_are_stored_oldest_first_and_then_the_mark_moves(
    start: Start, api: MastodonApi, desk: Desk, time: Time, tmp_path: Path
) -> None:
    posted = [api.say(f"@DemoExchange {number}", ago=3000 - number) for number in range(350)]
    desk.fail_next = [NotStored("full", 30)]
    await start()
    written = read_json(tmp_path / "mastodon" / "feeds.json")["feeds"]["mentions"]
    assert int(written) < (time.wall() - timedelta(seconds=3000)).timestamp() * 1e6
    await time.run(31)
    assert list(desk.stored) == posted
    written = read_json(tmp_path / "mastodon" / "feeds.json")["feeds"]["mentions"]
    assert int(written) >= (time.wall() - timedelta(seconds=2700)).timestamp() * 1e6
    assert len(api.called("mentions")) == 10


async def test_after_three_days_it_goes_on_where_it_was(start: Start, api: MastodonApi, desk: Desk, time: Time) -> None:
    api.say("@DemoExchange one", ago=7200)
    first = await start(hashtags=["help"])
    await first.stop()
    await time.skip(3 * DAY)
    api.say("@DemoExchange two", ago=2 * DAY)
    api.say("#help three", ago=DAY)
    second = await start(hashtags=["help"], first_hours=0)
    assert texts(desk) == ["@DemoExchange one", "@DemoExchange two", "#help three"]
    assert desk.attempts == 3
    assert second.trouble() is None


async def test_what_the_server_no_longer_gives_is_a_named_gap(
    start: Start, api: MastodonApi, desk: Desk, time: Time
) -> None:
    await (await start(hashtags=["help"])).stop()
    left = time.wall()
    await time.skip(3 * DAY)
    for number in range(60):
        api.say(f"#help {number}", ago=DAY - number)
    api.fail_next["hashtags"] = [Fault(), Fault(text=json.dumps(_oldest_again(api)).encode())]
    channel = await start(hashtags=["help"])
    told = channel.trouble() or ""
    assert f"Mastodon: posts of the feed hashtags from {left:%Y-%m-%d %H:%M} UTC to " in told
    assert "are missing: the server gives nothing older; look for them by hand" in told
    await channel.stop()
    assert (await start(hashtags=["help"])).trouble() == told


def _oldest_again(api: MastodonApi) -> list[dict[str, Any]]:
    """As a server answers that does not know how to go back: the page it had given."""
    return [api.posts[post_id] for post_id in sorted(api.posts, reverse=True)[:40]]


async def test_a_mention_that_was_long_under_way_is_found(
    start: Start, api: MastodonApi, desk: Desk, time: Time
) -> None:
    await start()
    await time.run(3600)
    api.say("@DemoExchange late", ago=3000, heard_ago=5)
    await time.run(100)
    assert texts(desk) == ["@DemoExchange late"]


async def test_an_edit_is_stored_beside_the_post(start: Start, api: MastodonApi, desk: Desk, time: Time) -> None:
    post_id = api.say("@DemoExchange lost 3 BTC", ago=30)
    channel = await start()
    await time.run(3600)
    api.edit(post_id, "@DemoExchange lost 5 BTC")
    await time.run(200)
    assert texts(desk) == ["@DemoExchange lost 3 BTC", "@DemoExchange lost 5 BTC"]
    assert desk.attempts == 2
    message = list(desk.stored.values())[1]
    assert message.external_id.startswith(f"{post_id}/2026-11-22T10:")
    read = await channel.read(message.raw, message.envelope)
    assert f"(post {post_id})" in (read.note or "")


@pytest.mark.parametrize(
    "fault",
    [
        Fault(code=500),
        Fault(code=503),
        Fault(code=404),
        Fault(code=302),
        Fault(code=422),
        Fault(truncated=True),
        Fault(untidy=True),
        Fault(code=429),
        Fault(code=429, reset_in=-60),
        Fault(code=429, reset_in=30),
        Fault(code=429, after="30"),
        Fault(text=b"<html>"),
        Fault(text=b"{}"),
        Fault(text=b"[7]"),
        Fault(text=b'[{"id":"1","type":"mention","created_at":"yesterday","status":{}}]'),
        Fault(text=b"[" * 100_000),
    ],
    ids=lambda fault: str(fault)[:80],
)
async def test_whatever_a_page_is_like_nothing_is_lost_or_doubled(
    start: Start, api: MastodonApi, desk: Desk, time: Time, fault: Fault
) -> None:
    posted = [api.say(f"@DemoExchange #help {number}", ago=3000 - number) for number in range(100)]
    for endpoint in ("mentions", "hashtags"):
        api.fail_next[endpoint] = [Fault(), fault]
    await start(hashtags=["help"])
    await time.run(400)
    assert sorted(desk.stored) == sorted(posted)
    assert desk.attempts == len(posted)


async def test_an_entry_that_cannot_be_read_does_not_hide_the_others(
    start: Start, api: MastodonApi, desk: Desk
) -> None:
    api.say("#help me", ago=30)
    entries = [7, {"id": "x"}, {"id": "1", "created_at": "2026-11-22T09:00:00Z", "account": {}}, *api.posts.values()]
    api.fail_next["hashtags"] = [Fault(text=json.dumps(entries).encode())]
    channel = await start(hashtags=["help"])
    assert texts(desk) == ["#help me"]
    assert channel.figures().refused["unreadable"] == 3


async def test_a_post_of_the_future_does_not_hide_later_ones(
    start: Start, api: MastodonApi, desk: Desk, time: Time
) -> None:
    api.say("#help from the future", ago=-DAY)
    await start(hashtags=["help"])
    await time.run(100)
    api.say("#help now")
    await time.run(100)
    assert texts(desk) == ["#help from the future", "#help now"]


async def test_a_silent_server_is_given_up(start: Start, api: MastodonApi, desk: Desk, time: Time) -> None:
    api.say("@DemoExchange hello", ago=30)
    api.fail_next["mentions"] = [Fault(hang=True)]
    await start(request_seconds=0.2)
    await time.run(10)
    assert len(api.called("mentions")) >= 2
    assert texts(desk) == ["@DemoExchange hello"]


async def test_only_one_process_looks(start: Start, api: MastodonApi, time: Time) -> None:
    first = await start()
    asked = len(api.calls)
    second = await start()
    assert len(api.calls) == asked
    assert (first.figures().connections, second.figures().connections) == (1, 0)
    await first.stop()
    await time.run(20)
    assert second.figures().connections == 1


async def test_stopping_finishes_what_is_being_stored(start: Start, api: MastodonApi, desk: Desk) -> None:
    api.say("@DemoExchange hello", ago=30)
    desk.door.clear()
    channel = await start(looked=False)
    await desk.waiting.wait()
    stopping = asyncio.create_task(channel.stop())
    desk.door.set()
    await stopping
    assert texts(desk) == ["@DemoExchange hello"]


async def test_nothing_of_the_state_holds_words_of_people(start: Start, api: MastodonApi, tmp_path: Path) -> None:
    api.say("@DemoExchange my seed phrase is abandon abandon", ago=30)
    await start()
    kept = (tmp_path / "mastodon" / "feeds.json").read_text()
    assert "abandon" not in kept
    assert TOKEN not in kept


async def test_many_mentions_are_had_within_quota(start: Start, api: MastodonApi, desk: Desk, time: Time) -> None:
    chance = random.Random(22)
    api.quotas |= {"mentions": 15}
    wanted = [
        api.say(f"@DemoExchange complaint {number % 50}", 1000 + chance.randrange(300), ago=80_000 - 60 * number)
        for number in range(1_200)
    ]
    api.fail_next["mentions"] = [Fault(), Fault(untidy=True), Fault(truncated=True), Fault(), Fault(code=429)]
    began = time.seconds
    await start()
    while len(desk.stored) < len(wanted):
        await time.run(60)
    assert set(desk.stored) == set(wanted)
    assert desk.attempts == len(wanted)
    assert time.seconds - began < 3600
    assert api.over_quota == 0
    assert len({message.conversation_key for message in desk.stored.values()}) <= 300


async def test_the_real_inbox_keeps_each_once(
    start: Start, api: MastodonApi, desk: Desk, time: Time, store: Store, clock: MovedClock, tmp_path: Path
) -> None:
    inbox = Inbox(store, Files(tmp_path / "raw"), clock, timedelta(seconds=15), lambda _claim: None)
    desk.accept = inbox.accept  # type: ignore[method-assign]
    for number in range(200):
        api.say(f"@DemoExchange {number}", 1000 + number % 30, ago=80_000 - 7 * number)
    api.fail_next["mentions"] = [Fault(untidy=True), Fault(truncated=True)]
    first = await start()
    await time.run(600)
    await first.stop()
    (tmp_path / "mastodon" / "feeds.json").unlink()
    await start()
    await time.run(600)
    rows = await store.read(lambda connection: connection.execute(text("SELECT external_id FROM inbox")).all())
    assert len(rows) == len(set(rows)) == 200
    talks = await store.read(lambda connection: connection.execute(text("SELECT key FROM conversation")).all())
    assert len(talks) == 30
