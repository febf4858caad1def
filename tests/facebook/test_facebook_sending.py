"""Private answers leave whole, within the time that Facebook allows, and never twice where that can be known."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import pytest

from channels.contract import Author
from channels.facebook.channel import FacebookChannel
from channels.faults import NeedsPerson, OutcomeUnknown, Rejected, RetryLater
from tests.facebook.graph_api import Fault, GraphApi
from tests.facebook.harness import answer
from tests.monitor.harness import Desk, Time

type Start = Callable[..., Awaitable[FacebookChannel]]
LONG = "\n\n".join(f"Paragraph {n}. " + "words " * 200 for n in range(6))
DAY = 24 * 3600


@pytest.fixture(autouse=True)
def somebody_wrote(api: GraphApi) -> None:
    api.message("hello", ago=60)


async def test_plain_text_as_a_response(api: GraphApi, of: FacebookChannel) -> None:
    receipt = await of.send(answer(text="*no* <b>markup</b> 好"))
    [sent] = api.sent
    assert (sent["message"], sent["messaging_type"]) == ({"text": "*no* <b>markup</b> 好"}, "RESPONSE")
    assert (sent["recipient"], "tag" in sent) == ({"id": "77"}, False)
    assert receipt.peer_id.startswith("m_")


async def test_a_long_answer_leaves_in_parts_with_buttons_on_the_last(api: GraphApi, of: FacebookChannel) -> None:
    receipt = await of.send(answer(text=LONG, buttons=[("yes", "Yes"), ("no", "No")]))
    texts = [sent["message"]["text"] for sent in api.sent]
    assert len(texts) == 6
    assert "".join("".join(text.split()) for text in texts) == "".join(LONG.split())
    assert ["quick_replies" in sent["message"] for sent in api.sent] == [False] * 5 + [True]
    assert [reply["title"] for reply in api.sent[-1]["message"]["quick_replies"]] == ["Yes", "No"]
    assert len(receipt.peer_id.split(",")) == 6


async def test_parts_that_were_sent_are_not_sent_again(api: GraphApi, of: FacebookChannel) -> None:
    for _ in range(2):
        api.fail_next["send"] = [Fault(status=500)]
        with pytest.raises(RetryLater):
            await of.send(answer(text=LONG))
    await of.send(answer(text=LONG))
    await of.send(answer(text=LONG))
    assert len(api.sent) == len({sent["message"]["text"] for sent in api.sent}) == 6


async def test_one_person_gets_a_few_answers_at_once_and_then_one_in_two_seconds(
    api: GraphApi, of: FacebookChannel, time: Time
) -> None:
    api.message("hello", person="78", ago=60)
    for number in range(5):
        await of.send(answer(message_id=f"m{number}"))
    with pytest.raises(RetryLater) as early:
        await of.send(answer(message_id="m5"))
    assert early.value.after_seconds == 2
    await of.send(answer(message_id="n0", recipient="78"))
    await time.run(2)
    await of.send(answer(message_id="m5"))
    with pytest.raises(RetryLater):
        await of.send(answer(message_id="m6"))
    assert len(api.sent) == 7


@pytest.mark.parametrize("code", [4, 17, 32, 613, 80006])
async def test_a_used_up_quota_is_waited_for(api: GraphApi, of: FacebookChannel, time: Time, code: int) -> None:
    usage = '{"104":[{"type":"messenger","call_count":100,"estimated_time_to_regain_access":7}]}'
    api.fail_next["send"] = [Fault(code=code, headers={"X-Business-Use-Case-Usage": usage})]
    with pytest.raises(RetryLater) as asked:
        await of.send(answer())
    assert asked.value.after_seconds == 420
    with pytest.raises(RetryLater) as held:
        await of.send(answer(message_id="another"))
    assert held.value.after_seconds == pytest.approx(420)
    assert len(api.called("send")) == 1
    await time.skip(421)
    await of.send(answer())
    assert len(api.sent) == 1


@pytest.mark.parametrize("usage", ["", "{}", "[", '{"estimated_time_to_regain_access":"x"}', "[" * 5000, '{"a":[3]}'])
async def test_a_quota_without_a_time_is_waited_for_a_minute(api: GraphApi, of: FacebookChannel, usage: str) -> None:
    api.fail_next["send"] = [Fault(code=32, headers={"X-Page-Usage": usage})]
    with pytest.raises(RetryLater) as asked:
        await of.send(answer())
    assert asked.value.after_seconds == 60


@pytest.mark.parametrize(
    "fault", [Fault(status=500), Fault(status=503), Fault(status=500, code=2), Fault(code=1200), Fault(status=429)]
)
async def test_what_was_surely_not_taken_is_tried_again(
    api: GraphApi, of: FacebookChannel, time: Time, fault: Fault
) -> None:
    api.fail_next["send"] = [fault]
    with pytest.raises(RetryLater):
        await of.send(answer())
    await time.skip(61)
    await of.send(answer())
    assert len(api.sent) == 1


async def test_a_server_that_is_away_is_tried_again(start: Start) -> None:
    of = await start(looked=False, api_url="http://127.0.0.1:9")
    with pytest.raises(RetryLater):
        await of.send(answer())


@pytest.mark.parametrize(
    "fault", [Fault(hang=True, done=True), Fault(truncated=True, done=True), Fault(status=504, done=True)]
)
async def test_silence_after_sending_is_an_unknown_outcome(api: GraphApi, start: Start, fault: Fault) -> None:
    of = await start(request_seconds=0.3)
    api.fail_next["send"] = [fault]
    with pytest.raises(OutcomeUnknown):
        await of.send(answer())
    assert len(api.sent) == 1


async def test_a_refused_token_is_shown_and_a_person_is_needed(api: GraphApi, of: FacebookChannel) -> None:
    api.token = "another token altogether"
    with pytest.raises(NeedsPerson, match="token"):
        await of.send(answer())
    assert "refuses our credentials" in str(of.trouble())
    assert of.deaf() is None


@pytest.mark.parametrize("code", [10, 200, 230, 368])
async def test_a_missing_permission_is_shown_and_a_person_is_needed(
    api: GraphApi, of: FacebookChannel, code: int
) -> None:
    api.fail_next["send"] = [Fault(status=403, code=code)]
    with pytest.raises(NeedsPerson, match="permit"):
        await of.send(answer())
    assert "pages_messaging" in str(of.trouble())
    await of.send(answer())
    assert of.trouble() is None


async def test_who_blocked_the_page_is_not_tried_again(api: GraphApi, of: FacebookChannel) -> None:
    api.blocked_by.add("77")
    with pytest.raises(Rejected, match="blocked"):
        await of.send(answer())


@pytest.mark.parametrize("recipient", ["99", "", "somebody", "me/messages"])
async def test_nobody_is_not_tried_again(api: GraphApi, of: FacebookChannel, recipient: str) -> None:
    with pytest.raises(Rejected):
        await of.send(answer(recipient=recipient))
    assert api.sent == []


async def test_after_a_day_no_automatic_answer_leaves(api: GraphApi, of: FacebookChannel, time: Time) -> None:
    thread = {"at": time.wall().isoformat()}
    await time.skip(DAY - 120)
    await of.send(answer(thread=thread))
    await time.skip(120)
    with pytest.raises(Rejected, match="24 hours"):
        await of.send(answer(thread=thread, message_id="another"))
    assert len(api.called("send")) == 1


async def test_facebooks_own_clock_decides_in_doubt(api: GraphApi, of: FacebookChannel, time: Time) -> None:
    await time.skip(DAY)
    with pytest.raises(Rejected, match="24 hours"):
        await of.send(answer())


async def test_a_person_has_seven_days_where_facebook_has_granted_them(api: GraphApi, start: Start, time: Time) -> None:
    api.human_agent = True
    of = await start(human_agent=True)
    by_a_person = {"author": Author.AGENT, "automatic": False, "thread": {"at": time.wall().isoformat()}}
    await time.skip(6 * DAY)
    await of.send(answer(**by_a_person))
    assert (api.sent[0]["messaging_type"], api.sent[0]["tag"]) == ("MESSAGE_TAG", "HUMAN_AGENT")
    await time.skip(DAY)
    with pytest.raises(Rejected, match="seven days"):
        await of.send(answer(**by_a_person, message_id="another"))


async def test_without_the_grant_a_person_hears_what_to_set(api: GraphApi, of: FacebookChannel, time: Time) -> None:
    thread = {"at": time.wall().isoformat()}
    await time.skip(DAY)
    with pytest.raises(Rejected, match="human_agent"):
        await of.send(answer(author=Author.AGENT, automatic=False, thread=thread))
    assert api.sent == []


async def test_a_channel_that_is_off_keeps_answers_waiting(start: Start, desk: Desk) -> None:
    of = await start(looked=False, page_id="", page_token="", app_secret="", verify_token="")
    with pytest.raises(RetryLater, match="off"):
        await of.send(answer())
