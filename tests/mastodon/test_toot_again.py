"""Edits and deletions at Mastodon: noticed by looking again, recorded once beside the original, never an invention."""

from __future__ import annotations

import pytest

from channels.contract import Kind
from tests.mastodon.conftest import Start
from tests.mastodon.mastodon_api import MastodonApi
from tests.monitor.harness import Desk, Time
from tests.monitor.network import Fault

HOUR = 3600.0
SLOWLY = {"poll_seconds": 900}


@pytest.mark.parametrize("gives_lists", [True, False])
async def test_an_edit_and_a_deletion_are_recorded_once_beside_the_original(
    start: Start, api: MastodonApi, desk: Desk, time: Time, gives_lists: bool
) -> None:
    api.gives_lists = gives_lists
    post_id = api.say("@DemoExchange I lost 10 BTC", ago=1800)
    first = await start(**SLOWLY)
    await time.run(1000)
    api.edit(post_id, "I lost 12 BTC")
    await time.run(HOUR)
    await first.stop()
    api.delete(post_id)
    second = await start(**SLOWLY)
    await time.run(3 * HOUR)
    original, version, removal = desk.stored.values()
    assert version.external_id.startswith(f"{post_id}/2026-")
    assert removal.external_id == f"{post_id}:deleted"
    assert len({message.conversation_key for message in desk.stored.values()}) == 1
    assert (await second.read(original.raw, original.envelope)).kind is Kind.MESSAGE
    changed = await second.read(version.raw, version.envelope)
    assert (changed.text, changed.kind) == ("I lost 12 BTC", Kind.AUTOMATIC)
    gone = await second.read(removal.raw, removal.envelope)
    assert (gone.text, gone.kind) == ("", Kind.AUTOMATIC)
    assert f"no longer has the post {post_id}" in (gone.note or "")


async def test_an_edit_that_a_feed_brings_is_no_second_complaint(
    start: Start, api: MastodonApi, desk: Desk, time: Time
) -> None:
    post_id = api.say("my coins #help", ago=60)
    channel = await start(hashtags=["help"])
    await time.run(60)
    api.edit(post_id, "all my coins #help")
    await time.run(120)
    _, version = desk.stored.values()
    assert version.envelope["feed"] == "hashtags"
    assert (await channel.read(version.raw, version.envelope)).kind is Kind.AUTOMATIC
    await time.run(2 * HOUR)
    assert len(desk.stored) == 2


async def test_what_a_list_leaves_out_is_no_deletion(start: Start, api: MastodonApi, desk: Desk, time: Time) -> None:
    post_id = api.say("@DemoExchange one", ago=30)
    api.left_out.add(post_id)
    await start(**SLOWLY)
    await time.run(2 * HOUR)
    assert list(desk.stored) == [post_id]
    assert api.called("lookup")


@pytest.mark.parametrize(
    "fault",
    [
        Fault(code=429, reset_in=60),
        Fault(code=503),
        Fault(code=403),
        Fault(truncated=True),
        Fault(text=b"{}"),
        Fault(text=b"[7, null]"),
    ],
    ids=str,
)
async def test_what_the_server_cannot_say_is_no_deletion(
    start: Start, api: MastodonApi, desk: Desk, time: Time, fault: Fault
) -> None:
    post_id = api.say("@DemoExchange one", ago=30)
    await start(**SLOWLY)
    api.fail_next["lookups"] = [fault] * 2
    api.fail_next["lookup"] = [fault] * 2
    await time.run(2 * HOUR)
    assert list(desk.stored) == [post_id]


async def test_what_stands_before_the_server_cannot_call_a_post_gone(
    start: Start, api: MastodonApi, desk: Desk, time: Time
) -> None:
    """A proxy that knows no such path answers 404, too."""
    post_id = api.say("@DemoExchange one", ago=30)
    api.left_out.add(post_id)
    await start(**SLOWLY)
    api.fail_next["lookup"] = [Fault(code=404, text=b"<h1>Not found</h1>")]
    await time.run(2 * HOUR)
    assert list(desk.stored) == [post_id]


@pytest.mark.parametrize("code", [403, 422])
async def test_a_post_that_is_refused_holds_up_no_other(
    start: Start, api: MastodonApi, desk: Desk, time: Time, code: int
) -> None:
    refused, deleted = api.say("@DemoExchange one", 78, ago=1800), api.say("@DemoExchange two", 79, ago=60)
    await start(**SLOWLY)
    api.left_out.add(refused)
    api.refusing[refused] = code
    api.delete(deleted)
    await time.run(3 * HOUR)
    assert list(desk.stored) == [refused, deleted, f"{deleted}:deleted"]
    assert 2 <= len(api.called("lookup")) <= 10


@pytest.mark.parametrize("fault", [Fault(code=403), Fault(code=422), Fault(code=404, text=b"<h1>Not found</h1>")])
async def test_only_a_server_without_lists_is_asked_for_none_again(
    start: Start, api: MastodonApi, time: Time, fault: Fault
) -> None:
    post_id = api.say("@DemoExchange one", ago=30)
    await start(**SLOWLY)
    api.fail_next["lookups"] = [fault]
    await time.run(5 * HOUR)
    assert api.called("lookup")[0].target.endswith(f"/{post_id}")
    assert (len(api.called("lookups")) == 1) is (fault.code == 404)


async def test_many_are_asked_for_twenty_at_once(start: Start, api: MastodonApi, desk: Desk, time: Time) -> None:
    for number in range(45):
        api.say(f"@DemoExchange {number}", ago=3000 - number)
    await start(**SLOWLY)
    await time.run(HOUR - 60)
    assert [len(call.parameters["id[]"]) for call in api.called("lookups")] == [20, 20, 5]
    assert len(desk.stored) == 45
