"""What goes wrong between a file's bytes and its row: full disks, failed commits, requests that end or come late."""

from __future__ import annotations

import asyncio
import errno
import os
import stat
import threading
from collections.abc import AsyncIterator, Callable
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection

from bot.alarm import Alarm, Ring
from bot.files import Files
from bot.hub import Hub
from bot.partial import Partial
from bot.repository.timers import TimerRow
from bot.store.store import Store
from bot.uploads import EXPIRY_TIMER, PIECE_BYTES, ChannelUploads, UploadExpiry
from channels.webchat.settings import WebChatSettings
from tests.conftest import MovedClock
from tests.webchat.client import Client, greeted
from tests.webchat.desk import not_stored
from tests.webchat.filing import FileDesk, Uploader, file_desk, id_of

DATA = bytes(range(256)) * (PIECE_BYTES // 256)
"""One piece: it is made safe while more could follow it."""
LIMITS = WebChatSettings().upload_limits
PATIENCE_SECONDS = 60


@pytest.fixture
async def desk(store: Store, clock: MovedClock, tmp_path: Path) -> AsyncIterator[FileDesk]:
    async with file_desk(store, clock, tmp_path) as made:
        yield made


async def named(client: Client, path: str) -> dict[str, object]:
    """Sends a message that names this upload; what the desk says to it. Repeated, it is the same message."""
    await client.send(type="message", id="message-1", text="", files=[id_of(path)])
    return await client.next_of("stored", "error")


async def test_bytes_whose_commit_failed_are_not_written_twice(
    desk: FileDesk, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    user = await desk.uploader()
    path = (await user.create("a.bin", len(DATA))).headers["location"]
    write, faults = store.write, [not_stored()]

    async def write_after_faults(run: Callable[[Connection], Any]) -> Any:
        if faults:
            raise faults.pop()
        return await write(run)

    monkeypatch.setattr(store, "write", write_after_faults)
    assert (await user.patch(path, 0, DATA)).json()["code"] == "file_not_saved"
    assert await user.offset(path) == 0
    await _sent_again_it_is_whole(desk, user, path)


async def test_a_disk_that_was_full_for_a_moment_shifts_nothing(
    desk: FileDesk, monkeypatch: pytest.MonkeyPatch
) -> None:
    user = await desk.uploader()
    path = (await user.create("a.bin", len(DATA))).headers["location"]
    write, calls = os.write, []

    def short_then_full(descriptor: int, data: memoryview) -> int:
        calls.append(len(data))
        if len(calls) == 2:
            raise OSError(errno.ENOSPC, "No space left on device")
        return write(descriptor, data[:1000] if len(calls) == 1 else data)

    monkeypatch.setattr("bot.partial.os.write", short_then_full)
    assert (await user.patch(path, 0, DATA)).json()["code"] == "no_room"
    assert calls == [len(DATA), len(DATA) - 1000]
    assert await user.offset(path) == 0
    await _sent_again_it_is_whole(desk, user, path)


async def _sent_again_it_is_whole(desk: FileDesk, user: Uploader, path: str) -> None:
    assert (await user.patch(path, 0, DATA)).status_code == 204
    assert (await user.ask("GET", path)).content == DATA
    async with greeted(desk.chat, user.session) as (client, _):
        assert (await named(client, path))["type"] == "stored"
    assert (await user.ask("GET", path)).content == DATA


async def test_a_request_that_ends_while_it_writes_writes_once(
    store: Store, clock: MovedClock, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    uploads = ChannelUploads("webchat", store, tmp_path / "uploads", Files(tmp_path / "evidence"), clock)
    upload = await uploads.begin("key", "a.bin", len(DATA), LIMITS)
    syncing, go_on, fsync = threading.Event(), threading.Event(), os.fsync

    def slowly_the_first_time(descriptor: int) -> None:
        if stat.S_ISREG(os.fstat(descriptor).st_mode) and not syncing.is_set():
            syncing.set()
            assert go_on.wait(PATIENCE_SECONDS)
        fsync(descriptor)

    async def pieces() -> AsyncIterator[bytes]:
        yield DATA

    monkeypatch.setattr("bot.partial.os.fsync", slowly_the_first_time)
    request = asyncio.create_task(uploads.append("key", upload.id, 0, pieces(), LIMITS))
    assert await asyncio.to_thread(syncing.wait, PATIENCE_SECONDS)
    request.cancel()
    ended, _ = await asyncio.wait({request}, timeout=0.5)
    go_on.set()
    with suppress(asyncio.CancelledError):
        await request
    assert not ended  # it let go of the file only after the last byte was written
    assert (await uploads.find("key", upload.id)).received == len(DATA)
    assert (await uploads.path("key", upload.id)).read_bytes() == DATA


def test_a_file_of_another_length_is_not_complete(tmp_path: Path) -> None:
    with Partial(tmp_path / "file", new=True) as file:
        file.put(0, b"abcdef")
        file.put(2, b"xy")
        assert (tmp_path / "file").read_bytes() == b"abxy"
        assert file.description(4)["sha256"]
        for size in (3, 5):
            with pytest.raises(OSError, match="announced"):
                file.description(size)


async def test_a_message_is_refused_whose_file_is_not_what_came(desk: FileDesk) -> None:
    user = await desk.uploader()
    path = await user.upload("a.txt", b"abc")
    (desk.uploads / id_of(path)).write_bytes(b"abX")
    async with greeted(desk.chat, user.session) as (client, _):
        assert (await named(client, path))["code"] == "no_such_file"
        assert (await named(client, path))["code"] == "no_such_file"
    assert desk.chat.desk.inbox == []


async def test_of_a_message_with_a_lost_file_the_others_are_free_again(
    desk: FileDesk, store: Store, clock: MovedClock
) -> None:
    user = await desk.uploader()
    paths = [await user.upload(f"{number}.txt", b"abc%d" % number) for number in range(3)]
    first, lost, last = map(id_of, paths)
    (desk.uploads / lost).unlink()
    async with greeted(desk.chat, user.session) as (client, _):
        await client.send(type="message", id="message-1", text="", files=[first, lost, last])
        assert (await client.next_of("stored", "error"))["code"] == "no_such_file"
        assert (await user.ask("HEAD", paths[1])).status_code == 404
        await client.send(type="message", id="message-2", text="", files=[first, last])
        assert (await client.next_of("stored", "error"))["type"] == "stored"
    clock.move(hours=30)
    await Alarm(store, clock, Hub(), {EXPIRY_TIMER: UploadExpiry(desk.uploads)}, 1).ring_due()
    assert [(await user.ask("GET", path)).content for path in (paths[0], paths[2])] == [b"abc0", b"abc2"]


async def test_files_of_a_lost_message_do_not_wait_for_ever(desk: FileDesk, store: Store, clock: MovedClock) -> None:
    user = await desk.uploader()
    paths = [await user.upload(f"{number}.txt", b"abc%d" % number) for number in range(2)]
    (desk.uploads / id_of(paths[1])).unlink()
    async with greeted(desk.chat, user.session) as (client, _):
        await client.send(type="message", id="message-1", text="", files=list(map(id_of, paths)))
        assert (await client.next_of("stored", "error"))["code"] == "no_such_file"
    assert (await user.ask("GET", paths[0])).content == b"abc0"
    clock.move(hours=25)
    alarm = Alarm(store, clock, Hub(), {EXPIRY_TIMER: UploadExpiry(desk.uploads)}, 1)
    while await alarm.ring_due():
        pass
    assert (await user.ask("HEAD", paths[0])).status_code == 404
    assert list(desk.uploads.iterdir()) == []


async def test_a_late_piece_leaves_a_used_file_alone(desk: FileDesk) -> None:
    user = await desk.uploader()
    path = await user.upload("a.txt", b"abc")
    async with greeted(desk.chat, user.session) as (client, _):
        await named(client, path)
    for offset, piece in ((3, b""), (0, b"abc"), (0, b""), (7, b"x")):
        answer = await user.patch(path, offset, piece)
        assert (answer.status_code, answer.json()["code"]) == (409, "file_used")
    assert list(desk.uploads.iterdir()) == []
    assert (await user.ask("GET", path)).content == b"abc"


async def test_an_empty_file_left_beside_a_used_one_hides_nothing(desk: FileDesk) -> None:
    """A piece that was under way since before the first byte can still leave one."""
    user = await desk.uploader()
    path = await user.upload("a.txt", b"abc")
    desk.chat.desk.fail_next = [not_stored()]
    async with greeted(desk.chat, user.session) as (client, _):
        assert (await named(client, path))["code"] == "not_saved"
        (desk.uploads / id_of(path)).touch()
        assert (await user.ask("GET", path)).content == b"abc"
        assert (await named(client, path))["type"] == "stored"
    assert list(desk.uploads.iterdir()) == []
    assert (await user.ask("GET", path)).content == b"abc"


async def test_a_lost_file_is_not_made_anew(desk: FileDesk) -> None:
    user = await desk.uploader()
    path = (await user.create("a.txt", 9)).headers["location"]
    await user.patch(path, 0, b"abc")
    (desk.uploads / id_of(path)).unlink()
    assert (await user.patch(path, 3, b"def")).status_code == 503
    assert list(desk.uploads.iterdir()) == []


async def test_a_file_outlives_a_failed_commit_of_its_expiry(desk: FileDesk, store: Store, clock: MovedClock) -> None:
    user = await desk.uploader()
    path = await user.upload("a.txt", b"abc")
    expiry = UploadExpiry(desk.uploads)

    def fails_at_its_end(connection: Connection, timer: TimerRow, now: datetime) -> None:
        expiry(connection, timer, now)
        raise RuntimeError("nothing of this is committed")

    clock.move(hours=25)
    await _ring(store, clock, fails_at_its_end)
    assert (await user.ask("GET", path)).content == b"abc"
    clock.move(hours=1)
    await _ring(store, clock, expiry)
    assert (await user.ask("GET", path)).status_code == 404
    assert [file.name for file in desk.uploads.iterdir()] == [id_of(path)]
    await _ring(store, clock, fails_at_its_end)
    clock.move(hours=1)
    await _ring(store, clock, expiry)
    assert list(desk.uploads.iterdir()) == []
    assert await Alarm(store, clock, Hub(), {EXPIRY_TIMER: expiry}, 1).ring_due() == 0


async def test_what_a_crash_left_of_a_dropped_file_is_removed(desk: FileDesk, store: Store, clock: MovedClock) -> None:
    user = await desk.uploader()
    path = await user.upload("a.txt", b"abc")
    assert (await user.ask("DELETE", path)).status_code == 204
    (desk.uploads / id_of(path)).write_bytes(b"abc")
    clock.move(hours=25)
    await _ring(store, clock, UploadExpiry(desk.uploads))
    assert list(desk.uploads.iterdir()) == []


async def _ring(store: Store, clock: MovedClock, ring: Ring) -> None:
    assert await Alarm(store, clock, Hub(), {EXPIRY_TIMER: ring}, 1).ring_due() == 1
