"""What no delivery brought is found by looking; what can no longer be had is named; a feed that is down shows."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from channels.facebook.channel import FacebookChannel
from channels.faults import NotStored
from tests.facebook.graph_api import PAGE, Fault, GraphApi
from tests.monitor.harness import Desk, Time

type Start = Callable[..., Awaitable[FacebookChannel]]
POLL = 300
DAY = 24 * 3600


async def texts(desk: Desk, channel: FacebookChannel) -> list[str]:
    return [(await channel.read(stored.raw, stored.envelope)).text for stored in desk.stored.values()]


async def test_it_asks_who_we_are_and_says_where_it_is_found(api: GraphApi, of: FacebookChannel) -> None:
    assert of.door() == "https://m.me/demo.exchange"
    assert (of.trouble(), of.deaf(), of.figures().connections) == (None, None, 2)


async def test_an_outage_of_three_days_loses_nothing_and_repeats_nothing(
    api: GraphApi, desk: Desk, start: Start, time: Time
) -> None:
    before = await start(served=True)
    api.message("before")
    await api.deliver()
    await before.stop()
    await time.skip(DAY)
    api.post()
    api.message("in the night", person="78")
    api.comment("im Netz 投诉")
    await time.skip(2 * DAY)
    api.message("in the morning", person="78")
    api.pending.append(api.pending[0])
    await time.skip(600)
    after = await start(served=True)
    assert sorted(await texts(desk, after)) == sorted(["before", "in the night", "im Netz 投诉", "in the morning"])
    assert list(desk.stored)[2:] != []
    assert set(await api.deliver(together=10)) == {200}
    assert len(desk.stored) == 4
    assert after.trouble() is None


async def test_a_look_and_a_delivery_store_under_one_id_in_one_conversation(
    api: GraphApi, desk: Desk, start: Start, time: Time
) -> None:
    mid = api.message("a message", ago=600)["message"]["mid"]
    comment = api.comment("a comment", ago=500)["comment_id"]
    channel = await start(served=True)
    assert set(desk.stored) == {f"{PAGE}:{mid}", f"{PAGE}:{comment}:add"}
    assert {stored.conversation_key for stored in desk.stored.values()} == {f"{PAGE}:77", f"{PAGE}:public:77"}
    await api.deliver(together=2)
    assert len(desk.stored) == 2
    threads = [(await channel.read(stored.raw, stored.envelope)).thread for stored in desk.stored.values()]
    assert {"at": desk.stored[f"{PAGE}:{mid}"].envelope["at"]} in threads
    assert {"object_id": comment, "addressed": "yes"} in threads


async def test_files_of_what_was_found_are_fetched(api: GraphApi, desk: Desk, start: Start) -> None:
    api.message("", ago=600)
    api.files["proof.png"] = b"PNG"
    data = {
        "id": "1",
        "mime_type": "image/png",
        "name": "proof.png",
        "image_data": {"url": f"{api.url}/files/proof.png"},
    }
    api.chats["77"][0]["attachments"] = {"data": [data]}
    channel = await start()
    [stored] = desk.stored.values()
    [file] = (await channel.read(stored.raw, stored.envelope)).attachments
    assert (file.filename, file.data, file.content_type) == ("proof.png", b"PNG", "image/png")


async def test_what_is_very_new_is_left_to_the_webhook(
    api: GraphApi, desk: Desk, of: FacebookChannel, time: Time
) -> None:
    await time.run(POLL - 30)
    api.message("just now")
    await time.run(60)
    assert desk.attempts == 0
    await time.run(POLL)
    assert len(desk.stored) == 1


async def test_many_conversations_posts_and_comments_are_read_page_by_page(
    api: GraphApi, desk: Desk, start: Start
) -> None:
    for person in range(60):
        api.message(f"hello {person}", str(1000 + person), ago=3000 - person)
    for number in range(30):
        api.post(ago=9000 - number)
    for number in range(250):
        api.comment(f"comment {number}", str(2000 + number), ago=2000 - number)
    await start()
    assert len(desk.stored) == 310
    assert [len(api.called(name)) for name in ("conversations", "feed", "comments")] == [3, 2, 2]


async def test_what_we_wrote_ourselves_is_not_stored(api: GraphApi, desk: Desk, start: Start) -> None:
    api.message("mine", ago=600)
    ours = {"id": "m_ours", "from": {"id": PAGE, "name": "Demo"}, "message": "ours"}
    api.chats["77"].append({**api.chats["77"][0], **ours})
    api.comment("ours, too", author=PAGE, ago=500)
    channel = await start()
    assert await texts(desk, channel) == ["mine"]


async def test_what_facebook_gives_out_no_more_is_named(api: GraphApi, desk: Desk, start: Start, time: Time) -> None:
    before = await start()
    await before.stop()
    await time.skip(DAY)
    for number in range(25):
        api.message(str(number), ago=3000 - number)
    after = await start()
    assert sorted(await texts(desk, after)) == sorted(map(str, range(5, 25)))
    assert "messages from 2026-11-2" in str(after.trouble())
    assert "are missing" in str(after.trouble())


async def test_a_second_look_stores_nothing_twice(api: GraphApi, desk: Desk, start: Start, time: Time) -> None:
    api.message("once", ago=600)
    await start()
    await time.run(3 * POLL)
    assert (desk.attempts, len(api.called("conversations"))) == (1, 4)


async def test_what_cannot_be_stored_is_looked_for_again(api: GraphApi, desk: Desk, start: Start, time: Time) -> None:
    api.message("on a full disk", ago=600)
    desk.fail_next = [NotStored("full", 5.0), NotStored("full", 5.0)]
    await start()
    await time.run(60)
    assert len(desk.stored) == 1


@pytest.mark.parametrize(
    "fault",
    [
        Fault(truncated=True),
        Fault(status=500),
        Fault(status=400, code=2),
        Fault(status=403, code=4),
        Fault(status=400, code=100),
        Fault(status=200),
    ],
)
async def test_a_look_that_fails_is_taken_again(
    api: GraphApi, desk: Desk, start: Start, time: Time, fault: Fault
) -> None:
    api.message("still there", ago=600)
    api.fail_next["conversations"] = [fault]
    await start()
    await time.run(POLL)
    assert len(desk.stored) == 1


async def test_an_answer_without_a_list_is_not_taken_for_an_empty_one(
    api: GraphApi, desk: Desk, start: Start, time: Time, monkeypatch: pytest.MonkeyPatch
) -> None:
    api.message("still there", ago=600)
    monkeypatch.setattr(GraphApi, "_on_conversations", lambda *_: {"summary": "nothing"})
    channel = await start()
    await time.run(POLL)
    assert "messages down since" in str(channel.trouble())
    monkeypatch.undo()
    await time.run(2 * POLL)
    assert (len(desk.stored), channel.trouble()) == (1, None)


async def test_what_is_in_no_shape_does_not_hide_the_others(api: GraphApi, desk: Desk, start: Start) -> None:
    api.message("readable", ago=600)
    odd: list[Any] = [7, {"id": "m_1"}, {"id": "m_2", "created_time": "soon", "from": {"id": "77"}}]
    api.chats["77"][:0] = odd
    channel = await start()
    assert len(desk.stored) == 1
    assert channel.figures().refused == {"unreadable": 3}


async def test_a_feed_that_is_down_shows_and_comes_back(api: GraphApi, of: FacebookChannel, time: Time) -> None:
    api.fail_next["feed"] = [Fault(status=503)] * 3
    await time.run(POLL + 30)
    assert "comments down since" in str(of.trouble())
    assert (of.deaf(), of.figures().connections) == (None, 1)
    await time.run(2 * POLL)
    assert (of.trouble(), of.figures().connections) == (None, 2)


async def test_a_used_up_quota_is_waited_for_and_counted(api: GraphApi, of: FacebookChannel, time: Time) -> None:
    usage = '{"call_count":100,"estimated_time_to_regain_access":10}'
    api.fail_next["conversations"] = [Fault(code=32, headers={"X-Page-Usage": usage})]
    await time.run(POLL + 1)
    assert "the quota of messages is used up" in str(of.trouble())
    asked = len(api.called("conversations"))
    await time.run(590)
    assert len(api.called("conversations")) == asked
    await time.run(60)
    assert len(api.called("conversations")) == asked + 1
    assert of.figures().refused == {"quota_messages": 1}


@pytest.mark.parametrize("lost", ["token", "page"])
async def test_a_token_that_is_not_the_pages_is_shown(
    api: GraphApi, start: Start, lost: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    if lost == "token":
        api.token = "another token altogether"
    else:
        monkeypatch.setattr(GraphApi, "_on_me", lambda *_: {"id": "31337", "name": "A person"})
    channel = await start()
    assert "refuses our credentials" in str(channel.trouble())
    assert (channel.deaf(), channel.door(), channel.figures().connections) == (None, "", 0)


async def test_a_webhook_that_brings_nothing_is_an_alarm(api: GraphApi, desk: Desk, start: Start, time: Time) -> None:
    channel = await start(served=True)
    await time.run(60)
    api.message("nobody delivers this")
    await time.run(2 * POLL)
    assert len(desk.stored) == 1
    assert "nothing is delivered to the webhook since" in str(channel.trouble())
    assert channel.deaf() is None
    await api.deliver()
    assert (channel.trouble(), len(desk.stored)) == (None, 1)


async def test_when_neither_way_in_works_nobody_can_be_heard(api: GraphApi, start: Start, time: Time) -> None:
    channel = await start()
    await time.run(60)
    api.message("nobody delivers this")
    await time.run(2 * POLL)
    api.token = "another token altogether"
    await time.run(2 * POLL)
    assert "nothing is delivered" in str(channel.deaf())
    assert "refuses our credentials" in str(channel.deaf())


async def test_only_one_process_looks_and_another_takes_over(start: Start, api: GraphApi, time: Time) -> None:
    first = await start()
    asked = len(api.calls)
    second = await start()
    assert len(api.calls) == asked
    assert (first.figures().connections, second.figures().connections) == (2, 0)
    await first.stop()
    await time.run(20)
    assert second.figures().connections == 2
