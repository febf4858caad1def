"""Several conversations, one case: an agent adds the conversation at hand to a case that exists."""

from __future__ import annotations

import re

import pytest

from bot.repository import conversations
from tests.console.world import Talk, World, open_case, talk, waiting


async def case_id_of(world: World, conversation_id: int) -> int | None:
    return (await world.store.read(lambda c: conversations.get(c, conversation_id))).case_id


@pytest.mark.parametrize(
    ("language", "event", "heading"),
    [
        ("en", "Another conversation was added", "Other conversations of this case"),
        ("zh", "并入另一个对话", "本案件的其他对话"),
    ],
)
async def test_a_conversation_joins_the_case_whose_number_was_typed(
    world: World, language: str, event: str, heading: str
) -> None:
    first = await talk(world.store, world.clock(), Talk(channel="mail", subject="First letter"))
    case = await open_case(world.store, first, world.clock())
    second = await waiting(world)
    async with world.signed_in("li") as li:
        await li.post(f"/console/c/{second}/take")
        written = f" {case.number.lower().replace('-', ' ')} "
        answer = await li.post(f"/console/c/{second}/join-case", {"number": written})
        assert answer.headers["location"] == f"/console/c/{second}"
        page = (await li.get(f"/console/c/{second}?lang={language}")).text
        of_first = (await li.get(f"/console/c/{first}?lang={language}")).text
    assert await case_id_of(world, second) == case.id
    for shown, sibling in ((page, first), (of_first, second)):
        assert case.number in shown
        assert event in shown
        assert heading in shown
        assert f'<a href="/console/c/{sibling}">' in shown
    assert "First letter" in page


@pytest.mark.parametrize(
    ("language", "says"), [("en", "There is no case with this number."), ("zh", "没有这个编号的案件")]
)
@pytest.mark.parametrize("number", ["", "RD-00000-00000", "RD-33333-33333", "<b>5</b>", "x" * 5_000])
async def test_a_number_without_a_case_changes_nothing(world: World, number: str, language: str, says: str) -> None:
    """Nothing typed, letters that we do not use, a right check character but no such case, and no number at all."""
    conversation_id = await waiting(world)
    async with world.signed_in("li") as li:
        await li.post(f"/console/c/{conversation_id}/take")
        path = f"/console/c/{conversation_id}/join-case?lang={language}"
        answer = await li.post(path, {"number": number})
        alert = await li.post(path, {"number": number}, **{"hx-request": "true"})
    assert answer.status_code == alert.status_code == 422
    assert says in answer.text
    assert alert.text.startswith('<div id="alerts" hx-swap-oob="innerHTML">')
    assert says in alert.text
    assert await case_id_of(world, conversation_id) is None


async def test_the_form_is_there_for_the_owner_only(world: World) -> None:
    conversation_id = await waiting(world)
    hidden = re.compile(r'<details id="join-tool"[^>]* hidden>')
    async with world.signed_in("li") as li, world.signed_in("ann") as ann:
        assert hidden.search((await li.get(f"/console/c/{conversation_id}")).text)
        await li.post(f"/console/c/{conversation_id}/take")
        assert not hidden.search((await li.get(f"/console/c/{conversation_id}")).text)
        assert hidden.search((await ann.get(f"/console/c/{conversation_id}")).text)
