"""In public one fixed sentence is said, at most once per author and day, and nothing else ever."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from channels.contract import Author
from channels.faults import NeedsPerson, OutcomeUnknown, Rejected, RetryLater
from channels.twitter.channel import XChannel
from tests.fakes.desk import PUBLIC_URL, FakeDesk
from tests.monitor.harness import Time
from tests.monitor.network import Fault
from tests.twitter.conftest import Start
from tests.twitter.harness import SENTENCES, answer, channel
from tests.twitter.x_api import ACCOUNT, XApi

HOUR = 3600.0


@pytest.fixture
async def sender(api: XApi, desk: FakeDesk, time: Time, tmp_path: Path) -> AsyncIterator[XChannel]:
    """A channel that does not listen."""
    built = channel(tmp_path, desk, api.url, time)
    yield built
    api.released.set()
    await built.close()


@pytest.mark.parametrize("language", ["en", "zh"])
async def test_only_the_fixed_sentence_is_posted(sender: XChannel, api: XApi, language: str) -> None:
    post_id = api.say("@DemoExchange my order 8812 is lost, write to anna@example.org")
    receipt = await sender.send(answer(post_id, language=language, case_number="RD-2026-000001"))
    assert api.posted == [{"text": SENTENCES[language], "to": post_id}]
    assert receipt.peer_id in map(str, api.posts)


async def test_another_language_hears_english(sender: XChannel, api: XApi) -> None:
    await sender.send(answer(api.say("@DemoExchange aide"), language="fr"))
    assert api.posted[0]["text"] == SENTENCES["en"]


async def test_one_reply_per_author_and_day(sender: XChannel, api: XApi, time: Time) -> None:
    post_id = api.say("@DemoExchange help")
    first = await sender.send(answer(post_id))
    assert await sender.send(answer(post_id)) == first
    second = await sender.send(answer(post_id, message_id="01hzx4"))
    assert second.peer_id == "not posted: a reply to this author was posted or tried within 24 hours"
    await time.skip(24 * HOUR - 1)
    await sender.send(answer(post_id, message_id="01hzx5"))
    assert len(api.posted) == 1
    await time.skip(2)
    await sender.send(answer(post_id, message_id="01hzx6"))
    assert len(api.posted) == 2


async def test_two_at_the_same_time_are_one(sender: XChannel, api: XApi) -> None:
    post_id = api.say("@DemoExchange help")
    await asyncio.gather(*(sender.send(answer(post_id, message_id=f"m{number}")) for number in range(10)))
    assert len(api.posted) == 1


async def test_two_processes_reply_once(
    sender: XChannel, api: XApi, desk: FakeDesk, time: Time, tmp_path: Path
) -> None:
    other = channel(tmp_path, desk, api.url, time)
    post_id = api.say("@DemoExchange help")
    await asyncio.gather(sender.send(answer(post_id)), other.send(answer(post_id, message_id="other")))
    assert len(api.posted) == 1
    await other.close()


async def test_so_many_an_hour(api: XApi, desk: FakeDesk, time: Time, tmp_path: Path) -> None:
    built = channel(tmp_path, desk, api.url, time, replies_per_hour=3)
    posts = [(api.say("@DemoExchange help", author), author) for author in range(70, 75)]
    for post_id, author in posts[:3]:
        await built.send(answer(post_id, author))
        await time.skip(60)
    with pytest.raises(RetryLater) as wait:
        await built.send(answer(*posts[3]))
    assert wait.value.after_seconds == pytest.approx(HOUR - 180)
    await time.skip(HOUR - 179)
    await built.send(answer(*posts[3]))
    assert len(api.posted) == 4
    await built.close()


async def test_a_crowd_gets_one_each_and_so_many_an_hour(api: XApi, desk: FakeDesk, time: Time, tmp_path: Path) -> None:
    """Bar A22, public replies. What is put off comes again, as the desk's outbox does it."""
    built = channel(tmp_path, desk, api.url, time, replies_per_hour=30)
    waiting = [(api.say("@DemoExchange seed: abandon", who), who) for who in range(1000, 1100) for _ in range(3)]
    posted_at: list[float] = []
    while waiting:
        post_id, who = waiting[0]
        before = len(api.posted)
        try:
            await built.send(answer(post_id, who, message_id=f"m{post_id}"))
        except RetryLater as later:
            await time.skip(later.after_seconds or 0.0)
            continue
        waiting.pop(0)
        posted_at += [time.seconds] * (len(api.posted) - before)
    assert all(sum(0 <= other - at < HOUR for other in posted_at) <= 30 for at in posted_at)
    assert sorted({api.posts[int(reply["to"])]["author_id"] for reply in api.posted}) == sorted(
        map(str, range(1000, 1100))
    )
    assert len(api.posted) == 100
    assert {reply["text"] for reply in api.posted} == {SENTENCES["en"]}
    await built.close()


async def test_a_persons_words_are_never_posted(sender: XChannel, api: XApi) -> None:
    message = answer(
        api.say("@DemoExchange help"), automatic=False, author=Author.AGENT, text="Dear Anna, your KYC ..."
    )
    with pytest.raises(NeedsPerson, match="live chat") as refused:
        await sender.send(message)
    assert f"{PUBLIC_URL}/chat" in refused.value.reason
    assert api.calls == []


