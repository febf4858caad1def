"""Mentions, search and search hits become one stored message each, whatever the server does meanwhile."""

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
from channels.contract import Kind
from channels.faults import NotStored
from channels.monitor.durable import read_json
from tests.bluesky.conftest import Start
from tests.bluesky.harness import texts
from tests.bluesky.pds_api import HANDLE, PASSWORD, Pds, did_of
from tests.conftest import MovedClock
from tests.monitor.harness import Desk, Time
from tests.monitor.network import Fault

OWN = 0
DAY = 86_400.0


async def test_a_mention_is_stored_once_with_its_author(start: Start, pds: Pds, desk: Desk) -> None:
    uri = pds.say("@demo.exchange.example where is my withdrawal?", ago=60)
    channel = await start()
    [message] = desk.stored.values()
    assert (message.external_id, message.sender, message.language) == (uri, did_of(77), "en")
    assert message.conversation_key == f"at:{did_of(77)}"
    assert json.loads(message.raw)["post"]["author"]["handle"] == "user77.bsky.social"
    assert channel.door() == f"https://bsky.app/profile/{HANDLE}"
    assert [call.endpoint for call in pds.calls] == ["login", "account", "profile", "mentions"]


async def test_replies_quotes_and_words_are_found(start: Start, pds: Pds, desk: Desk) -> None:
    own = pds.say("We are down for maintenance", author=OWN, ago=500)
    reference = {"uri": own, "cid": pds.posts[own]["cid"]}
    pds.say("again?", ago=70, reply={"root": reference, "parent": reference})
    embed = {"$type": "app.bsky.embed.record", "record": reference}
    pds.say("look at them", ago=60, embed=embed)
    pds.say("demo exchange is slow", ago=50)
    pds.say("#演示交易所 提现没到账", ago=40)
    pds.say("nice weather", ago=30)
    channel = await start(keywords=["Demo Exchange", "#演示交易所"])
    assert texts(desk) == ["again?", "look at them", "demo exchange is slow", "#演示交易所 提现没到账"]
    read = [await channel.read(message.raw, message.envelope) for message in desk.stored.values()]
    assert [each.thread["addressed"] for each in read] == ["yes", "no", "no", "no"]
    assert (read[0].thread["root_uri"], read[0].thread["root_cid"]) == (own, reference["cid"])
    assert "does not address us" in (read[1].note or "")
    assert "does not address us" in (read[2].note or "")


async def test_found_twice_it_is_stored_once(start: Start, pds: Pds, desk: Desk) -> None:
    pds.say("@demo.exchange.example #help", ago=60)
    channel = await start(keywords=["#help", "help"])
    [message] = desk.stored.values()
    assert desk.attempts == 1
    read = await channel.read(message.raw, {**message.envelope, "feed": "search"})
    assert read.thread["addressed"] == "yes"


async def test_own_posts_are_left_out(start: Start, pds: Pds, desk: Desk) -> None:
    pds.say("#help is us", author=OWN, ago=50)
    pds.authors[did_of(55)] = {"did": did_of(55), "handle": "News.exchange.example"}
    pds.say("@demo.exchange.example has news", author=55, ago=40)
    said = pds.say("@demo.exchange.example #help", ago=30)
    channel = await start(own_handles=["news.exchange.example"], keywords=["#help"])
    assert list(desk.stored) == [said]
    assert channel.figures().refused == {"own": 2}


async def test_a_robots_post_is_kept_and_not_answered(start: Start, pds: Pds, desk: Desk) -> None:
    for number, src in ((56, did_of(56)), (57, "did:plc:somebody")):
        labels = [{"val": "bot", "src": src}]
        pds.authors[did_of(number)] = {"did": did_of(number), "handle": f"r{number}.example", "labels": labels}
        pds.say("@demo.exchange.example price is 3", author=number, ago=100 - number)
    channel = await start()
    kinds = [(await channel.read(message.raw, message.envelope)).kind for message in desk.stored.values()]
    assert kinds == [Kind.AUTOMATIC, Kind.MESSAGE]


