"""No statement that a message asks for reads a whole table: what is quick today must be so after a million messages."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from typing import Any

import pytest
from sqlalchemy import Connection, event

from bot.repository import conversations, outbox
from bot.transcript import ChannelTranscript
from tests.fakes.rasa import FakeRasa
from tests.flow.conftest import ANNA, COMPLEX, Road

WHOLE = re.compile(r"SCAN (conversation|inbox|outbox|complaint_case|case_event|note|evidence)\b(?!.* USING)")

type Asked = list[tuple[str, Any]]


@contextmanager
def listening(road: Road) -> Iterator[Asked]:
    """Collects what is asked of the database, one of many together by its first."""
    asked: Asked = []

    def note(_c: object, _cursor: object, statement: str, parameters: Any, _context: object, many: bool) -> None:
        asked.append((statement, parameters[0] if many else parameters))

    engines = (road.store._writing, road.store._reading)
    for engine in engines:
        event.listen(engine, "before_cursor_execute", note)
    yield asked
    for engine in engines:
        event.remove(engine, "before_cursor_execute", note)


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
@pytest.mark.parametrize("immediate", [False, True])
async def test_no_statement_of_the_road_reads_a_whole_table(road: Road, rasa: FakeRasa, immediate: bool) -> None:
    road.channel.capabilities = replace(road.channel.capabilities, immediate=immediate)
    transcript = ChannelTranscript("fake", road.store, road.hub, {"fake": road.channel}, road.links)
    with listening(road) as asked:
        accepted = await road.receive("hello")
        await road.receive("hello again", external_id="message-1")
        await road.receive("and another thing")
        await road.settle()
        rasa.answer = lambda _body: COMPLEX
        await road.say("my money is gone")
        await road.handling.take_over(ANNA, accepted.conversation_id)
        await road.handling.reply(ANNA, accepted.conversation_id, "one moment", nonce="n")
        await road.settle()
        assert await transcript.entries("one", 0)
        for soonest in (conversations.next_free, outbox.next_orphan):
            await road.store.read(partial(soonest, now=road.clock(), until=road.clock()))
    assert {statement.split()[0] for statement, _ in asked} >= {"SELECT", "INSERT", "UPDATE"}
    assert any("AS earlier" in statement and "inbox" in statement for statement, _ in asked)
    assert await road.store.read(lambda connection: _whole(connection, asked)) == []


def _whole(connection: Connection, asked: Asked) -> list[str]:
    found = []
    for statement, parameters in asked:
        if statement.split()[0] in ("SELECT", "UPDATE", "INSERT", "DELETE"):
            plan = [row[3] for row in connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", parameters)]
            found += [f"{step}: {statement}" for step in plan if WHOLE.search(step)]
    return found
