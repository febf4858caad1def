"""One fixed sentence is said, at most once per author and day, to no more people than the author spoke to."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from channels.contract import Author
from channels.faults import NeedsPerson, OutcomeUnknown, Rejected, RetryLater
from channels.mastodon.channel import MastodonChannel
from tests.fakes.desk import PUBLIC_URL
from tests.mastodon.conftest import Start
from tests.mastodon.harness import SENTENCES, answer, channel
from tests.mastodon.mastodon_api import MastodonApi
from tests.monitor.harness import Desk, Time
from tests.monitor.network import Fault

HOUR = 3600.0
NAME = "@user77@far.example"


@pytest.fixture
async def sender(api: MastodonApi, desk: Desk, time: Time, tmp_path: Path) -> AsyncIterator[MastodonChannel]:
    """A channel that does not listen."""
    built = channel(tmp_path, desk, api.url, time)
    yield built
    api.released.set()
    await built.close()


@pytest.mark.parametrize(("language", "said"), [("en", "en"), ("zh", "zh"), ("fr", "en")])
async def test_only_the_fixed_sentence_is_posted(
    sender: MastodonChannel, api: MastodonApi, language: str, said: str
) -> None:
    post_id = api.say("@DemoExchange my order 8812 is lost, write to anna@example.org")
    receipt = await sender.send(answer(post_id, language=language, case_number="RD-2026-000001"))
    assert api.posted == [{"text": f"{NAME} {SENTENCES[said]}", "to": post_id, "visibility": "unlisted"}]
    assert receipt.peer_id in map(str, api.posts)
    assert api.called("post")[0].parameters["language"] == said


@pytest.mark.parametrize(
    ("written", "answered"),
    [("public", "unlisted"), ("unlisted", "unlisted"), ("private", "direct"), ("direct", "direct"), ("", "direct")],
)
async def test_nobody_hears_who_was_not_spoken_to(
    sender: MastodonChannel, api: MastodonApi, written: str, answered: str
) -> None:
    await sender.send(answer(api.say("@DemoExchange help"), thread={"visibility": written}))
    assert [(reply["visibility"], reply["text"]) for reply in api.posted] == [(answered, f"{NAME} {SENTENCES['en']}")]


async def test_one_reply_per_author_and_day(sender: MastodonChannel, api: MastodonApi, time: Time) -> None:
    post_id = api.say("@DemoExchange help")
    first = await sender.send(answer(post_id))
    assert await sender.send(answer(post_id)) == first
    second = await sender.send(answer(post_id, message_id="01hzx4"))
    assert second.peer_id == "not posted: a reply to this author was posted or tried within 24 hours"
    await time.skip(24 * HOUR + 1)
    await sender.send(answer(post_id, message_id="01hzx6"))
    assert len(api.posted) == 2


async def test_two_processes_reply_once(
    sender: MastodonChannel, api: MastodonApi, desk: Desk, time: Time, tmp_path: Path
) -> None:
    other = channel(tmp_path, desk, api.url, time)
    post_id = api.say("@DemoExchange help")
    await asyncio.gather(*(each.send(answer(post_id, message_id=f"{each}")) for each in (sender, other)))
    assert len(api.posted) == 1
    await other.close()


async def test_so_many_an_hour(api: MastodonApi, desk: Desk, time: Time, tmp_path: Path) -> None:
    built = channel(tmp_path, desk, api.url, time, replies_per_hour=3)
    posts = [(api.say("@DemoExchange help", author), author) for author in range(70, 74)]
    for post_id, author in posts[:3]:
        await built.send(answer(post_id, author, message_id=post_id))
    with pytest.raises(RetryLater) as wait:
        await built.send(answer(*posts[3], message_id="last"))
    await time.skip((wait.value.after_seconds or 0) + 1)
    await built.send(answer(*posts[3], message_id="last"))
    assert len(api.posted) == 4
    await built.close()


async def test_a_persons_words_are_never_posted(sender: MastodonChannel, api: MastodonApi) -> None:
    message = answer(api.say("@DemoExchange hi"), automatic=False, author=Author.AGENT, text="Dear Anna, your KYC ...")
    with pytest.raises(NeedsPerson, match="Mastodon is public") as refused:
        await sender.send(message)
    assert f"{PUBLIC_URL}/chat" in refused.value.reason
    assert api.calls == []


@pytest.mark.parametrize(
    "thread",
    [
        {"username": "demonews@far.example"},
        {"post_id": ""},
        {"post_id": "../1"},
        {"username": ""},
        {"username": "a @b"},
        {"username": "a" * 99},
    ],
)
async def test_what_cannot_be_replied_to_is_refused(
    api: MastodonApi, desk: Desk, time: Time, tmp_path: Path, thread: dict[str, str]
) -> None:
    built = channel(tmp_path, desk, api.url, time, own_accounts=["DemoNews@far.example"])
    with pytest.raises(Rejected):
        await built.send(answer(api.say("@DemoExchange hi"), thread=thread))
    assert api.calls == []


async def test_who_did_not_address_us_is_left_alone(sender: MastodonChannel, api: MastodonApi) -> None:
    receipt = await sender.send(answer(api.say("#help"), thread={"addressed": "no"}))
    assert receipt.peer_id == "not posted: the author did not address us"
    assert api.calls == []


async def test_replies_can_be_switched_off(api: MastodonApi, desk: Desk, time: Time, tmp_path: Path) -> None:
    built = channel(tmp_path, desk, api.url, time, replies=False)
    receipt = await built.send(answer(api.say("@DemoExchange help")))
    assert receipt.peer_id == "not posted: replies are switched off"
    assert api.calls == []


@pytest.mark.parametrize(
    "fault",
    [
        Fault(code=429),
        Fault(code=429, reset_in=-60),
        Fault(code=429, reset_in=300),
        Fault(code=429, reset_in=86_400),
        Fault(code=429, after="120"),
    ],
    ids=str,
)
async def test_asked_to_wait_it_waits_and_then_posts(
    sender: MastodonChannel, api: MastodonApi, time: Time, fault: Fault
) -> None:
    post_id = api.say("@DemoExchange help")
    api.fail_next["post"] = [fault]
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


@pytest.mark.parametrize("fault", [Fault(code=500), Fault(truncated=True), Fault(text=b"{}")], ids=str)
async def test_what_may_have_been_posted_is_not_posted_again(
    sender: MastodonChannel, api: MastodonApi, fault: Fault
) -> None:
    post_id = api.say("@DemoExchange help")
    api.fail_next["post"] = [fault]
    for _ in range(2):
        with pytest.raises(OutcomeUnknown):
            await sender.send(answer(post_id))
    assert "24 hours" in (await sender.send(answer(post_id, message_id="next"))).peer_id
    assert len(api.called("post")) == 1


async def test_silence_after_a_post_is_unknown(api: MastodonApi, desk: Desk, time: Time, tmp_path: Path) -> None:
    built = channel(tmp_path, desk, api.url, time, request_seconds=0.2)
    api.fail_next["post"] = [Fault(hang=True, done=True)]
    with pytest.raises(OutcomeUnknown):
        await built.send(answer(api.say("@DemoExchange help")))
    assert len(api.posted) == 1
    await built.close()


async def test_a_post_that_is_gone_is_not_tried_again(sender: MastodonChannel, api: MastodonApi) -> None:
    with pytest.raises(Rejected, match="gone"):
        await sender.send(answer("12345"))
    assert api.posted == []


async def test_refused_credentials_leave_the_reply_to_do(sender: MastodonChannel, api: MastodonApi) -> None:
    post_id = api.say("@DemoExchange help")
    api.revoked = True
    with pytest.raises(RetryLater):
        await sender.send(answer(post_id))
    assert sender.deaf() is not None
    api.revoked = False
    await sender.send(answer(post_id))
    assert sender.deaf() is None
    assert len(api.posted) == 1


async def test_without_a_connection_it_is_tried_again(desk: Desk, time: Time, tmp_path: Path, api: MastodonApi) -> None:
    built = channel(tmp_path, desk, "http://127.0.0.1:9", time)
    with pytest.raises(RetryLater):
        await built.send(answer("1"))
    await built.close()
    again = channel(tmp_path, desk, api.url, time)
    await again.send(answer(api.say("@DemoExchange help")))
    assert len(api.posted) == 1
    await again.close()


async def test_our_reply_is_not_a_complaint(start: Start, api: MastodonApi, desk: Desk, time: Time) -> None:
    post_id = api.say("@DemoExchange help", ago=30)
    built = await start(keywords=["private"])
    await built.send(answer(post_id))
    api.posts[int(max(api.posts))]["visibility"] = "public"
    await time.run(200)
    assert list(desk.stored) == [post_id]
    assert built.figures().refused["own"] == 1
