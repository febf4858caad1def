"""Changes and deletions on Bluesky: noticed by looking again, recorded once beside the original, never an invention."""

from __future__ import annotations

import pytest

from channels.contract import Kind
from tests.bluesky.conftest import Start
from tests.bluesky.pds_api import HANDLE, Pds, did_of
from tests.monitor.harness import Desk, Time
from tests.monitor.network import Fault

HOUR = 3600.0
SLOWLY = {"poll_seconds": 900}


async def test_a_change_and_a_deletion_are_recorded_once_beside_the_original(
    start: Start, pds: Pds, desk: Desk, time: Time
) -> None:
    uri = pds.say(f"@{HANDLE} I lost 10 BTC", ago=1800)
    first = await start(**SLOWLY)
    pds.edit(uri, f"@{HANDLE} I lost 12 BTC")
    await time.run(HOUR)
    await first.stop()
    pds.forget(uri)
    second = await start(**SLOWLY)
    await time.run(3 * HOUR)
    original, version, removal = desk.stored.values()
    assert version.external_id.startswith(f"{uri}:edit:")
    assert removal.external_id == f"{uri}:deleted"
    assert len({message.conversation_key for message in desk.stored.values()}) == 1
    assert (await second.read(original.raw, original.envelope)).kind is Kind.MESSAGE
    changed = await second.read(version.raw, version.envelope)
    assert (changed.text, changed.kind) == ("I lost 12 BTC", Kind.AUTOMATIC)
    shown = f"https://bsky.app/profile/{did_of(77)}/post/{uri.rpartition('/')[2]}"
    assert f"This post was changed; this is its new version. The address of the post: {shown}." in (changed.note or "")
    gone = await second.read(removal.raw, removal.envelope)
    assert (gone.text, gone.kind) == ("", Kind.AUTOMATIC)
    assert f"no longer has the post {uri}" in (gone.note or "")


async def test_a_change_that_a_feed_shows_again_waits_for_the_look(
    start: Start, pds: Pds, desk: Desk, time: Time
) -> None:
    """A feed brings it under the same address, which is known."""
    uri = pds.say(f"@{HANDLE} one", ago=60)
    channel = await start()
    pds.edit(uri, f"@{HANDLE} two")
    await time.run(120)
    await channel.stop()
    await start()
    assert list(desk.stored) == [uri]
    await time.run(HOUR)
    assert len(desk.stored) == 2


async def test_what_a_list_leaves_out_is_no_deletion(start: Start, pds: Pds, desk: Desk, time: Time) -> None:
    uri = pds.say(f"@{HANDLE} one", ago=30)
    pds.left_out.add(uri)
    await start(**SLOWLY)
    await time.run(2 * HOUR)
    assert list(desk.stored) == [uri]
    assert pds.called("record")


@pytest.mark.parametrize("endpoint", ["look", "record"])
@pytest.mark.parametrize(
    "fault",
    [
        Fault(code=429, reset_in=60),
        Fault(code=503),
        Fault(code=400),
        Fault(code=404),
        Fault(truncated=True),
        Fault(text=b"{}"),
        Fault(text=b"[]"),
    ],
    ids=str,
)
async def test_what_the_network_cannot_say_is_no_deletion(
    start: Start, pds: Pds, desk: Desk, time: Time, fault: Fault, endpoint: str
) -> None:
    uri = pds.say(f"@{HANDLE} one", ago=30)
    pds.left_out.add(uri)
    await start(**SLOWLY)
    pds.fail_next[endpoint] = [fault] * 2
    await time.run(2 * HOUR)
    assert list(desk.stored) == [uri]


async def test_whose_account_is_paused_holds_up_nobody(start: Start, pds: Pds, desk: Desk, time: Time) -> None:
    """It may come back: nothing is known of the post, which is asked for in its turn and not again and again."""
    paused, deleted = pds.say(f"@{HANDLE} one", 78, ago=1800), pds.say(f"@{HANDLE} two", 79, ago=60)
    await start(**SLOWLY)
    pds.paused.add(did_of(78))
    pds.forget(deleted)
    await time.run(3 * HOUR)
    assert list(desk.stored) == [paused, deleted, f"{deleted}:deleted"]
    assert 2 <= len(pds.called("record")) <= 10


async def test_many_are_asked_for_together(start: Start, pds: Pds, desk: Desk, time: Time) -> None:
    for number in range(60):
        pds.say(f"@{HANDLE} {number}", ago=3000 - number)
    await start(**SLOWLY)
    await time.run(HOUR - 60)
    assert [len(call.parameters["uris"]) for call in pds.called("look")] == [25, 25, 10]
    assert len(desk.stored) == 60