async def test_pages_are_stored_oldest_first_and_then_the_mark_moves(
    start: Start, pds: Pds, desk: Desk, time: Time, tmp_path: Path
) -> None:
    posted = [pds.say(f"@demo.exchange.example {number}", ago=3000 - number) for number in range(350)]
    desk.fail_next = [NotStored("full", 30)]
    await start()
    written = read_json(tmp_path / "bluesky" / "feeds.json")["feeds"]["mentions"]
    assert int(written) < (time.wall() - timedelta(seconds=3000)).timestamp() * 1e6
    await time.run(31)
    assert list(desk.stored) == posted
    written = read_json(tmp_path / "bluesky" / "feeds.json")["feeds"]["mentions"]
    assert int(written) >= (time.wall() - timedelta(seconds=2700)).timestamp() * 1e6
    assert len(pds.called("mentions")) == 4


async def test_after_three_days_it_goes_on_where_it_was(start: Start, pds: Pds, desk: Desk, time: Time) -> None:
    pds.say("@demo.exchange.example one", ago=7200)
    first = await start(keywords=["help"])
    await first.stop()
    await time.skip(3 * DAY)
    pds.say("@demo.exchange.example two", ago=2 * DAY)
    pds.say("#help three", ago=DAY)
    second = await start(keywords=["help"], first_hours=0)
    assert texts(desk) == ["@demo.exchange.example one", "@demo.exchange.example two", "#help three"]
    assert desk.attempts == 3
    assert second.trouble() is None


async def test_what_the_search_no_longer_gives_is_a_named_gap(
    start: Start, pds: Pds, desk: Desk, time: Time, monkeypatch: pytest.MonkeyPatch
) -> None:
    await (await start(keywords=["help"])).stop()
    left = time.wall()
    await time.skip(3 * DAY)
    monkeypatch.setattr("channels.bluesky.pages.MOST_PAGES", 2)
    posted = [pds.say(f"#help {number}", ago=2 * DAY - 600 * number) for number in range(250)]
    channel = await start(keywords=["help"])
    told = channel.trouble() or ""
    until = time.wall() - timedelta(seconds=2 * DAY - 600 * 50)
    assert f"Bluesky: posts of the feed search from {left:%Y-%m-%d %H:%M} UTC to {until:%Y-%m-%d %H:%M} UTC" in told
    assert "are missing: the search gives nothing older; look for them by hand" in told
    assert list(desk.stored) == posted[50:]
    await channel.stop()
    assert (await start(keywords=["help"])).trouble() == told


async def test_a_cursor_that_leads_nowhere_is_a_named_gap(start: Start, pds: Pds, desk: Desk, time: Time) -> None:
    await (await start()).stop()
    await time.skip(3 * DAY)
    for number in range(150):
        pds.say(f"@demo.exchange.example {number}", ago=DAY - number)
    newest = [{**pds.posts[notice.uri], "reason": "mention"} for notice in pds.notices[:-101:-1]]
    again = Fault(text=json.dumps({"notifications": newest, "cursor": "100"}).encode())
    pds.fail_next["mentions"] = [Fault(), again]
    channel = await start()
    assert "Bluesky: posts of the feed mentions from" in (channel.trouble() or "")
    assert len(desk.stored) == 100


async def test_a_mention_that_was_long_under_way_is_found(start: Start, pds: Pds, desk: Desk, time: Time) -> None:
    await start()
    await time.run(3600)
    pds.say("@demo.exchange.example late", ago=3000, found_ago=5)
    await time.run(100)
    assert texts(desk) == ["@demo.exchange.example late"]


@pytest.mark.parametrize(
    "fault",
    [
        Fault(code=500),
        Fault(code=503),
        Fault(code=404),
        Fault(code=302),
        Fault(code=400),
        Fault(truncated=True),
        Fault(untidy=True),
        Fault(code=429),
        Fault(code=429, reset_in=-60),
        Fault(code=429, reset_in=30),
        Fault(code=429, after="30"),
        Fault(text=b"<html>"),
        Fault(text=b"{}"),
        Fault(text=b"[7]"),
        Fault(text=b'{"notifications":[7],"posts":[7]}'),
        Fault(text=b'{"notifications":7,"posts":{}}'),
        Fault(text=b"[" * 100_000),
    ],
    ids=lambda fault: str(fault)[:80],
)
async def test_whatever_a_page_is_like_nothing_is_lost_or_doubled(
    start: Start, pds: Pds, desk: Desk, time: Time, fault: Fault
) -> None:
    posted = [pds.say(f"@demo.exchange.example #help {number}", ago=3000 - number) for number in range(150)]
    for endpoint in ("mentions", "search"):
        pds.fail_next[endpoint] = [Fault(), fault]
    await start(keywords=["help"])
    await time.run(400)
    assert sorted(desk.stored) == sorted(posted)
    assert desk.attempts == len(posted)


