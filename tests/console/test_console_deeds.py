"""What agents do, through the pages: take over, reply, note, hand back, resolve, open a case."""

from __future__ import annotations

import asyncio
import re

import pytest
from sqlalchemy import Connection, func, select

from bot.store.tables import Note, Outbox
from tests.console.world import Visitor, World, open_case, owner_of, talk, waiting


async def nonce_of(visitor: Visitor, conversation_id: int) -> str:
    found = re.search(r'id="nonce" value="([^"]+)"', (await visitor.get(f"/console/c/{conversation_id}")).text)
    assert found
    return found.group(1)


async def replies(world: World) -> list[str]:
    return list(
        await world.store.read(lambda c: c.execute(select(Outbox.text).where(Outbox.author == "agent")).scalars().all())
    )


async def test_of_two_who_take_over_at_once_one_is_told_who_was_first(world: World) -> None:
    conversation_id = await waiting(world)
    async with world.signed_in("li") as li, world.signed_in("ann") as ann:
        answers = await asyncio.gather(*(each.post(f"/console/c/{conversation_id}/take") for each in (li, ann)))
        assert sorted(answer.status_code for answer in answers) == [303, 409]
        first, second = ("Li Wei", ann) if answers[0].status_code == 303 else ("Ann Lee", li)
        refused = next(answer for answer in answers if answer.status_code == 409)
        assert f"{first} has already taken this conversation over." in refused.text
        in_chinese = await second.post(f"/console/c/{conversation_id}/take?lang=zh")
        assert f"{first} 已经接手了这个对话。" in in_chinese.text
        page = (await second.get(f"/console/c/{conversation_id}?lang=en")).text
        assert f"With {first}" in page
        assert 'id="take"' not in page
        assert re.search(r'<fieldset data-needs="mine" +disabled', page)


async def test_a_reply_goes_into_the_outbox_once(world: World) -> None:
    conversation_id = await waiting(world)
    async with world.signed_in("li") as li:
        await li.post(f"/console/c/{conversation_id}/take")
        nonce = await nonce_of(li, conversation_id)
        for _ in range(2):
            answer = await li.post(
                f"/console/c/{conversation_id}/reply", {"text": " 您好，我来处理。 ", "nonce": nonce}
            )
            assert answer.headers["location"] == f"/console/c/{conversation_id}"
        assert await replies(world) == ["您好，我来处理。"]
        assert await nonce_of(li, conversation_id) != nonce
        assert "您好，我来处理。" in (await li.get(f"/console/c/{conversation_id}")).text


@pytest.mark.parametrize("deed", ["reply", "hand-back", "resolve", "open-case", "join-case"])
async def test_who_does_not_have_the_conversation_cannot_act(world: World, deed: str) -> None:
    conversation_id = await waiting(world)
    number = (await open_case(world.store, await talk(world.store, world.clock()), world.clock())).number
    fields = {"text": "hello", "nonce": "n", "label": "p2p_dispute", "severity": "high", "number": number}
    async with world.signed_in("li") as li, world.signed_in("ann") as ann:
        assert (await ann.post(f"/console/c/{conversation_id}/{deed}", fields)).status_code == 409
        await li.post(f"/console/c/{conversation_id}/take")
        refused = await ann.post(f"/console/c/{conversation_id}/{deed}", fields)
    assert refused.status_code == 409
    assert "Another agent has this conversation" in refused.text
    assert await replies(world) == []


@pytest.mark.parametrize(("deed", "text"), [("reply", "   "), ("note", "x" * 20_001), ("note", ""), ("note", " ")])
async def test_words_that_cannot_be_sent_are_refused_with_a_sentence(world: World, deed: str, text: str) -> None:
    conversation_id = await waiting(world)
    async with world.signed_in("li") as li:
        await li.post(f"/console/c/{conversation_id}/take")
        answer = await li.post(f"/console/c/{conversation_id}/{deed}", {"text": text, "nonce": "n"})
    assert answer.status_code == 422
    assert "at most 20,000 characters" in answer.text


@pytest.mark.parametrize(
    ("language", "says"), [("en", "a reply has at most 4,000 characters"), ("zh", "回复最多 4,000 字")]
)
async def test_a_reply_longer_than_the_channel_carries_is_refused(world: World, language: str, says: str) -> None:
    conversation_id = await waiting(world)
    async with world.signed_in("li") as li:
        await li.post(f"/console/c/{conversation_id}/take")
        fields = {"text": "x" * 4_001, "nonce": "n"}
        answer = await li.post(f"/console/c/{conversation_id}/reply?lang={language}", fields)
    assert answer.status_code == 422
    assert says in answer.text
    assert await replies(world) == []


