"""Strangers take no more room than their bytes need, and none from those who send: limits, disk, time, index."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection, insert, text

from bot.alarm import Alarm
from bot.hub import Hub
from bot.repository import uploads
from bot.store.live_tables import Upload
from bot.store.store import Store
from bot.upload_room import RESERVE_BYTES
from bot.uploads import EXPIRY_TIMER, PIECE_BYTES, UploadExpiry
from tests.conftest import MovedClock
from tests.webchat.client import greeted
from tests.webchat.filing import FileDesk, file_desk, id_of

MEGABYTE = 2**20
LARGEST = 20 * MEGABYTE


def alarm(store: Store, clock: MovedClock, desk: FileDesk) -> Alarm:
    return Alarm(store, clock, Hub(), {EXPIRY_TIMER: UploadExpiry(desk.uploads)}, 1)


async def test_what_is_only_announced_takes_room_from_nobody(store: Store, clock: MovedClock, tmp_path: Path) -> None:
    async with file_desk(store, clock, tmp_path) as desk:
        for _ in range(11):
            stranger = await desk.uploader()
            for _ in range(10):
                assert (await stranger.create("a", LARGEST)).status_code == 201
        user = await desk.uploader()
        assert (await user.create("a", LARGEST)).status_code == 201


async def test_what_has_come_does(store: Store, clock: MovedClock, tmp_path: Path) -> None:
    some, room = RESERVE_BYTES, 4 * RESERVE_BYTES
    async with file_desk(store, clock, tmp_path, max_waiting_bytes_in_all=room) as desk:
        one, two = await desk.uploader(), await desk.uploader()
        await one.upload("a", b"x" * some)
        full = await two.create("b", 2 * some + 1)
        assert (full.status_code, full.json()["code"], "retry-after" in full.headers) == (507, "no_room", True)
        paths = [(await each.create("b", some)).headers["location"] for each in (one, two)]
        answer = await two.patch(paths[1], 0, b"x" * some)
        assert answer.json()["code"] == "no_room", "what was announced was not promised"
        assert await two.offset(paths[1]) == 0
        await one.ask("DELETE", paths[0])
        assert (await two.patch(paths[1], 0, b"x" * some)).status_code == 204


async def test_what_does_not_come_on_is_thrown_away(store: Store, clock: MovedClock, tmp_path: Path) -> None:
    async with file_desk(store, clock, tmp_path) as desk:
        user, ringing = await desk.uploader(), alarm(store, clock, desk)
        paths = [(await user.create(name, 3)).headers["location"] for name in ("never", "slow")]
        for number in range(2):
            clock.move(minutes=6)
            assert (await user.patch(paths[1], number, b"x")).status_code == 204
        await ringing.ring_due()
        assert (await user.ask("HEAD", paths[0])).status_code == 404
        assert await user.offset(paths[1]) == 2, "each piece gives it more time"
        clock.move(minutes=9)
        assert (await user.patch(paths[1], 2, b"x")).status_code == 204
        clock.move(hours=23)
        await ringing.ring_due()
        assert (await user.ask("GET", paths[1])).content == b"xxx", "a complete file has a day"
        clock.move(hours=2)
        while await ringing.ring_due():
            pass
        assert (await user.ask("HEAD", paths[1])).status_code == 404
        assert list(desk.uploads.iterdir()) == []


async def test_when_it_will_be_thrown_away_is_told(store: Store, clock: MovedClock, tmp_path: Path) -> None:
    async with file_desk(store, clock, tmp_path) as desk:
        user = await desk.uploader()
        created = await user.create("a", 2)
        path = created.headers["location"]
        answers = [created, *[await user.patch(path, number, b"x") for number in range(2)]]
        told = [answer.headers["upload-expires"] for answer in answers]
        assert told == [*["Sun, 22 Nov 2026 09:10:00 GMT"] * 2, "Mon, 23 Nov 2026 09:00:00 GMT"]


async def test_a_nearly_full_disk_is_left_to_the_rest_of_the_desk(
    store: Store, clock: MovedClock, tmp_path: Path
) -> None:
    async with file_desk(store, clock, tmp_path) as before:
        user, port = await before.uploader(), before.chat.port
        path = (await user.create("a", 3)).headers["location"]
    more_than_any_disk: dict[str, Any] = {"min_free_disk_bytes": 2**60}
    async with file_desk(store, clock, tmp_path, desk=before.chat.desk, port=port, **more_than_any_disk) as after:
        for answer in (await user.create("b", 3), await user.patch(path, 0, b"abc")):
            assert (answer.status_code, answer.json()["code"]) == (507, "no_room")
        assert await user.offset(path) == 0
        assert all(file.stat().st_size == 0 for file in after.uploads.iterdir())


@pytest.mark.parametrize("language", ["en", "zh"])
async def test_one_chat_sends_so_much_a_day(store: Store, clock: MovedClock, tmp_path: Path, language: str) -> None:
    async with file_desk(store, clock, tmp_path, max_bytes_per_day=1000) as desk:
        user, other = await desk.uploader(), await desk.uploader()
        path = await user.upload("a", b"x" * 600)
        async with greeted(desk.chat, user.session) as (client, _):
            await client.send(type="message", id="message-1", text="", files=[id_of(path)])
            await client.next_of("stored")
        headers = {"Upload-Length": "401", "Accept-Language": language}
        refused = await user.ask("POST", "/chat/files", headers)
        assert (refused.status_code, refused.json()["code"]) == (429, "too_much_today")
        assert {"en": "within 24 hours", "zh": "24 小时内"}[language] in refused.json()["message"]
        assert (await other.create("a", 1000)).status_code == 201
        assert (await user.create("b", 400)).status_code == 201
        clock.move(hours=25)
        assert (await user.create("c", 401)).status_code == 201


def add(connection: Connection, at: datetime, number: int, **values: Any) -> None:
    row = {"channel": "fake", "conversation_key": "k", "filename": "f", "created_at": at, "expires_at": at}
    connection.execute(insert(Upload).values(id=str(number), size=9, **row, **values))


IN_ALL = "SELECT count(*), sum(received) FROM upload WHERE used_by IS NULL"
OF_ONE = "SELECT count(*), sum(size) FROM upload WHERE channel = 'fake' AND conversation_key = 'k'"


@pytest.mark.parametrize(
    ("query", "index"),
    [
        (IN_ALL, "ix_upload_waiting"),
        (f"{OF_ONE} AND used_by IS NULL", "ix_upload_waiting"),
        (f"{OF_ONE} AND created_at > '2026-11-22'", "ix_upload_conversation_created_at"),
    ],
)
async def test_the_uploads_of_years_are_not_looked_at(store: Store, clock: MovedClock, query: str, index: str) -> None:
    def plan(connection: Connection) -> str:
        for number in range(500):
            add(connection, clock(), number, received=9, used_by=str(number))
        for number in range(500, 502):
            add(connection, clock(), number, received=9)
        assert uploads.waiting_in_all(connection) == (2, 18)
        if connection.dialect.name == "sqlite":
            return str(connection.execute(text(f"EXPLAIN QUERY PLAN {query}")).all())
        connection.execute(text("SET LOCAL enable_seqscan = off"))  # so few rows would be read whole anyway
        return str(connection.execute(text(f"EXPLAIN {query}")).all())

    assert index in await store.write(plan)


async def test_a_piece_is_refused_whole_or_kept_whole(store: Store, clock: MovedClock, tmp_path: Path) -> None:
    """Room runs out within one request: what was confirmed stays, and the rest may come later."""
    room = PIECE_BYTES + RESERVE_BYTES + PIECE_BYTES // 2
    async with file_desk(store, clock, tmp_path, max_waiting_bytes_in_all=room) as desk:
        one, two = await desk.uploader(), await desk.uploader()
        film = b"x" * (PIECE_BYTES + PIECE_BYTES // 2)
        path = (await one.create("a", len(film))).headers["location"]
        await two.create("b", 1)
        answer = await one.patch(path, 0, film)
        assert answer.json()["code"] == "no_room"
        assert PIECE_BYTES <= await one.offset(path) < len(film)
