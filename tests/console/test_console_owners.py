"""Who may take a conversation from whom: nobody from a colleague at work, except supervisors and administrators."""

from __future__ import annotations

import re

import pytest

from tests.console.world import World, disable, owner_of, waiting


async def taken_by_li(world: World) -> tuple[int, str]:
    """A conversation that Li Wei has; its id and its owner."""
    conversation_id = await waiting(world)
    async with world.signed_in("li") as li:
        await li.post(f"/console/c/{conversation_id}/take")
    return conversation_id, await owner_of(world, conversation_id)


def button(page: str) -> str | None:
    """The words on the button that takes the conversation over."""
    found = re.search(r'<button id="take(?:-from)?"[^>]*>([^<]+?) *<', page)
    return found.group(1) if found else None


async def test_an_agent_cannot_take_from_a_colleague_at_work(world: World) -> None:
    conversation_id, li_wei = await taken_by_li(world)
    async with world.signed_in("ann") as ann:
        assert button((await ann.get(f"/console/c/{conversation_id}")).text) is None
        assert (await ann.post(f"/console/c/{conversation_id}/take")).status_code == 409
    assert await owner_of(world, conversation_id) == li_wei


@pytest.mark.parametrize(
    ("language", "label", "says"),
    [
        ("en", "Take over from Li Wei", "Li Wei had this conversation and no longer works at the desk."),
        ("zh", "从 Li Wei 处接手", "这个对话原由 Li Wei 负责，该客服已不在服务台工作。"),
    ],
)
async def test_what_somebody_left_behind_is_free_for_anybody(
    world: World, language: str, label: str, says: str
) -> None:
    conversation_id, li_wei = await taken_by_li(world)
    await disable(world.store, "li")
    async with world.signed_in("ann") as ann:
        page = (await ann.get(f"/console/c/{conversation_id}?lang={language}")).text
        assert button(page) == label
        assert 'id="take"' in page
        assert says in page
        assert (await ann.post(f"/console/c/{conversation_id}/take")).status_code == 303
        assert 'id="hand-back"' in (await ann.get(f"/console/c/{conversation_id}")).text
    assert await owner_of(world, conversation_id) not in (li_wei, "queue", "bot")


@pytest.mark.parametrize("login", ["sue", "root"])
@pytest.mark.parametrize(("language", "label"), [("en", "Take over from Li Wei"), ("zh", "从 Li Wei 处接手")])
async def test_a_supervisor_may_take_from_an_agent(world: World, login: str, language: str, label: str) -> None:
    conversation_id, li_wei = await taken_by_li(world)
    async with world.signed_in(login) as supervisor:
        page = (await supervisor.get(f"/console/c/{conversation_id}?lang={language}")).text
        assert button(page) == label
        assert 'id="take"' not in page, "one key must not take a colleague's conversation away"
        assert (await supervisor.post(f"/console/c/{conversation_id}/take")).status_code == 303
    assert await owner_of(world, conversation_id) not in (li_wei, "queue", "bot")
    async with world.signed_in("li") as li:
        assert button((await li.get(f"/console/c/{conversation_id}")).text) is None
        assert (await li.post(f"/console/c/{conversation_id}/resolve")).status_code == 409
