"""Open pages learn of changes: server-sent events over a real connection."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import httpx
import pytest
from sqlalchemy import update

from bot.hub import QUEUE, conversation_topic
from bot.presence import typing_topic
from bot.repository import attention
from bot.store.tables import Agent
from escalation.console import live
from tests.console.world import Visitor, World, ask_for_person, say, talk

PATIENCE = 10.0


class Stream:
    """The events of one connection, by name; the first tells that the stream stands."""

    def __init__(self, response: httpx.Response) -> None:
        self.headers = response.headers
        self._lines = response.aiter_lines()

    async def next(self, patience: float = PATIENCE) -> str | None:
        """The next event; None when the server ended the stream. Raises TimeoutError when there is none."""
        async with asyncio.timeout(patience):
            async for line in self._lines:
                if line.startswith("event: "):
                    return line.removeprefix("event: ")
        return None


@asynccontextmanager
async def listening(visitor: Visitor, path: str) -> AsyncIterator[Stream]:
    async with visitor.client.stream("GET", path) as response:
        assert response.status_code == 200
        stream = Stream(response)
        assert await stream.next() == "changed"
        yield stream


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(live, "HEARTBEAT_SECONDS", 0.1)


async def test_the_queue_page_hears_of_changes(world: World) -> None:
    async with world.signed_in("li") as li, listening(li, "/console/live") as stream:
        assert stream.headers["content-type"].startswith("text/event-stream")
        assert stream.headers["cache-control"] == "no-store"
        world.desk.hub.publish(QUEUE)
        assert await stream.next() == "changed"
        world.desk.hub.publish(QUEUE)
        assert await stream.next() == "changed"


async def test_a_conversation_page_hears_of_its_own_conversation_only(world: World) -> None:
    first, second = await talk(world.store, world.clock()), await talk(world.store, world.clock())
    async with (
        world.signed_in("li") as li,
        listening(li, f"/console/c/{first}/live") as one,
        listening(li, f"/console/c/{second}/live") as two,
    ):
        assert await one.next() == "changed"  # its own presence
        assert await two.next() == "changed"
        world.desk.hub.publish(conversation_topic("webchat", "key-2"))
        assert await two.next() == "changed"
        with pytest.raises(TimeoutError):
            await one.next(patience=0.5)


async def test_a_deed_reaches_the_pages_of_others(world: World) -> None:
    conversation_id = await talk(world.store, world.clock())
    await ask_for_person(world.store, conversation_id, world.clock())
    async with world.signed_in("li") as li, world.signed_in("ann") as ann, listening(ann, "/console/live") as stream:
        await li.post(f"/console/c/{conversation_id}/take")
        assert await stream.next() == "changed"
        assert "With Li Wei" in (await ann.get("/console/parts?view=open")).text


@pytest.mark.usefixtures("quick")
async def test_a_stream_ends_with_its_session(world: World) -> None:
    async with world.signed_in("li") as li, listening(li, "/console/live") as stream:
        await li.post("/console/logout")
        assert await stream.next() == "signed-out"
        assert await stream.next() is None


@pytest.mark.usefixtures("quick")
async def test_a_stream_ends_when_the_agent_is_disabled(world: World) -> None:
    async with world.signed_in("li") as li, listening(li, "/console/live") as stream:
        await world.store.write(lambda c: c.execute(update(Agent).where(Agent.login == "li").values(disabled=True)))
        assert await stream.next() == "signed-out"


def test_a_dead_session_is_noticed_within_five_seconds() -> None:
    assert live.HEARTBEAT_SECONDS < 5


async def test_streams_do_not_hold_the_server_up(world: World) -> None:
    async with world.signed_in("li") as li, listening(li, "/console/live") as stream:
        world.desk.closing.set()
        assert await stream.next() is None


async def test_agents_see_who_else_looks_at_a_conversation(world: World) -> None:
    conversation_id = await talk(world.store, world.clock())
    parts = f"/console/c/{conversation_id}/parts"
    async with (
        world.signed_in("li") as li,
        world.signed_in("ann") as ann,
        listening(li, f"/console/c/{conversation_id}/live") as stream,
    ):
        assert await stream.next() == "changed"  # Li's own coming
        assert "Also looking" not in (await li.get(parts)).text
        async with listening(ann, f"/console/c/{conversation_id}/live"):
            assert await stream.next() == "changed"
            assert "Also looking at this conversation: Ann Lee" in (await li.get(parts)).text
        assert await stream.next() == "changed"
        assert "Also looking" not in (await li.get(parts)).text


async def test_what_an_agent_has_on_the_screen_counts_as_seen_and_never_less(world: World) -> None:
    conversation_id = await talk(world.store, world.clock())
    async with world.signed_in("li") as li:
        assert (await li.post(f"/console/c/{conversation_id}/seen", {"seq": "99"})).status_code == 204
        assert await seen_up_to(world, conversation_id) == 1, "nobody has seen what is not there"
        await say(world.store, conversation_id, "one more", "sent", world.clock())
        for seq, expected in (("2", 2), ("1", 2)):
            await li.post(f"/console/c/{conversation_id}/seen", {"seq": seq})
            assert await seen_up_to(world, conversation_id) == expected
        for wrong in ("", "-1", "1.5", "9" * 12):
            assert (await li.post(f"/console/c/{conversation_id}/seen", {"seq": wrong})).status_code == 422
        assert (await li.post("/console/c/99/seen", {"seq": "1"})).status_code == 404


async def test_the_user_hears_only_the_agent_who_may_speak_typing(world: World) -> None:
    conversation_id = await talk(world.store, world.clock())
    async with (
        world.signed_in("li") as li,
        world.signed_in("ann") as ann,
        world.desk.hub.watch(typing_topic("agent", "webchat", "key-1")) as heard,
    ):
        await ann.post(f"/console/c/{conversation_id}/take")
        assert (await li.post(f"/console/c/{conversation_id}/typing")).status_code == 204
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(anext(heard), 0.2)
        assert (await ann.post(f"/console/c/{conversation_id}/typing")).status_code == 204
        await asyncio.wait_for(anext(heard), PATIENCE)


async def test_an_open_page_hears_the_user_typing(world: World) -> None:
    conversation_id = await talk(world.store, world.clock())
    async with world.signed_in("li") as li, listening(li, f"/console/c/{conversation_id}/live") as stream:
        assert await stream.next() == "changed"  # Li's own coming
        world.desk.hub.publish(typing_topic("user", "webchat", "key-1"))
        assert await stream.next() == "typing"


async def test_an_agent_sees_what_the_user_read_and_whether_they_are_there(world: World) -> None:
    conversation_id = await talk(world.store, world.clock())
    for text in ("first answer", "second answer"):
        await say(world.store, conversation_id, text, "sent", world.clock())
    await world.store.write(lambda c: attention.raise_marks(c, conversation_id, user_seq=2))
    async with world.signed_in("li") as li:
        page = (await li.get(f"/console/c/{conversation_id}")).text
        assert page.count("delivery-read") == 1
        assert page.count("delivery-sent") == 1
        assert "The user is connected" not in page
        async with listening(li, f"/console/c/{conversation_id}/live") as stream:
            with world.desk.presence.inside("webchat", "key-1", attention.USER):
                while "The user is connected" not in (await li.get(f"/console/c/{conversation_id}/parts")).text:
                    assert await stream.next() == "changed"
            while "The user has been away for" not in (await li.get(f"/console/c/{conversation_id}/parts")).text:
                assert await stream.next() == "changed"
        chinese = (await li.get(f"/console/c/{conversation_id}/parts?lang=zh")).text
        assert "用户已离开" in chinese
        assert "已读" in chinese


async def seen_up_to(world: World, conversation_id: int) -> int:
    return (await world.store.read(lambda c: attention.marks(c, conversation_id))).person_seq
