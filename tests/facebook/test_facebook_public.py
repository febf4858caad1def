"""Below comments one fixed sentence is written, once per author and day, and nothing else."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import pytest

from channels.contract import Author
from channels.facebook.channel import FacebookChannel
from channels.faults import NeedsPerson, OutcomeUnknown, Rejected, RetryLater
from tests.facebook.graph_api import PAGE, Fault, GraphApi
from tests.facebook.harness import SENTENCES, below
from tests.monitor.harness import Time

type Start = Callable[..., Awaitable[FacebookChannel]]


@pytest.fixture
def comment(api: GraphApi) -> str:
    return str(api.comment("Where is my money?", ago=30)["comment_id"])


@pytest.mark.parametrize("language", ["en", "zh"])
async def test_whatever_is_to_be_said_one_sentence_is(
    api: GraphApi, of: FacebookChannel, comment: str, language: str
) -> None:
    receipt = await of.send(below(comment, language=language))
    assert api.replied == [{"to": comment, "text": SENTENCES[language]}]
    assert "8812" not in api.replied[0]["text"]
    assert receipt.peer_id


async def test_once_per_author_and_day_also_after_a_restart(
    api: GraphApi, start: Start, comment: str, time: Time
) -> None:
    of = await start()
    await of.send(below(comment))
    other = str(api.comment("And now?", ago=20)["comment_id"])
    assert "not posted" in (await of.send(below(other, message_id="two"))).peer_id
    await of.stop()
    again = await start()
    assert "not posted" in (await again.send(below(other, message_id="three"))).peer_id
    assert len(api.replied) == 1
    await time.skip(24 * 3600 + 1)
    await again.send(below(other, message_id="four"))
    assert len(api.replied) == 2


async def test_the_words_of_a_person_are_never_public(api: GraphApi, of: FacebookChannel, comment: str) -> None:
    with pytest.raises(NeedsPerson, match=r"/chat.*Messenger"):
        await of.send(below(comment, author=Author.AGENT, author_name="Ann", automatic=False))
    assert api.replied == []


async def test_replies_can_be_switched_off(api: GraphApi, start: Start, comment: str) -> None:
    of = await start(replies=False)
    assert "switched off" in (await of.send(below(comment))).peer_id
    assert api.replied == []


async def test_nobody_replies_to_themselves(api: GraphApi, of: FacebookChannel, comment: str) -> None:
    with pytest.raises(Rejected, match="ours"):
        await of.send(below(comment, PAGE))
    assert api.replied == []


async def test_an_author_whom_facebook_does_not_name_is_not_answered(
    api: GraphApi, of: FacebookChannel, comment: str
) -> None:
    with pytest.raises(Rejected, match="who wrote"):
        await of.send(below(comment, f"unknown-{comment}"))
    assert api.replied == []


async def test_a_comment_that_is_gone_is_not_replied_to(api: GraphApi, of: FacebookChannel) -> None:
    with pytest.raises(Rejected):
        await of.send(below("1_2"))


async def test_a_quota_gives_the_authors_day_back(api: GraphApi, of: FacebookChannel, comment: str, time: Time) -> None:
    api.fail_next["reply"] = [Fault(code=32)]
    with pytest.raises(RetryLater):
        await of.send(below(comment))
    await time.skip(100)
    await of.send(below(comment))
    assert len(api.replied) == 1


async def test_silence_is_an_unknown_outcome_and_nothing_is_written_twice(
    api: GraphApi, start: Start, comment: str
) -> None:
    of = await start(request_seconds=0.3)
    api.fail_next["reply"] = [Fault(hang=True, done=True)]
    for _ in range(2):
        with pytest.raises(OutcomeUnknown):
            await of.send(below(comment))
    assert len(api.replied) == 1
