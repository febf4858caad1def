"""Edits and deletions at X: noticed by looking again, recorded once beside the original, and never an invention."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import pytest

from channels.contract import Kind
from channels.faults import NotStored
from channels.monitor.durable import read_json
from tests.fakes.desk import FakeDesk
from tests.monitor.harness import Time
from tests.monitor.network import Fault
from tests.twitter.conftest import Start
from tests.twitter.harness import texts
from tests.twitter.x_api import XApi

HALF_HOUR = 1800.0
HOUR = 3600.0
SLOWLY = {"poll_seconds": 900}


async def test_an_edit_and_a_deletion_are_recorded_once_beside_the_original(
    start: Start, api: XApi, desk: FakeDesk, time: Time
) -> None:
    post_id = api.say("@DemoExchange I lost 10 BTC", ago=30)
    first = await start(**SLOWLY)
    edited = api.edit(post_id, "nobody is named now, I lost 12 BTC")
    await time.run(HOUR)
    assert desk.ids() == [post_id, edited]
    await first.stop()
    api.delete(post_id)
    second = await start(**SLOWLY)
    await time.run(4 * HOUR)
    assert desk.ids() == [post_id, edited, f"{post_id}:deleted"]
    original, version, removal = desk.stored
    assert {message.conversation_key for message in desk.stored} == {"4242:77"}
    assert (await second.read(original.raw, original.envelope)).kind is Kind.MESSAGE
    changed = await second.read(version.raw, version.envelope)
    assert (changed.text, changed.kind) == ("nobody is named now, I lost 12 BTC", Kind.AUTOMATIC)
    assert "this is its version after edit 1" in (changed.note or "")
    gone = await second.read(removal.raw, removal.envelope)
    assert (gone.text, gone.kind, gone.thread) == ("", Kind.AUTOMATIC, {})
    assert f"X no longer has the post {post_id}" in (gone.note or "")


async def test_every_version_between_two_looks_is_kept(start: Start, api: XApi, desk: FakeDesk, time: Time) -> None:
    post_id = api.say("@DemoExchange one", ago=30)
    await start(**SLOWLY)
    versions = [api.edit(post_id, f"version {number}") for number in (1, 2)]
    await time.run(HOUR)
    assert desk.ids() == [post_id, *versions]


async def test_an_edit_that_a_feed_brings_is_no_second_complaint(
    start: Start, api: XApi, desk: FakeDesk, time: Time
) -> None:
    post_id = api.say("@DemoExchange one", ago=30)
    channel = await start()
    edited = api.edit(post_id, "@DemoExchange two")
    await time.run(120)
    assert desk.ids() == [post_id, edited]
    version = desk.stored[1]
    assert version.envelope["feed"] in ("mentions", "search")
    assert (await channel.read(version.raw, version.envelope)).kind is Kind.AUTOMATIC
    await time.run(2 * HOUR)
    assert desk.ids() == [post_id, edited]


async def test_an_edited_post_whose_first_version_was_none_of_ours_is_a_complaint(
    start: Start, api: XApi, desk: FakeDesk
) -> None:
    post_id = api.say("nobody is named", ago=60)
    edited = api.edit(post_id, "@DemoExchange now you are")
    channel = await start()
    assert desk.ids() == [edited]
    [stored] = desk.stored
    assert (await channel.read(stored.raw, stored.envelope)).kind is Kind.MESSAGE


async def test_a_post_that_is_hidden_from_us_is_not_called_deleted(
    start: Start, api: XApi, desk: FakeDesk, time: Time
) -> None:
    post_id = api.say("@DemoExchange 我的提现没有到账", ago=30, lang="zh")
    channel = await start(**SLOWLY)
    api.protected.add(post_id)
    await time.run(4 * HOUR)
    assert desk.ids() == [post_id, f"{post_id}:hidden"]
    hidden = desk.stored[1]
    assert "X 不再向我们显示帖子" in ((await channel.read(hidden.raw, hidden.envelope)).note or "")


@pytest.mark.parametrize(
    "fault",
    [
        Fault(code=429, reset_in=60),
        Fault(code=503),
        Fault(code=403),
        Fault(code=404),
        Fault(truncated=True),
        Fault(text=b'{"data":[]}'),
        Fault(text=b'{"errors":[{"value":"1","parameter":"ids","type":"https://api.twitter.com/2/problems/other"}]}'),
        Fault(text=b'{"errors":[{"type":"about:blank"},7,null]}'),
        Fault(text=b"{}"),
        Fault(text=b"[]"),
    ],
    ids=str,
)
async def test_what_x_cannot_say_is_no_deletion(
    start: Start, api: XApi, desk: FakeDesk, time: Time, fault: Fault
) -> None:
    post_id = api.say("@DemoExchange one", ago=30)
    await start(**SLOWLY)
    api.fail_next["lookups"] = [fault] * 3
    await time.run(2 * HOUR)
    assert desk.ids() == [post_id]
    api.fail_next["lookups"].clear()
    api.delete(post_id)
    await time.run(4 * HOUR)
    assert desk.ids() == [post_id, f"{post_id}:deleted"]


async def test_a_post_is_asked_for_ever_more_rarely_and_then_no_more(start: Start, api: XApi, time: Time) -> None:
    api.say("@DemoExchange one", ago=30)
    await start(**SLOWLY)
    await time.run(60 * HOUR)
    asked = [call.at for call in api.called("lookups")]
    assert 8 <= len(asked) <= 20
    waits = [(later - earlier).total_seconds() for earlier, later in pairwise(asked)]
    assert min(waits) >= HALF_HOUR
    assert max(waits) > 6 * HOUR
    assert (asked[-1] - asked[0]).total_seconds() <= 48 * HOUR


async def test_many_are_asked_for_in_hundreds_and_not_again_after_a_restart(
    start: Start, api: XApi, desk: FakeDesk, time: Time
) -> None:
    posted = [api.say(f"@DemoExchange {number}", ago=3000 - number) for number in range(250)]
    first = await start(**SLOWLY)
    api.delete(posted[7])
    await time.run(HOUR - 60)
    assert [len(call.parameters["ids"].split(",")) for call in api.called("lookups")] == [100, 100, 50]
    assert desk.ids()[250:] == [f"{posted[7]}:deleted"]
    await first.stop()
    await start(**SLOWLY)
    await time.run(60)
    assert len(api.called("lookups")) == 3


async def test_what_could_not_be_stored_is_stored_later(start: Start, api: XApi, desk: FakeDesk, time: Time) -> None:
    post_id = api.say("@DemoExchange one", ago=30)
    await start(**SLOWLY)
    edited = api.edit(post_id, "two")
    desk.fail_next = [NotStored("full", 30)]
    desk.lose_next = [RuntimeError("the connection broke")]
    await time.run(2 * HOUR)
    assert desk.ids() == [post_id, edited]


async def test_it_can_be_switched_off(start: Start, api: XApi, desk: FakeDesk, time: Time) -> None:
    post_id = api.say("@DemoExchange one", ago=30)
    await start(look_again_hours=0, **SLOWLY)
    api.delete(post_id)
    await time.run(4 * HOUR)
    assert (desk.ids(), api.called("lookups")) == ([post_id], [])


async def test_a_damaged_list_is_put_aside_and_shown(
    start: Start, api: XApi, desk: FakeDesk, time: Time, tmp_path: Path
) -> None:
    api.say("@DemoExchange one", ago=30)
    await (await start(**SLOWLY)).stop()
    (tmp_path / "twitter" / "seen.json").write_bytes(b'{"1":{"at":"yesterday"}}')
    later = api.say("@DemoExchange two")
    channel = await start(**SLOWLY)
    await time.run(1000)
    assert texts(desk) == ["@DemoExchange one", "@DemoExchange two"]
    assert later in read_json(tmp_path / "twitter" / "seen.json")
    assert "X: the list of posts to look at again was damaged" in (channel.trouble() or "")