@pytest.mark.parametrize("nonce", ["", "x" * 33])
async def test_a_reply_without_a_usable_nonce_is_refused(world: World, nonce: str) -> None:
    conversation_id = await waiting(world)
    async with world.signed_in("li") as li:
        await li.post(f"/console/c/{conversation_id}/take")
        answer = await li.post(f"/console/c/{conversation_id}/reply", {"text": "hello", "nonce": nonce})
    assert answer.status_code == 422
    assert await replies(world) == []


async def test_anybody_may_add_a_note_and_the_user_never_gets_it(world: World) -> None:
    conversation_id = await waiting(world)
    async with world.signed_in("li") as li, world.signed_in("ann") as ann:
        await li.post(f"/console/c/{conversation_id}/take")
        assert (await ann.post(f"/console/c/{conversation_id}/note", {"text": "Seen before."})).status_code == 303
        page = (await li.get(f"/console/c/{conversation_id}")).text
    assert "Seen before." in page
    assert await replies(world) == []


async def test_handing_back_gives_the_word_to_the_bot(world: World) -> None:
    conversation_id = await waiting(world)
    async with world.signed_in("li") as li:
        await li.post(f"/console/c/{conversation_id}/take")
        assert (await owner_of(world, conversation_id)).startswith("agent:")
        await li.post(f"/console/c/{conversation_id}/hand-back")
    assert await owner_of(world, conversation_id) == "bot"


async def test_resolving_moves_it_to_the_resolved_ones(world: World) -> None:
    conversation_id = await waiting(world)
    case = await open_case(world.store, conversation_id, world.clock())
    async with world.signed_in("li") as li:
        await li.post(f"/console/c/{conversation_id}/take")
        await li.post(f"/console/c/{conversation_id}/resolve")
        assert case.number in (await li.get("/console/?view=resolved")).text
        assert case.number not in (await li.get("/console/?view=open")).text


async def test_opening_a_case_gives_it_a_number(world: World) -> None:
    conversation_id = await waiting(world)
    async with world.signed_in("li") as li:
        await li.post(f"/console/c/{conversation_id}/take")
        for label, severity in (("no_such_class", "high"), ("p2p_dispute", "enormous")):
            fields = {"label": label, "severity": severity}
            assert (await li.post(f"/console/c/{conversation_id}/open-case", fields)).status_code == 422
        await li.post(f"/console/c/{conversation_id}/open-case", {"label": "p2p_dispute", "severity": "high"})
        page = (await li.get(f"/console/c/{conversation_id}")).text
    assert re.search(r"RD-\w{5}-\w{5}", page)
    assert "<dd>P2P dispute</dd>" in page


async def test_htmx_gets_the_changed_parts_and_a_new_nonce(world: World) -> None:
    conversation_id = await waiting(world)
    async with world.signed_in("li") as li:
        await li.post(f"/console/c/{conversation_id}/take")
        fields = {"text": "At once.", "nonce": "first"}
        answer = await li.post(f"/console/c/{conversation_id}/reply", fields, **{"hx-request": "true"})
        assert answer.status_code == 200
        assert answer.headers["hx-trigger"] == "desk:done"
        assert "At once." in answer.text
        assert 'id="nonce"' in answer.text
        assert "<html" not in answer.text
        by_itself = await li.get(f"/console/c/{conversation_id}/parts")
        assert 'id="nonce"' not in by_itself.text


async def test_htmx_gets_a_refusal_as_an_alert(world: World) -> None:
    conversation_id = await waiting(world)
    async with world.signed_in("li") as li, world.signed_in("ann") as ann:
        await li.post(f"/console/c/{conversation_id}/take")
        answer = await ann.post(f"/console/c/{conversation_id}/take", None, **{"hx-request": "true"})
    assert answer.status_code == 409
    assert answer.text.startswith('<div id="alerts" hx-swap-oob="innerHTML">')
    assert "Li Wei has already taken" in answer.text


async def test_htmx_is_sent_to_the_log_in_and_back(world: World) -> None:
    async with world.visitor() as stranger:
        answer = await stranger.get("/console/c/1/parts", **{"hx-current-url": f"{world.url}/console/c/1?lang=zh"})
        assert answer.status_code == 401
        assert answer.headers["hx-redirect"] == "/console/login?next=%2Fconsole%2Fc%2F1"


async def test_every_deed_is_written_down(world: World) -> None:
    def kinds(connection: Connection) -> dict[str, int]:
        rows = connection.execute(select(Note.kind, func.count()).where(Note.agent_id.is_not(None)).group_by(Note.kind))
        return {row[0]: row[1] for row in rows}

    conversation_id = await waiting(world)
    async with world.signed_in("li") as li:
        for deed in ("take", "hand-back", "take", "resolve"):
            await li.post(f"/console/c/{conversation_id}/{deed}")
    assert await world.store.read(kinds) == {"taken": 2, "handed_back": 1, "resolved": 1}