async def test_never_to_ourselves(api: XApi, desk: FakeDesk, time: Time, tmp_path: Path) -> None:
    built = channel(tmp_path, desk, api.url, time, own_usernames=["DemoNews"])
    own = api.say("@DemoExchange", author=int(ACCOUNT["id"]))
    with pytest.raises(Rejected):
        await built.send(answer(own, sender=int(ACCOUNT["id"])))
    thread = {"post_id": own, "username": "demonews", "addressed": "yes"}
    with pytest.raises(Rejected):
        await built.send(answer(own, thread=thread))
    assert api.calls == []


async def test_who_did_not_address_us_is_left_alone(sender: XChannel, api: XApi) -> None:
    post_id = api.say("demo exchange is bad")
    receipt = await sender.send(answer(post_id, thread={"post_id": post_id, "username": "u", "addressed": "no"}))
    assert receipt.peer_id == "not posted: the author did not address us"
    assert api.calls == []


async def test_replies_can_be_switched_off(api: XApi, desk: FakeDesk, time: Time, tmp_path: Path) -> None:
    built = channel(tmp_path, desk, api.url, time, replies=False)
    receipt = await built.send(answer(api.say("@DemoExchange help")))
    assert receipt.peer_id == "not posted: replies are switched off"
    assert api.calls == []


async def test_a_conversation_without_a_post_is_refused(sender: XChannel, api: XApi) -> None:
    with pytest.raises(Rejected):
        await sender.send(answer("1", thread={}))
    assert api.calls == []


@pytest.mark.parametrize("reset_in", [None, -60, 300, 86_400])
async def test_asked_to_wait_it_waits_and_then_posts(
    sender: XChannel, api: XApi, time: Time, reset_in: float | None
) -> None:
    post_id = api.say("@DemoExchange help")
    api.fail_next["post"] = [Fault(code=429, reset_in=reset_in)]
    with pytest.raises(RetryLater) as wait:
        await sender.send(answer(post_id))
    assert wait.value.after_seconds is not None
    assert 50 <= wait.value.after_seconds <= 900
    with pytest.raises(RetryLater):
        await sender.send(answer(post_id))
    assert len(api.called("post")) == 1
    await time.skip(wait.value.after_seconds + 0.01)
    await sender.send(answer(post_id))
    assert len(api.posted) == 1


@pytest.mark.parametrize("fault", [Fault(code=500), Fault(code=503), Fault(truncated=True), Fault(text=b"{}")], ids=str)
async def test_what_may_have_been_posted_is_not_posted_again(sender: XChannel, api: XApi, fault: Fault) -> None:
    post_id = api.say("@DemoExchange help")
    api.fail_next["post"] = [fault]
    with pytest.raises(OutcomeUnknown):
        await sender.send(answer(post_id))
    with pytest.raises(OutcomeUnknown):
        await sender.send(answer(post_id))
    assert "24 hours" in (await sender.send(answer(post_id, message_id="next"))).peer_id
    assert len(api.called("post")) == 1


async def test_silence_after_a_post_is_unknown(api: XApi, desk: FakeDesk, time: Time, tmp_path: Path) -> None:
    built = channel(tmp_path, desk, api.url, time, request_seconds=0.2)
    post_id = api.say("@DemoExchange help")
    api.fail_next["post"] = [Fault(hang=True, done=True)]
    with pytest.raises(OutcomeUnknown):
        await built.send(answer(post_id))
    assert len(api.posted) == 1
    await built.close()


async def test_a_post_that_is_gone_is_not_tried_again(sender: XChannel, api: XApi) -> None:
    with pytest.raises(Rejected):
        await sender.send(answer("12345"))
    assert api.posted == []


async def test_refused_credentials_leave_the_reply_to_do(sender: XChannel, api: XApi) -> None:
    post_id = api.say("@DemoExchange help")
    api.revoked = True
    with pytest.raises(RetryLater):
        await sender.send(answer(post_id))
    assert sender.deaf() is not None
    api.revoked = False
    await sender.send(answer(post_id))
    assert sender.deaf() is None
    assert len(api.posted) == 1


async def test_without_a_connection_it_is_tried_again(desk: FakeDesk, time: Time, tmp_path: Path, api: XApi) -> None:
    post_id = api.say("@DemoExchange help")
    built = channel(tmp_path, desk, "http://127.0.0.1:9", time)
    with pytest.raises(RetryLater):
        await built.send(answer(post_id))
    await built.close()
    again = channel(tmp_path, desk, api.url, time)
    await again.send(answer(post_id))
    assert len(api.posted) == 1
    await again.close()


async def test_a_damaged_list_of_replies_stops_them(sender: XChannel, api: XApi, tmp_path: Path) -> None:
    (tmp_path / "twitter").mkdir()
    (tmp_path / "twitter" / "replies.json").write_text("[]")
    with pytest.raises(NeedsPerson, match="damaged"):
        await sender.send(answer(api.say("@DemoExchange help")))
    assert api.calls == []


async def test_our_reply_is_not_a_complaint(start: Start, api: XApi, desk: FakeDesk, time: Time) -> None:
    """X shows a reply to whom we mention; and our account's own posts may come back in a feed."""
    api.sloppy = True
    post_id = api.say("@DemoExchange help", ago=30)
    built = await start(keywords=["private"])
    await built.send(answer(post_id))
    await time.run(200)
    assert desk.ids() == [post_id]
    assert built.figures().refused["own"] == 1
