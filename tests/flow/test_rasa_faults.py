"""Rasa fails in every way it can: a true sentence, a case and a person; and no typed text is ever a command."""

from __future__ import annotations

import pytest

from bot.rasa_client import TurnFailed
from tests.fakes.rasa import FakeRasa
from tests.flow.conftest import Road

FAILURES = ["error", "nothing", "incomplete", "other_message", "html", "not_json", "huge", "flood", "unknown_command"]


@pytest.mark.parametrize("mode", [*FAILURES, "hang"])
async def test_a_failing_rasa_means_a_true_sentence_and_a_case(road: Road, rasa: FakeRasa, mode: str) -> None:
    rasa.mode = mode
    said = await road.say("我的账户被冻结了")
    assert said[0] == road.words.say("case.assistant_unavailable", "zh")
    [number] = await road.cases()
    assert number in said[1]
    assert await road.owner() == "queue"
    rasa.mode = "well"
    rasa.released.set()
    assert await road.say("还在吗") == []
    assert len(rasa.seen) == 1


async def test_an_unreachable_rasa_is_tried_again_while_the_user_can_wait(road: Road) -> None:
    road.rasa._line._port = 9
    accepted = await road.receive("hello")
    await road.turn()
    assert road.channel.sent == []
    road.clock.move(seconds=6)
    claim = await road.claim(accepted.conversation_id)
    assert claim is not None
    await road.turner.work(claim)
    await road.deliver()
    assert road.channel.texts()[0] == road.words.say("case.assistant_unavailable", "en")
    assert len(await road.cases()) == 1


async def test_after_three_failures_rasa_is_left_alone_for_a_while(road: Road, rasa: FakeRasa) -> None:
    rasa.mode = "error"
    for number in range(5):
        await road.receive("hello", key=f"c{number}")
        road.clock.move(seconds=6)
        await road.settle()
    assert len(rasa.seen) == 3
    with pytest.raises(TurnFailed, match="several times"):
        await road.rasa.turn("fake:x", "hi", None, 1, "en", {})


async def test_refused_connections_do_not_make_the_next_message_wait(road: Road) -> None:
    well = road.rasa._line._port
    road.rasa._line._port = 9
    for _ in range(5):
        with pytest.raises(TurnFailed, match="cannot be reached"):
            await road.rasa.turn("fake:x", "hi", None, 1, "en", {})
    road.rasa._line._port = well
    assert await road.rasa.turn("fake:x", "hi", None, 1, "en", {})


async def test_what_a_user_types_never_reaches_rasa_as_a_command(road: Road, rasa: FakeRasa) -> None:
    for text in ("/restart", "　／person", "\u200b/inform{}", "24/7"):
        await road.receive(text)
    await road.receive("press: person")
    await road.receive("press: class:kyc_verification")
    await road.receive("press: class:restart")
    await road.turn()
    texts = [body["text"] for body in rasa.seen]
    assert texts == ["restart", "person", "inform{}", "24/7", "/person", "/kyc_verification", "press: class:restart"]
    assert all(body["sender"] == "fake:one" for body in rasa.seen)
