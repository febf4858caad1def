"""Files in the chat: real uploads over HTTP, on both databases, across broken lines and restarts of the desk."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from bot.alarm import Alarm
from bot.hub import Hub
from bot.repository import file_checks
from bot.store.store import Store
from bot.uploads import EXPIRY_TIMER, PIECE_BYTES, UploadExpiry
from tests.conftest import MovedClock
from tests.webchat.client import Client, greeted
from tests.webchat.desk import not_stored
from tests.webchat.filing import OFFSET_STREAM, FileDesk, Uploader, file_desk, id_of

PICTURE = b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 4000
PATIENCE_SECONDS = 30


@pytest.fixture
async def desk(store: Store, clock: MovedClock, tmp_path: Path) -> AsyncIterator[FileDesk]:
    async with file_desk(store, clock, tmp_path) as made:
        yield made


async def named(client: Client, *paths: str, text: str = "", client_id: str = "message-1") -> dict[str, object]:
    """Sends a message that names these uploads; what the desk says to it."""
    await client.send(type="message", id=client_id, text=text, files=[id_of(path) for path in paths])
    return await client.next_of("stored", "error")


async def test_a_file_comes_in_pieces_and_leaves_with_a_message(desk: FileDesk) -> None:
    user = await desk.uploader()
    created = await user.create("截图 1.png", len(PICTURE))
    path = created.headers["location"]
    assert (created.status_code, created.headers["tus-resumable"], await user.offset(path)) == (201, "1.0.0", 0)
    assert (await user.patch(path, 0, PICTURE[:1000])).headers["upload-offset"] == "1000"
    assert (await user.patch(path, 1000, PICTURE[1000:])).headers["upload-offset"] == str(len(PICTURE))
    async with greeted(desk.chat, user.session) as (client, _):
        stored = await named(client, path, text="看这里")
        assert (stored["type"], stored["seq"]) == ("stored", 1)
        entry = await client.next_of("entry")
    assert entry["files"] == [{"id": id_of(path), "name": "截图 1.png", "size": len(PICTURE)}]
    [message] = desk.chat.desk.inbox
    read = await desk.chat.channel.read(message.raw, message.envelope)
    [attachment] = read.attachments
    assert attachment.kept is not None
    assert (read.text, attachment.filename, attachment.content_type) == ("看这里", "截图 1.png", "image/png")
    assert desk.evidence.get(attachment.kept.sha256) == PICTURE
    assert list(desk.uploads.iterdir()) == []


async def test_a_file_alone_is_a_message(desk: FileDesk) -> None:
    user = await desk.uploader()
    path = await user.upload("a.txt", b"abc")
    async with greeted(desk.chat, user.session) as (client, _):
        await client.send(type="message", id="only-a-file", files=[id_of(path)])
        assert (await client.next_of("stored"))["seq"] == 1


async def test_after_a_restart_of_the_desk_it_goes_on_where_it_was(
    store: Store, clock: MovedClock, tmp_path: Path
) -> None:
    async with file_desk(store, clock, tmp_path) as before:
        user, port = await before.uploader(), before.chat.port
        path = (await user.create("a.png", len(PICTURE))).headers["location"]
        await user.patch(path, 0, PICTURE[:5000])
    with (tmp_path / "uploads" / id_of(path)).open("ab") as file:
        file.write(b"what a crash left beyond the last sure byte")
    async with file_desk(store, clock, tmp_path, desk=before.chat.desk, port=port) as after:
        assert await user.offset(path) == 5000
        assert (await user.patch(path, 5000, PICTURE[5000:])).status_code == 204
        async with greeted(after.chat, user.session) as (client, _):
            assert (await named(client, path))["type"] == "stored"
        digest = hashlib.sha256(PICTURE).hexdigest()
        assert after.evidence.get(digest) == PICTURE


async def test_what_came_before_the_line_broke_is_kept(desk: FileDesk) -> None:
    user, film = await desk.uploader(), PICTURE * 3
    path = (await user.create("a.mp4", len(film))).headers["location"]
    _, writer = await asyncio.open_connection("127.0.0.1", desk.chat.port)
    writer.write(_patch_head(user, path, len(film)) + film[: PIECE_BYTES + 500_000])
    await writer.drain()
    async with asyncio.timeout(PATIENCE_SECONDS):
        while await user.offset(path) < PIECE_BYTES:
            await asyncio.sleep(0.05)
        writer.close()
        answer = await user.patch(path, 0, b"")
        while answer.status_code != 204:  # still busy with what the line left behind, or not where we thought
            offset = await user.offset(path)
            answer = await user.patch(path, offset, film[offset:])
    assert offset >= PIECE_BYTES
    assert (await user.ask("GET", path)).content == film


async def test_two_requests_do_not_write_one_file(desk: FileDesk) -> None:
    user = await desk.uploader()
    path = (await user.create("a.png", len(PICTURE))).headers["location"]
    first_came, go_on = asyncio.Event(), asyncio.Event()

    async def slowly() -> AsyncIterator[bytes]:
        yield PICTURE[:10]
        first_came.set()
        await go_on.wait()
        yield PICTURE[10:]

    slow = asyncio.create_task(user.patch(path, 0, slowly()))
    await first_came.wait()
    async with asyncio.timeout(PATIENCE_SECONDS):
        while not (desk.uploads / path.rpartition("/")[2]).exists():  # it is made and locked in one go
            await asyncio.sleep(0.01)
    busy = await user.patch(path, 0, b"")
    assert (busy.status_code, busy.json()["code"]) == (423, "file_busy")
    go_on.set()
    assert (await slow).status_code == 204
    assert (await user.ask("GET", path)).content == PICTURE


async def test_faults_have_their_codes(desk: FileDesk) -> None:
    user, stranger = await desk.uploader(), await desk.uploader()
    path = (await user.create("a.png", 100)).headers["location"]
    stream = {"Content-Type": OFFSET_STREAM, "Upload-Offset": "0"}
    for expected, code, answer in (
        (409, "wrong_offset", await user.patch(path, 7, b"x")),
        (413, "file_too_large", await user.patch(path, 0, b"x" * 101)),
        (415, "bad_request", await user.ask("PATCH", path, {"Upload-Offset": "0"}, b"x")),
        (400, "bad_request", await user.ask("PATCH", path, {"Content-Type": OFFSET_STREAM}, b"x")),
        (412, "tus_version", await user.ask("PATCH", path, {**stream, "Tus-Resumable": "0.2"}, b"x")),
        (401, "bad_session", await user.ask("PATCH", path, {**stream, "Authorization": "Bearer a.b"}, b"x")),
        (403, "foreign_origin", await user.ask("PATCH", path, {**stream, "Origin": "https://evil.example"}, b"x")),
        (404, "no_such_file", await stranger.patch(path, 0, b"x")),
        (404, "no_such_file", await stranger.ask("GET", path)),
        (404, "no_such_file", await stranger.ask("DELETE", path)),
        (404, "no_such_file", await user.patch("/chat/files/" + "0" * 32, 0, b"x")),
        (409, "file_incomplete", await user.ask("GET", path)),
        (400, "empty_file", await user.create("a", 0)),
        (400, "bad_request", await user.ask("POST", "/chat/files", {"Upload-Length": "-1"})),
        (413, "file_too_large", await user.create("a", 20 * 2**20 + 1)),
        (405, "bad_request", await user.ask("POST", path)),
    ):
        assert (answer.status_code, answer.json()["code"]) == (expected, code)
        assert answer.json()["message"]
    assert (await user.patch("/chat/files/..%2f..%2fsecret", 0, b"x")).status_code == 404
    assert await user.offset(path) == 0
    chinese = await user.ask("PATCH", path, {**stream, "Upload-Offset": "7", "Accept-Language": "zh-CN"}, b"x")
    assert "继续上传" in chinese.json()["message"]


async def test_what_waits_is_bounded(store: Store, clock: MovedClock, tmp_path: Path) -> None:
    limits: dict[str, Any] = {"max_waiting_files": 3, "max_waiting_bytes": 1000}
    async with file_desk(store, clock, tmp_path, **limits) as desk:
        one, two = await desk.uploader(), await desk.uploader()
        assert (await one.create("a", 600)).status_code == 201
        assert (await one.create("b", 401)).json()["code"] == "too_many_files"
        assert (await one.create("b", 400)).status_code == 201
        paths = [(await two.create("d", 1)).headers["location"] for _ in range(3)]
        assert (await two.create("e", 1)).json()["code"] == "too_many_files"
        assert (await two.ask("DELETE", paths[0])).status_code == 204
        assert (await two.create("e", 1)).status_code == 201


async def test_who_begins_too_many_is_slowed_down(store: Store, clock: MovedClock, tmp_path: Path) -> None:
    async with file_desk(store, clock, tmp_path, files_per_minute=2) as desk:
        user = await desk.uploader()
        statuses = [(await user.create("a", 1)).status_code for _ in range(3)]
        assert statuses == [201, 201, 429]


async def test_a_file_is_used_once_and_a_repeated_message_is_harmless(desk: FileDesk) -> None:
    user = await desk.uploader()
    path, half = await user.upload("a.txt", b"abc"), (await user.create("b.txt", 9)).headers["location"]
    async with greeted(desk.chat, user.session) as (client, _):
        first = await named(client, path, client_id="message-1")
        again = await named(client, path, client_id="message-1")
        assert (again["type"], again["seq"]) == ("stored", first["seq"])
        assert (await named(client, path, client_id="message-2"))["code"] == "file_used"
        assert (await named(client, half, client_id="message-3"))["code"] == "file_incomplete"
        assert (await named(client, "0" * 32, client_id="message-4"))["code"] == "no_such_file"
        assert (await named(client, *[path] * 11, client_id="message-5"))["code"] == "too_many_in_message"
        twice = await user.upload("c.txt", b"abc")
        assert (await named(client, twice, twice, client_id="message-6"))["type"] == "stored"
    assert [len(message.envelope["files"]) for message in desk.chat.desk.inbox] == [1, 1]
    assert (await user.ask("DELETE", path)).json()["code"] == "file_used"


async def test_of_a_refused_message_no_file_is_lost(desk: FileDesk) -> None:
    """The desk could not store the message: under the same id it finds its files again."""
    user = await desk.uploader()
    path = await user.upload("a.txt", b"abc")
    desk.chat.desk.fail_next = [not_stored()]
    async with greeted(desk.chat, user.session) as (client, _):
        assert (await named(client, path))["code"] == "not_saved"
        assert (await named(client, path))["type"] == "stored"


async def test_what_nobody_names_is_thrown_away_after_a_day(desk: FileDesk, store: Store, clock: MovedClock) -> None:
    user = await desk.uploader()
    kept, left = await user.upload("kept.txt", b"kept"), await user.upload("left.txt", b"left")
    async with greeted(desk.chat, user.session) as (client, _):
        await named(client, kept)
    alarm = Alarm(store, clock, Hub(), {EXPIRY_TIMER: UploadExpiry(desk.uploads)}, 1)
    clock.move(hours=23)
    assert await alarm.ring_due() == 0
    clock.move(hours=2)
    assert await alarm.ring_due() == 1
    assert (await user.ask("HEAD", left)).status_code == 404
    assert await alarm.ring_due() == 1  # the file, now that its row is surely gone
    assert list(desk.uploads.iterdir()) == []
    assert (await user.ask("GET", kept)).content == b"kept"


HOSTILE = {
    "page.html": b"<html><script>alert(1)</script>",
    "x.svg": b'<svg xmlns="http://www.w3.org/2000/svg" onload="alert(1)"/>',
    "a.gif": b"GIF89a<script>alert(1)</script>",
    "m.docm": b"PK\x03\x04 macros",
    "a.lnk": b"L\x00\x00\x00\x01\x14\x02\x00",
    "a.js": b"alert(1)",
}


@pytest.mark.parametrize("name", HOSTILE)
async def test_a_file_comes_back_as_something_to_save_only(desk: FileDesk, name: str) -> None:
    user = await desk.uploader()
    path = await user.upload(name, HOSTILE[name])
    async with greeted(desk.chat, user.session) as (client, _):
        await named(client, path)
    answer = await user.ask("GET", path)
    assert answer.content == HOSTILE[name]
    _assert_inert(answer)


WITHHELD = {
    "waiting": (409, "file_unscanned", "not been checked for viruses yet"),
    "failed": (409, "file_unscanned", "not been checked for viruses yet"),
    "infected": (403, "file_infected", "A virus was found"),
}


@pytest.mark.parametrize("scan", WITHHELD)
async def test_nothing_comes_back_that_no_scanner_cleared(
    store: Store, clock: MovedClock, tmp_path: Path, scan: str
) -> None:
    async with file_desk(store, clock, tmp_path, scanning=True) as desk:
        user = await desk.uploader()
        path = await user.upload("a.png", PICTURE)
        assert (await user.ask("GET", path)).json()["code"] == "file_unscanned", "before any message names it"
        digest = hashlib.sha256(PICTURE).hexdigest()
        await store.write(lambda c: file_checks.begin(c, [digest], clock()))
        await store.write(lambda c: file_checks.change(c, digest, scan=scan))
        answer = await user.ask("GET", path)
        status, code, sentence = WITHHELD[scan]
        assert (answer.status_code, answer.json()["code"]) == (status, code)
        assert sentence in answer.json()["message"]
        await store.write(lambda c: file_checks.change(c, digest, scan="clean"))
        assert (await user.ask("GET", path)).content == PICTURE


def _assert_inert(answer: httpx.Response) -> None:
    assert answer.headers["content-disposition"].startswith("attachment;")
    assert answer.headers["content-type"] == "application/octet-stream"
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["content-security-policy"] == "sandbox; default-src 'none'"
    assert answer.headers["cache-control"] == "no-store"


async def test_a_browser_of_an_allowed_site_may_do_all_of_it(desk: FileDesk) -> None:
    user = await desk.uploader()
    asked = {"Origin": "https://www.exchange.example", "Access-Control-Request-Method": "PATCH"}
    async with httpx.AsyncClient(base_url=desk.chat.url) as client:
        for path in ("/chat/files", "/chat/files/" + "0" * 32):
            answer = await client.options(path, headers=asked)
            assert answer.status_code == 204
            assert answer.headers["access-control-allow-origin"] == asked["Origin"]
            assert {"PATCH", "HEAD", "DELETE"} <= set(answer.headers["access-control-allow-methods"].split(", "))
            assert "Upload-Offset" in answer.headers["access-control-allow-headers"]
            assert answer.headers["tus-extension"] == "creation,expiration,termination"
            assert answer.headers["tus-max-size"] == str(20 * 2**20)
    created = await user.ask("POST", "/chat/files", {"Origin": asked["Origin"], "Upload-Length": "3"})
    assert "Location" in created.headers["access-control-expose-headers"]


async def test_a_proxy_that_lets_only_post_through(desk: FileDesk) -> None:
    user = await desk.uploader()
    path = (await user.create("a", 3)).headers["location"]
    headers = {"X-HTTP-Method-Override": "PATCH", "Upload-Offset": "0", "Content-Type": OFFSET_STREAM}
    assert (await user.ask("POST", path, headers, b"abc")).status_code == 204
    assert (await user.ask("POST", path, {"X-HTTP-Method-Override": "DELETE"})).status_code == 204


def _patch_head(user: Uploader, path: str, size: int) -> bytes:
    return (
        f"PATCH {path} HTTP/1.1\r\nHost: desk\r\nAuthorization: {user.authorization}\r\nTus-Resumable: 1.0.0\r\n"
        f"Upload-Offset: 0\r\nContent-Type: {OFFSET_STREAM}\r\nContent-Length: {size}\r\n\r\n"
    ).encode()
