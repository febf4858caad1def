"""What holds while a code can be typed and after it has run out; a late desk costs nobody a code. Both languages."""

from __future__ import annotations

import pytest
from sqlalchemy import Connection, update

from bot.store.tables import Outbox
from tests.fakes.exchange import EMMA
from tests.fakes.rasa import FakeRasa
from tests.identity.conftest import START, IdentityRoad, Said
from tests.identity.test_proving import BOTH, QUESTION

NEVER_MIND = {"en": "cancel", "zh": "算了"}


@BOTH
async def test_cancel_is_the_bots_again_once_the_code_has_run_out(
    road: IdentityRoad, rasa: FakeRasa, said: Said, language: str
) -> None:
    await road.say(START[language])
    await road.code_for("10001")
    road.clock.move(minutes=10)
    await road.mail()
    road.clock.move(hours=3)
    assert await road.say(NEVER_MIND[language]) == [road.words.say("bot.greeting", language)]
    assert rasa.seen[-1]["text"] == NEVER_MIND[language]


@BOTH
async def test_a_code_that_came_in_time_counts_however_late_the_desk_is(
    road: IdentityRoad, rasa: FakeRasa, said: Said, language: str
) -> None:
    await road.say(QUESTION[language])
    await road.say(START[language])
    code = await road.code_for("10001")
    road.clock.move(minutes=9)
    await road.receive(code)
    road.clock.move(minutes=30)
    await road.mail()
    assert code not in await road.everything_kept()
    before = len(road.channel.sent)
    await road.settle()
    assert road.channel.texts()[before] == said("proven", language, name=EMMA["name"])
    assert rasa.seen[-1]["text"] == QUESTION[language]


@BOTH
async def test_a_code_that_came_too_late_does_not_count_however_early_it_is_read(
    road: IdentityRoad, said: Said, language: str
) -> None:
    await road.say(START[language])
    code = await road.code_for("10001")
    road.clock.move(minutes=10)
    await road.mail()
    assert await road.say(code) == [said("code_over", language)]
    assert code not in await road.everything_kept()


@pytest.mark.parametrize("state", ["failed", "parked", "unknown"])
async def test_a_letter_that_is_stuck_keeps_its_state_and_cannot_be_sent_empty(road: IdentityRoad, state: str) -> None:
    await road.say("verify me")
    await road.code_for("10001")

    def stick(connection: Connection) -> None:
        letter = update(Outbox).where(Outbox.sealed).values(state=state, error="refused")
        connection.execute(letter)

    await road.store.write(stick)
    road.clock.move(minutes=11)
    await road.mail()
    assert (await road.column(Outbox.state))[-1] == state
    assert (await road.column(Outbox.text))[-1] == ""
    assert (await road.column(Outbox.error))[-1] == "refused"
    assert (await road.column(Outbox.settled_at))[-1] == road.clock()
