"""The filtered stream: each post is stored before the next is read, and what a break cost is brought by a look."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import pytest

from channels.contract import Kind
from channels.faults import NotStored
from channels.twitter.channel import XChannel
from tests.fakes.desk import FakeDesk
from tests.monitor.harness import Time
from tests.monitor.media import MediaHost
from tests.monitor.network import Fault
from tests.twitter.conftest import Start
from tests.twitter.x_api import ACCOUNT, XApi
from tests.twitter.x_stream import BEARER

type Stream = Callable[..., Awaitable[XChannel]]
WANTED = '(@DemoExchange OR "stolen coins") -is:retweet -from:DemoExchange'


class Rests:
    """How the stream waits before it connects again: it writes down how long, and goes on when it may."""

    def __init__(self) -> None:
        self.seconds: list[float] = []
        self.over = asyncio.Event()
        self._changed = asyncio.Condition()

    async def __call__(self, seconds: float) -> None:
        self.seconds.append(seconds)
        async with self._changed:
            self._changed.notify_all()
        await self.over.wait()

    async def until(self, count: int) -> None:
        async with self._changed, asyncio.timeout(20):
            await self._changed.wait_for(lambda: len(self.seconds) >= count)


@pytest.fixture
async def rests() -> AsyncIterator[Rests]:
    yield (rests := Rests())
    rests.over.set()


@pytest.fixture
async def stream(start: Start, api: XApi, rests: Rests) -> Stream:
    """Starts a channel with its stream, which has shown a sign of life."""

    async def one(*, alive: bool = True, **settings: object) -> XChannel:
        built = await start(
            bearer_token=BEARER, keywords=["stolen coins"], rest=rests, **{"backfill_seconds": 900, **settings}
        )
        if alive:
            await api.stream.until(1)
            api.stream.keep_alive()
            await up(built)
        return built

    return one


async def up(channel: XChannel, connections: int = 3) -> None:
    """Both feeds and the stream are heard."""
    async with asyncio.timeout(20):
        while channel.figures().connections != connections:
            await asyncio.sleep(0.005)


async def test_a_post_is_stored_as_it_is_posted(stream: Stream, api: XApi, desk: FakeDesk) -> None:
    channel = await stream()
    mention, hit = api.say("@DemoExchange where is my withdrawal?"), api.say("they have stolen coins of mine", 78)
    for post_id in (mention, hit, mention):
        api.bring(post_id)
    await desk.until(stored=2)
    first, second = desk.stored
    assert (first.external_id, first.conversation_key, first.envelope["feed"]) == (mention, "4242:77", "stream")
    read = [await channel.read(each.raw, each.envelope) for each in (first, second)]
    assert [each.kind for each in read] == [Kind.MESSAGE, Kind.MESSAGE]
    assert [each.thread["addressed"] for each in read] == ["yes", "no"]
    assert "keyword" in (read[1].note or "")
    assert channel.trouble() is None


async def test_by_stream_and_by_a_look_it_is_one(stream: Stream, api: XApi, desk: FakeDesk, time: Time) -> None:
    channel = await stream()
    post_id = api.say("@DemoExchange hello")
    api.bring(post_id)
    api.stream.send(b"a line that comes after it\r\n")
    async with asyncio.timeout(20):
        while channel.figures().refused != {"unreadable": 1}:
            await asyncio.sleep(0.005)
    await time.run(1000)
    assert (desk.ids(), desk.attempts) == ([post_id], 1)


async def test_each_is_stored_before_the_next_is_read(stream: Stream, api: XApi, desk: FakeDesk) -> None:
    await stream()
    said = [api.say(f"@DemoExchange {number}", 100 + number) for number in range(3)]
    desk.door.clear()
    for post_id in said:
        api.bring(post_id)
    await desk.until(attempts=1)
    await asyncio.sleep(0.05)
    assert desk.attempts == 1
    desk.door.set()
    await desk.until(stored=3)
    assert desk.ids() == said


async def test_rules_are_made_right_at_the_start(stream: Stream, api: XApi) -> None:
    api.rules.add("@DemoExchange -is:retweet", "redress")
    others = api.rules.add("cats", "of another use of the app")
    await stream()
    assert sorted((rule["value"], rule["tag"]) for rule in api.rules.kept.values()) == [
        (WANTED, "redress"),
        ("cats", "of another use of the app"),
    ]
    assert others in api.rules.kept


async def test_a_rule_that_is_right_is_left(stream: Stream, api: XApi, desk: FakeDesk) -> None:
    api.rules.add(WANTED, "by hand")
    await stream()
    assert api.called("change_rules") == []
    api.bring(api.say("@DemoExchange hello"))
    await desk.until(stored=1)


async def test_what_another_rule_has_found_is_not_ours(stream: Stream, api: XApi, desk: FakeDesk) -> None:
    api.rules.add("cats", "of another use of the app")
    channel = await stream()
    api.bring(api.say("cats"))
    ours = api.say("@DemoExchange hello")
    api.bring(ours)
    await desk.until(stored=1)
    assert desk.ids() == [ours]
    assert channel.figures().refused == {"not_asked_for": 1}


async def test_own_posts_and_reposts_are_left_out(stream: Stream, api: XApi, desk: FakeDesk) -> None:
    api.sloppy = True
    channel = await stream()
    copied = [{"type": "retweeted", "id": "1234"}]
    own = api.say("@DemoExchange is us", int(ACCOUNT["id"]))
    theirs = api.say("@DemoExchange hello")
    for post_id in (own, api.say("RT @DemoExchange", 78, referenced_tweets=copied), theirs):
        api.bring(post_id)
    await desk.until(stored=1)
    assert desk.ids() == [theirs]
    assert channel.figures().refused == {"own": 1, "repost": 1}


async def test_what_a_break_cost_a_look_brings_and_looks_are_rarer_meanwhile(
    stream: Stream, api: XApi, desk: FakeDesk, time: Time, rests: Rests
) -> None:
    await stream(poll_seconds=60)
    await time.run(3000)
    looked = len(api.called("search"))
    assert looked <= 2 + 3000 // 900
    api.stream.cut()
    await rests.until(1)
    lost = api.say("@DemoExchange while nobody streamed")
    await desk_has(desk, time, 1)
    assert desk.ids() == [lost]
    await time.run(600)
    assert len(api.called("search")) >= looked + 10
    rests.over.set()
    await api.stream.until(1)
    api.stream.keep_alive()
    api.bring(api.say("@DemoExchange again", 78))
    await desk.until(stored=2)
    looked = len(api.called("search"))
    await time.run(800)
    assert len(api.called("search")) <= looked + 2


async def desk_has(desk: FakeDesk, time: Time, count: int) -> None:
    """Time goes by until a look, due without a stream, has brought so many."""
    for _ in range(20):
        if len(desk.stored) >= count:
            return
        await time.run(5)
    await desk.until(stored=count)


async def test_silence_is_a_break(stream: Stream, api: XApi, rests: Rests) -> None:
    await stream(stream_silence_seconds=0.15)
    await rests.until(1)
    await api.stream.until(0)
    assert 1.0 <= rests.seconds[0] <= 1.25


async def test_signs_of_life_are_no_silence(stream: Stream, api: XApi, rests: Rests) -> None:
    await stream(stream_silence_seconds=0.4)
    for _ in range(8):
        await asyncio.sleep(0.1)
        api.stream.keep_alive()
    assert rests.seconds == []


@pytest.mark.parametrize(
    "fault",
    [Fault(code=500), Fault(code=503), Fault(code=403), Fault(code=401), Fault(code=404), Fault(code=302)],
    ids=str,
)
async def test_breaks_are_farther_and_farther_apart_and_shown(
    stream: Stream, api: XApi, rests: Rests, fault: Fault
) -> None:
    api.fail_next["stream"] = [fault] * 12
    rests.over.set()
    channel = await stream(alive=False)
    await rests.until(12)
    for number, seconds in enumerate(rests.seconds[:12]):
        least = min(2.0**number, 240)
        assert least <= seconds <= min(least * 1.25, 300)
    assert "X: stream down since 2026-11-22 09:16 UTC (" in (channel.trouble() or "")
    assert channel.deaf() is None
    await api.stream.until(1)
    api.stream.keep_alive()
    await up(channel)
    assert channel.trouble() is None
    rests.over.clear()
    api.stream.cut()
    await rests.until(13)
    assert rests.seconds[12] <= 1.25


async def test_a_connection_that_ends_at_once_is_not_up(stream: Stream, api: XApi, rests: Rests) -> None:
    channel = await stream(alive=False)
    for number in range(4):
        await api.stream.until(1)
        api.stream.cut()
        await rests.until(number + 1)
        rests.over.set()
        await api.stream.until(0)
    assert [round(seconds // 2**number) for number, seconds in enumerate(rests.seconds[:4])] == [1, 1, 1, 1]
    assert "(connection ended)" in (channel.trouble() or "")


async def test_a_quota_is_waited_for_until_it_is_new(stream: Stream, api: XApi, rests: Rests) -> None:
    api.fail_next["stream"] = [Fault(code=429, reset_in=120)]
    channel = await stream(alive=False)
    await rests.until(1)
    assert 120 <= rests.seconds[0] <= 122
    assert "the quota of stream is used up" in (channel.trouble() or "")
    assert channel.figures().refused == {"quota_stream": 1}


async def test_x_says_itself_that_it_ends(stream: Stream, api: XApi, rests: Rests) -> None:
    await stream()
    api.stream.line(
        {"errors": [{"title": "operational-disconnect", "disconnect_type": "UpstreamOperationalDisconnect"}]}
    )
    await rests.until(1)
    await api.stream.until(0)


@pytest.mark.parametrize("odd", [b"{", b"[]", b"7", b"\xff\xfe", b'{"data":7,"matching_rules":[{"id":"101"}]}'])
async def test_an_odd_line_does_not_end_it(stream: Stream, api: XApi, desk: FakeDesk, rests: Rests, odd: bytes) -> None:
    channel = await stream()
    api.stream.send(odd + b"\r\n")
    api.bring(api.say("@DemoExchange hello"))
    await desk.until(stored=1)
    assert channel.figures().refused == {"unreadable": 1}
    assert rests.seconds == []


async def test_a_line_in_pieces_is_one_and_one_without_end_is_a_break(
    stream: Stream, api: XApi, desk: FakeDesk, rests: Rests
) -> None:
    await stream()
    api.stream.send(b"\r\n\r")
    api.stream.send(b"\n")
    api.bring(api.say("@DemoExchange " + "我" * 5000))
    await desk.until(stored=1)
    for _ in range(20):
        api.stream.send(b"x" * 65_536)
    await rests.until(1)


async def test_what_cannot_be_stored_a_look_brings(
    stream: Stream, api: XApi, desk: FakeDesk, time: Time, rests: Rests
) -> None:
    await stream(poll_seconds=60)
    desk.fail_next = [NotStored("the disk is full", 1)]
    post_id = api.say("@DemoExchange hello")
    api.bring(post_id)
    await rests.until(1)
    assert desk.ids() == []
    await desk_has(desk, time, 1)
    assert desk.ids() == [post_id]


@pytest.mark.parametrize(("after", "least"), [(None, [1, 2, 4]), (30, [30, 30, 30])])
async def test_on_a_full_disk_it_is_connected_more_and_more_seldom(
    stream: Stream, api: XApi, desk: FakeDesk, rests: Rests, after: float | None, least: list[int]
) -> None:
    channel = await stream(alive=False)
    desk.fail_next = [NotStored("the disk is full", after)] * 3
    rests.over.set()
    for number in range(3):
        await api.stream.until(1)
        api.bring(api.say(f"@DemoExchange {number}"))
        await rests.until(number + 1)
        await api.stream.until(0)
    assert [least <= seconds <= least * 1.25 for least, seconds in zip(least, rests.seconds, strict=True)] == [True] * 3
    assert "(not stored)" in (channel.trouble() or "")


async def test_a_disk_that_takes_no_list_of_posts_is_a_break(
    stream: Stream, api: XApi, desk: FakeDesk, time: Time, rests: Rests, tmp_path: Path
) -> None:
    await stream(poll_seconds=60)
    lock = tmp_path / "twitter" / "seen.lock"
    lock.unlink(missing_ok=True)
    lock.mkdir()
    post_id = api.say("@DemoExchange hello")
    api.bring(post_id)
    await rests.until(1)
    assert desk.attempts == 0
    lock.rmdir()
    await desk_has(desk, time, 1)
    assert desk.ids() == [post_id]


async def test_an_edit_is_no_second_complaint(stream: Stream, api: XApi, desk: FakeDesk) -> None:
    channel = await stream()
    post_id = api.say("@DemoExchange one")
    api.bring(post_id)
    await desk.until(stored=1)
    edited = api.edit(post_id, "@DemoExchange two")
    api.bring(edited)
    await desk.until(stored=2)
    assert desk.ids() == [post_id, edited]
    read = await channel.read(desk.stored[1].raw, desk.stored[1].envelope)
    assert (read.text, read.kind) == ("two", Kind.AUTOMATIC)


async def test_a_picture_is_fetched(stream: Stream, api: XApi, desk: FakeDesk) -> None:
    async with MediaHost().running() as host:
        host.files["media/a.png"] = b"\x89PNG"
        api.media["3_1"] = {"media_key": "3_1", "type": "photo", "url": f"{host.url}/media/a.png"}
        channel = await stream(media_origins=[host.url])
        api.bring(api.say("@DemoExchange look", attachments={"media_keys": ["3_1"]}))
        await desk.until(stored=1)
        [file] = (await channel.read(desk.stored[0].raw, desk.stored[0].envelope)).attachments
    assert (file.filename, file.data) == ("a.png", b"\x89PNG")


async def test_stopping_finishes_what_is_being_stored(stream: Stream, api: XApi, desk: FakeDesk) -> None:
    channel = await stream()
    desk.door.clear()
    post_id = api.say("@DemoExchange hello")
    api.bring(post_id)
    await desk.until(attempts=1)
    stopping = asyncio.create_task(channel.stop())
    await api.stream.until(0)
    assert not stopping.done()
    desk.door.set()
    await stopping
    assert desk.ids() == [post_id]


async def test_rules_that_cannot_be_had_are_asked_for_again(stream: Stream, api: XApi, rests: Rests) -> None:
    api.fail_next["rules"] = [Fault(code=503), Fault(hang=True), Fault(text=b"no JSON")]
    rests.over.set()
    await stream(request_seconds=0.2)
    assert len(rests.seconds) == 3
    assert [rule["value"] for rule in api.rules.kept.values()] == [WANTED]


async def test_another_token_is_refused_and_leaves_the_looks_alone(
    start: Start, api: XApi, desk: FakeDesk, rests: Rests
) -> None:
    api.say("@DemoExchange hello", ago=30)
    rests.over.set()
    channel = await start(bearer_token="another", rest=rests)
    await rests.until(3)
    assert "X: stream down since 2026-11-22 09:16 UTC (credentials refused)" in (channel.trouble() or "")
    assert channel.deaf() is None
    assert len(desk.stored) == 1
