"""Edits and deletions that X delivers: recorded once beside the original, whoever else tells of them."""

from __future__ import annotations

import pytest

from channels.contract import Kind
from channels.faults import NotStored
from tests.fakes.desk import FakeDesk
from tests.monitor.harness import Time
from tests.twitter.conftest import Deliver
from tests.twitter.x_api import XApi

HOUR = 3600.0


async def test_a_deletion_is_kept_beside_the_post(deliver: Deliver, api: XApi, desk: FakeDesk) -> None:
    channel, x = await deliver()
    post_id = api.say("@DemoExchange I lost 10 BTC")
    assert await x.deliver(post_id) == [200]
    del api.posts[int(post_id)]
    assert await x.deliver_deletion(post_id, times=2) == [200, 200]
    assert desk.ids() == [post_id, f"{post_id}:deleted"]
    original, deletion = desk.stored
    assert deletion.conversation_key == original.conversation_key
    read = await channel.read(deletion.raw, deletion.envelope)
    assert (read.kind, read.text) == (Kind.AUTOMATIC, "")
    assert (read.note or "").startswith(f"X no longer has the post {post_id}: its author deleted it")


@pytest.mark.parametrize("first", ["webhook", "look"])
async def test_a_deletion_that_is_told_and_found_is_one(
    deliver: Deliver, api: XApi, desk: FakeDesk, time: Time, first: str
) -> None:
    channel, x = await deliver()
    post_id = api.say("@DemoExchange I lost 10 BTC")
    assert await x.deliver(post_id) == [200]
    edited = api.edit(post_id, "@DemoExchange I lost 12 BTC")
    assert await x.deliver(edited) == [200]
    api.delete(edited)
    if first == "look":
        await time.run(HOUR)
    assert await x.deliver_deletion(edited) == [200]
    await time.run(4 * HOUR)
    assert desk.ids() == [post_id, edited, f"{post_id}:deleted"]
    removal = desk.stored[-1]
    assert removal.envelope["feed"] == ("webhook" if first == "webhook" else "again")
    assert f"the post {post_id}" in ((await channel.read(removal.raw, removal.envelope)).note or "")


async def test_a_post_that_comes_after_its_deletion_is_a_complaint(deliver: Deliver, api: XApi, desk: FakeDesk) -> None:
    """The delivery of the post failed and is repeated; that of its deletion did not."""
    channel, x = await deliver()
    post_id = api.say("@DemoExchange I lost 10 BTC")
    desk.fail_next = [NotStored("the disk is full")]
    assert await x.deliver(post_id) == [503]
    assert await x.deliver_deletion(post_id) == [200]
    assert await x.deliver(post_id) == [200]
    deletion, original = desk.stored
    assert deletion.conversation_key == original.conversation_key
    assert (await channel.read(original.raw, original.envelope)).kind is Kind.MESSAGE


async def test_an_edit_that_is_delivered_is_no_second_complaint(deliver: Deliver, api: XApi, desk: FakeDesk) -> None:
    channel, x = await deliver()
    post_id = api.say("@DemoExchange one")
    assert await x.deliver(post_id) == [200]
    edited = api.edit(post_id, "@DemoExchange two")
    assert await x.deliver(edited, times=2) == [200, 200]
    assert desk.ids() == [post_id, edited]
    version = desk.stored[-1]
    assert version.envelope["changes"] == post_id
    read = await channel.read(version.raw, version.envelope)
    assert (read.text, read.kind) == ("two", Kind.AUTOMATIC)
    assert "this is its version after edit 1" in (read.note or "")
