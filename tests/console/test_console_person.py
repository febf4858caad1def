"""What agents see of a proven person, and asking for proof, through the console's own pages."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import select

from bot.identity import repository as identity
from bot.identity.policy import BY_CODE
from bot.store.tables import Outbox
from channels.contract import Account
from tests.conftest import MovedClock
from tests.console.world import Talk, World, open_case, talk, waiting

BOTH = pytest.mark.parametrize("language", ["en", "zh"])


def words(world: World, key: str, language: str) -> str:
    return world.desk.words.say(f"console.{key}", language)


async def prove(world: World, conversation_id: int, uid: str = "10001") -> None:
    now = world.clock()
    account = Account(
        uid=uid,
        name="Emma Clarke",
        proven_by=BY_CODE,
        email="emma.clarke@example.com",
        until=now + timedelta(minutes=5),
        detail="e***@example.com",
    )
    await world.store.write(lambda connection: identity.bind(connection, conversation_id, account, now))


@BOTH
async def test_an_agent_sees_who_was_proven_and_everything_else_of_that_person(
    world: World, clock: MovedClock, language: str
) -> None:
    by_mail = await talk(world.store, world.clock(), Talk(channel="mail", subject="My first letter"))
    case = await open_case(world.store, by_mail, world.clock())
    here, of_another = await waiting(world), await waiting(world)
    await prove(world, by_mail)
    await prove(world, here)
    await prove(world, of_another, "10002")
    async with world.signed_in("li") as li:
        page = (await li.get(f"/console/c/{here}?lang={language}")).text
        for shown in ("Emma Clarke", "UID 10001", "e***@example.com", case.number, "My first letter"):
            assert shown in page
        assert f'href="/console/c/{by_mail}"' in page
        assert f'href="/console/c/{of_another}"' not in page
        assert "emma.clarke@example.com" not in page
        assert words(world, "note_proven", language) in page
        method = words(world, "proof_method_one_time_code", language)
        assert page.count(method) == 2, "with the person, and in the note"
        assert (BY_CODE in page) == (method == BY_CODE)
        assert words(world, "proof_over", language) not in page
        clock.move(minutes=5)
        assert words(world, "proof_over", language) in (await li.get(f"/console/c/{here}?lang={language}")).text
        assert "10001" not in (await li.get(f"/console/c/{of_another}?lang={language}")).text


@BOTH
async def test_an_agent_who_has_the_conversation_asks_for_proof(world: World, language: str) -> None:
    conversation_id = await talk(world.store, world.clock(), Talk(language=language))
    button = 'id="ask-proof"'
    async with world.signed_in("li") as li:
        assert button not in (await li.get(f"/console/c/{conversation_id}")).text
        assert (await li.post(f"/console/c/{conversation_id}/ask-proof")).status_code == 409
        await li.post(f"/console/c/{conversation_id}/take")
        assert button in (await li.get(f"/console/c/{conversation_id}")).text
        await li.post(f"/console/c/{conversation_id}/ask-proof")
        page = (await li.get(f"/console/c/{conversation_id}?lang={language}")).text
    assert words(world, "note_proof_asked", language) in page
    assert world.desk.words.say("identity.asked_by_agent", language, name="Li Wei") in await texts(world)
    dialogue = await world.store.read(lambda c: identity.dialogue(c, conversation_id))
    assert dialogue is not None
    assert (dialogue.stage, dialogue.asked_by.partition(":")[0]) == ("account", "agent")


@BOTH
async def test_who_is_proven_is_not_asked_again(world: World, language: str) -> None:
    conversation_id = await talk(world.store, world.clock(), Talk(language=language))
    await prove(world, conversation_id)
    async with world.signed_in("li") as li:
        await li.post(f"/console/c/{conversation_id}/take")
        assert 'id="ask-proof"' not in (await li.get(f"/console/c/{conversation_id}?lang={language}")).text


async def texts(world: World) -> list[str]:
    return await world.store.read(lambda c: list(c.execute(select(Outbox.text)).scalars()))
