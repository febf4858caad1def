"""Machines whose clocks differ: a lease means the same to all of them."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import Connection, event, text, update

from bot import clock
from bot.bootstrap import build
from bot.deliver import Deliverer
from bot.repository import conversations
from bot.repository import outbox as outbox_rows
from bot.settings import Settings
from bot.shared_clock import SharedClock
from bot.store.store import Store
from bot.store.tables import Conversation, Outbox
from tests.flow.conftest import LEASE, Road

AHEAD = timedelta(seconds=20)
CLOSE = timedelta(seconds=1)


def fast() -> datetime:
    """The time of a machine whose clock is ahead by more than a lease."""
    return clock.now() + AHEAD


@pytest.fixture
async def two(database_url: str) -> AsyncIterator[tuple[Store, Store]]:
    stores = Store(database_url), Store(database_url)
    yield stores
    for store in stores:
        store.close()


async def test_every_process_goes_by_the_databases_clock(two: tuple[Store, Store]) -> None:
    right, wrong = SharedClock(two[0]), SharedClock(two[1], fast)
    assert wrong() - right() > AHEAD - CLOSE
    await right.follow()
    await wrong.follow()
    follows = two[0].url.startswith("postgresql")  # with SQLite there is one machine and one clock
    assert (abs(wrong() - right()) < CLOSE) is follows
    assert right.trouble() is None
    assert (wrong.trouble() == "this machine's clock is 20 s ahead of the database's; set it (NTP)") is follows


async def test_a_machines_clock_that_is_set_does_not_move_the_desk(store: Store) -> None:
    own = [clock.now()]
    shared = SharedClock(store, lambda: own[0])
    await shared.follow()
    before = shared()
    own[0] -= timedelta(days=1)
    moved = shared() - before
    assert (timedelta(0) <= moved < CLOSE) is store.url.startswith("postgresql")


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
async def test_what_is_being_sent_is_not_taken_by_a_process_with_a_fast_clock(road: Road) -> None:
    """Its lease would be over by that clock; with the database's it is not. (SQLite is for one machine.)"""
    clocks = SharedClock(road.store), SharedClock(road.store, fast)
    for each in clocks:
        await each.follow()
    accepted = await road.receive("hello")
    await road.turn()
    [row] = await road.store.read(lambda c: outbox_rows.sendable(c, clocks[0](), 10))
    first, second = (
        Deliverer(store=road.store, channels=road.deliverer.channels, clock=each, hub=road.hub, lease=LEASE)
        for each in clocks
    )
    await road.store.write_together(first._claim, row)
    assert await road.store.read(lambda c: list(outbox_rows.sendable(c, clocks[1](), 10))) == []
    await second.send(row)
    assert road.channel.sent == []

    def lease(connection: Connection) -> bool:
        now = clocks[0]()
        token = {accepted.conversation_id: "t"}
        assert conversations.take_leases(connection, token, now, now + LEASE)
        now = clocks[1]()
        return bool(conversations.take_leases(connection, {accepted.conversation_id: "u"}, now, now + LEASE))

    assert await road.store.write(lease) is False


async def test_a_desk_is_built_on_the_shared_clock(database_url: str, tmp_path: Path) -> None:
    settings = Settings(data_dir=tmp_path, database_url=database_url, smtp_port=0, rasa_url="http://x", rasa_secret="s")
    desk = build(settings, fast)
    await desk.shared_clock.follow()
    for part in (desk.turns, desk.deliveries, desk.deliveries._deliverer, desk.alarm, desk.presence):
        assert vars(part).get("_clock", getattr(part, "clock", None)) is desk.shared_clock
    await desk.rasa.close()
    desk.store.close()


async def test_asking_for_the_time_asks_no_database(store: Store) -> None:
    shared = SharedClock(store)
    await shared.follow()
    asked: list[str] = []
    event.listen(store._reading, "before_cursor_execute", lambda *given: asked.append(given[2]))
    for _ in range(100):
        shared()
    assert asked == []


OFFSETS = [None, -86_400, -1, 1, 15, 23 * 3600, 25 * 3600, 86_400 * 365]


@pytest.mark.parametrize("offset", OFFSETS)
async def test_whoever_looks_for_orphans_and_whoever_takes_them_agree(road: Road, offset: int | None) -> None:
    await road.receive("hello")
    await road.turn()
    until = None if offset is None else road.clock() + timedelta(seconds=offset)
    given = {"state": "sending", "token": "dead", "lease_until": until}
    await road.store.write(lambda c: c.execute(update(Outbox).values(**given)))

    def both(connection: Connection) -> tuple[bool, bool]:
        found = bool(outbox_rows.sendable(connection, road.clock(), 10))
        [held] = outbox_rows.lock_many(connection, [1]).values()
        return found, held.orphaned(road.clock())

    found, taken = await road.store.write(both)
    assert found is taken is (offset is None or offset < 0 or offset > 86_400)
    await road.deliver()
    assert len(road.channel.sent) == int(found)


async def test_a_claim_that_changes_nothing_wakes_nobody(road: Road, monkeypatch: pytest.MonkeyPatch) -> None:
    """Else the loop that looks for work would wake itself, thousands of times a second."""
    await road.receive("hello")
    await road.turn()
    await road.store.write_together(road.deliverer._claim, 1)  # somebody else has it in hand
    published: list[str] = []
    monkeypatch.setattr(road.hub, "_wake", published.extend)
    await road.deliverer.send(1)
    assert "outbox" not in published
    road.clock.move(seconds=LEASE.total_seconds() + 1)
    await road.deliverer.send(1)
    assert "outbox" in published
    assert len(road.channel.sent) == 1


async def test_a_beat_finds_its_conversations_by_their_numbers(store: Store) -> None:
    """And not by reading the whole table, in the one thread that writes."""
    plans: list[str] = []

    def explain(connection: Connection) -> None:
        def note(_c: object, _cursor: object, statement: str, parameters: object, *_more: object) -> None:
            asked.append((statement, parameters))

        asked: list[tuple[str, object]] = []
        event.listen(connection, "before_cursor_execute", note)
        conversations.renew_leases(connection, {"t": 1}, clock.now())
        conversations.release_leases(connection, {"t": 1})
        conversations.claimable(connection, clock.now(), 10)
        outbox_rows.renew(connection, [1], clock.now())
        event.remove(connection, "before_cursor_execute", note)
        how = "EXPLAIN QUERY PLAN" if connection.dialect.name == "sqlite" else "EXPLAIN"
        for statement, parameters in asked:
            rows = connection.exec_driver_sql(f"{how} {statement}", parameters)  # type: ignore[arg-type]
            plans.extend(str(row[-1]) for row in rows)

    if store.url.startswith("postgresql"):
        await store.write(many)
    await store.write(explain)
    whole = [plan for plan in plans if "SCAN conversation" in plan or "SCAN outbox" in plan or "Seq Scan" in plan]
    assert [plan for plan in whole if "INDEX" not in plan] == []
    assert len(plans) >= 4


def many(connection: Connection) -> None:
    """So many that PostgreSQL would not rather read them all."""
    columns = "channel, key, recipient, subject, thread, owner, owner_epoch, last_seq, pending, created_at, active_at"
    values = "'fake', n::text, 'r', '', '{}', 'bot', 0, 0, 0, now(), now()"
    connection.execute(text(f"INSERT INTO conversation ({columns}) SELECT {values} FROM generate_series(1, 5000) AS n"))
    connection.execute(text("ANALYZE conversation"))
    assert connection.execute(Conversation.__table__.select().limit(1)).first()