async def test_an_entry_that_cannot_be_read_does_not_hide_the_others(start: Start, pds: Pds, desk: Desk) -> None:
    pds.say("#help me", ago=30)
    entries = [7, {"uri": "x"}, {"uri": "at://did:plc:a/app.bsky.feed.post/1", "author": {}}, *pds.posts.values()]
    pds.fail_next["search"] = [Fault(text=json.dumps({"posts": entries}).encode())]
    channel = await start(keywords=["help"])
    assert texts(desk) == ["#help me"]
    assert channel.figures().refused["unreadable"] == 3


async def test_a_post_of_the_future_does_not_hide_later_ones(start: Start, pds: Pds, desk: Desk, time: Time) -> None:
    pds.say("#help from the future", ago=-DAY, found_ago=30)
    await start(keywords=["help"])
    await time.run(100)
    pds.say("#help now")
    await time.run(100)
    assert texts(desk) == ["#help from the future", "#help now"]


async def test_a_silent_server_is_given_up(start: Start, pds: Pds, desk: Desk, time: Time) -> None:
    pds.say("@demo.exchange.example hello", ago=30)
    pds.fail_next["mentions"] = [Fault(hang=True)]
    await start(request_seconds=0.2)
    await time.run(10)
    assert len(pds.called("mentions")) >= 2
    assert texts(desk) == ["@demo.exchange.example hello"]


async def test_only_one_process_looks(start: Start, pds: Pds, time: Time) -> None:
    first = await start()
    asked = len(pds.calls)
    second = await start()
    assert len(pds.calls) == asked
    assert (first.figures().connections, second.figures().connections) == (1, 0)
    await first.stop()
    await time.run(20)
    assert second.figures().connections == 1


async def test_stopping_finishes_what_is_being_stored(start: Start, pds: Pds, desk: Desk) -> None:
    pds.say("@demo.exchange.example hello", ago=30)
    desk.door.clear()
    channel = await start(looked=False)
    await desk.waiting.wait()
    stopping = asyncio.create_task(channel.stop())
    desk.door.set()
    await stopping
    assert texts(desk) == ["@demo.exchange.example hello"]


async def test_nothing_of_the_state_holds_words_of_people(start: Start, pds: Pds, tmp_path: Path) -> None:
    pds.say("@demo.exchange.example my seed phrase is abandon abandon", ago=30)
    await start()
    kept = (tmp_path / "bluesky" / "feeds.json").read_text()
    assert "abandon" not in kept
    assert PASSWORD not in kept


async def test_many_mentions_are_had_within_quota(start: Start, pds: Pds, desk: Desk, time: Time) -> None:
    chance = random.Random(22)
    pds.quotas |= {"mentions": 4}
    wanted = [
        pds.say(
            f"@demo.exchange.example complaint {number % 50}", 1000 + chance.randrange(300), ago=80_000 - 60 * number
        )
        for number in range(1_200)
    ]
    pds.fail_next["mentions"] = [Fault(), Fault(untidy=True), Fault(truncated=True), Fault(), Fault(code=429)]
    began = time.seconds
    await start()
    while len(desk.stored) < len(wanted):
        await time.run(60)
    assert set(desk.stored) == set(wanted)
    assert desk.attempts == len(wanted)
    assert time.seconds - began < 3600
    assert pds.over_quota == 0
    assert len({message.conversation_key for message in desk.stored.values()}) <= 300


async def test_the_real_inbox_keeps_each_once(
    start: Start, pds: Pds, desk: Desk, time: Time, store: Store, clock: MovedClock, tmp_path: Path
) -> None:
    inbox = Inbox(store, Files(tmp_path / "raw"), clock, timedelta(seconds=15), lambda _claim: None)
    desk.accept = inbox.accept  # type: ignore[method-assign]
    for number in range(200):
        pds.say(f"@demo.exchange.example {number}", 1000 + number % 30, ago=80_000 - 7 * number)
    pds.fail_next["mentions"] = [Fault(untidy=True), Fault(truncated=True)]
    first = await start()
    await time.run(600)
    await first.stop()
    (tmp_path / "bluesky" / "feeds.json").unlink()
    await start()
    await time.run(600)
    rows = await store.read(lambda connection: connection.execute(text("SELECT external_id FROM inbox")).all())
    assert len(rows) == len(set(rows)) == 200
    talks = await store.read(lambda connection: connection.execute(text("SELECT key FROM conversation")).all())
    assert len(talks) == 30
