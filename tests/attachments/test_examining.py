"""What files are, by their content: in a process of its own, bounded, and never by unpacking anything."""

from __future__ import annotations

import asyncio
import resource
import zipfile
from collections.abc import Mapping
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from bot.attachments.examining import AGAIN, MOST_ATTEMPTS
from bot.attachments.look import Unexamined, look_into
from bot.attachments.picture import LONGEST_SIDE
from bot.store.store import Store
from tests.attachments.world import (
    LNK,
    Desk,
    bomb,
    encrypted_zip,
    macro_docx,
    overlapping,
    picture,
    zipped,
)
from tests.conftest import MovedClock


@pytest.fixture
def desk(store: Store, clock: MovedClock, tmp_path: Path) -> Desk:
    return Desk(store, clock, tmp_path)


async def looked(folder: Path, data: bytes) -> tuple[Mapping[str, Any], bytes]:
    path = folder / "file"
    path.write_bytes(data)
    return await look_into(path)


OFFICE = "application/vnd.openxmlformats-officedocument.wordprocessingml"
KINDS: dict[str, tuple[bytes, str, list[str]]] = {
    "html": (b"<!DOCTYPE html><html><script>alert(1)</script>", "text/html", ["active"]),
    "svg": (b'<?xml version="1.0"?><svg xmlns="x" onload="x"/>', "image/svg+xml", ["active"]),
    "xhtml": (b'<?xml version="1.0"?><html xmlns="http://www.w3.org/1999/xhtml">', "text/html", ["active"]),
    "js": (b"alert(document.cookie)", "text/plain", []),
    "utf-16": ("证据 evidence".encode("utf-16"), "text/plain", []),
    "gb18030": ("提现没有到账，请尽快处理。".encode("gb18030"), "text/plain", []),
    "pdf": (b"%PDF-1.7\n1 0 obj <</JS (x)>>", "application/pdf", []),
    "gif with script": (b"GIF89a<script>alert(1)</script>", "image/gif", []),
    "exe": (b"MZ" + b"\0" * 200, "application/vnd.microsoft.portable-executable", ["program"]),
    "elf": (b"\x7fELF" + b"\0" * 200, "application/x-executable", ["program"]),
    "shell script": (b"#!/bin/sh\nrm -rf /\n", "text/x-script", ["program"]),
    "shortcut": (LNK, "application/x-ms-shortcut", ["shortcut"]),
    "macro docx": (macro_docx(), OFFICE, ["macros"]),
    "old office with macros": (
        b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 600 + "_VBA_PROJECT".encode("utf-16-le"),
        "application/x-ole-storage",
        ["macros"],
    ),
    "7z": (b"7z\xbc\xaf\x27\x1c" + b"\0" * 30, "application/x-7z-compressed", []),
    "rar": (b"Rar!\x1a\x07\x01\x00" + b"\0" * 30, "application/vnd.rar", []),
    "zip bomb": (bomb(), "application/zip", ["bomb"]),
    "overlap zip": (overlapping(), "application/zip", ["bomb"]),
    "encrypted zip": (encrypted_zip(), "application/zip", ["encrypted"]),
    "climbing zip": (zipped({"../../etc/cron.d/x": b"x"}), "application/zip", ["paths"]),
    "zip with a program": (zipped({"proof.pdf.exe": b"MZ"}), "application/zip", ["holds_program"]),
    "broken zip": (b"PK\x03\x04" + b"\xff" * 100, "application/zip", ["unlisted"]),
    "empty": (b"", "application/octet-stream", []),
}


@pytest.mark.parametrize("kind", KINDS)
async def test_a_file_is_what_its_content_says(tmp_path: Path, kind: str) -> None:
    data, content_type, marks = KINDS[kind]
    facts, drawn = await looked(tmp_path, data)
    assert (facts["type"], facts["marks"], drawn) == (content_type, marks, b"")


async def test_an_archive_is_listed_and_nothing_of_it_unpacked(tmp_path: Path) -> None:
    listed = zipped({"a/对账单.pdf": b"x" * 10, "b.txt": b"y"})
    facts, _ = await looked(tmp_path, listed)
    assert facts["archive"] == {"entries": [["a/对账单.pdf", 10, False], ["b.txt", 1, False]], "count": 2, "size": 11}
    assert [path.name for path in tmp_path.iterdir()] == ["file"]
    encrypted, _ = await looked(tmp_path, encrypted_zip())
    assert encrypted["archive"]["entries"] == [["secret.txt", 20, True]]


async def test_names_of_chinese_windows_are_read(tmp_path: Path) -> None:
    name = "截图.png"
    data = zipped({"??????.png": b"x"}).replace(b"????.png", name.encode("gb18030"))
    assert name.encode("gb18030") in data
    facts, _ = await looked(tmp_path, data)
    assert facts["archive"]["entries"][0][0] == "??截图.png"


async def test_a_long_table_is_cut_and_counted(tmp_path: Path) -> None:
    facts, _ = await looked(tmp_path, zipped({f"{n}{'x' * 300}.txt": b"" for n in range(1500)}))
    archive = facts["archive"]
    assert (len(archive["entries"]), archive["count"]) == (100, 1500)
    assert all(len(name) <= 120 and name.endswith(".txt") for name, _, _ in archive["entries"])


async def test_a_table_of_hundreds_of_thousands_costs_one_bounded_process(tmp_path: Path) -> None:
    sink = BytesIO()
    with zipfile.ZipFile(sink, "w") as archive:
        archive.writestr("0", "")
    one = sink.getvalue()
    start, end = one.index(b"PK\x01\x02"), one.index(b"PK\x05\x06")
    table = one[start:end] * 300_000
    data = (
        one[:start]
        + table
        + one[end : end + 8]
        + b"\xff\xff\xff\xff"
        + len(table).to_bytes(4, "little")
        + one[end + 16 :]
    )
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    facts, _ = await looked(tmp_path, data)
    assert facts["marks"] == ["unlisted"]
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 64 * 1024


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP", "GIF"])
async def test_a_picture_is_drawn_anew(tmp_path: Path, kind: str) -> None:
    facts, drawn = await looked(tmp_path, picture(kind))
    with Image.open(BytesIO(drawn)) as image:
        assert (image.format, max(image.size), list(image.size)) == ("PNG", LONGEST_SIDE, facts["preview"])


async def test_what_was_hidden_in_a_picture_is_not_in_ours(tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[0x0112], exif[0x010E] = 6, "where I live"  # to be turned by 90 degrees; description
    original = picture("JPEG", (400, 200), exif=exif, comment=b"<script>") + b"<script>alert(1)</script>"
    _, drawn = await looked(tmp_path, original)
    with Image.open(BytesIO(drawn)) as image:
        assert image.size == (200, 400), "upright"
        assert not image.getexif()
        assert not image.info
    assert b"script" not in drawn
    assert b"where I live" not in drawn


@pytest.mark.parametrize(
    "data",
    [
        picture()[:2000],
        picture("JPEG")[:300],
        b"\x89PNG\r\n\x1a\n" + b"\xff" * 500,
        b"RIFF\xff\xff\xff\xffWEBP" + b"x" * 99,
    ],
    ids=["cut png", "cut jpeg", "nonsense", "webp"],
)
async def test_a_broken_picture_has_none(tmp_path: Path, data: bytes) -> None:
    facts, drawn = await looked(tmp_path, data)
    assert "preview" not in facts
    assert drawn == b""


async def test_a_huge_picture_has_none(tmp_path: Path) -> None:
    sink = BytesIO()
    Image.new("1", (30_000, 30_000)).save(sink, "PNG")
    facts, _ = await looked(tmp_path, sink.getvalue())
    assert (facts["type"], "preview" in facts) == ("image/png", False)


async def test_a_look_that_takes_too_long_ends(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(picture(size=(4000, 4000)))
    with pytest.raises(Unexamined, match="too long"):
        await look_into(path, seconds=0.01)


async def test_what_is_found_is_kept_with_the_file(desk: Desk) -> None:
    digest = await desk.receive(picture())
    assert await desk.examiner.examine_due() == 1
    check = await desk.check(digest)
    assert (check.examined, check.facts["type"]) == (True, "image/png")
    drawn = await desk.previews.of(digest)
    assert drawn is not None
    assert drawn.startswith(b"\x89PNG")
    assert await desk.examiner.examine_due() == 0


async def test_a_preview_that_is_gone_is_drawn_again(desk: Desk, tmp_path: Path) -> None:
    digest = await desk.receive(picture())
    await desk.examiner.examine_due()
    drawn = await desk.previews.of(digest)
    (kept,) = (path for path in (tmp_path / "previews").rglob("*.png"))
    kept.unlink()
    assert await desk.previews.of(digest) == drawn
    kept.unlink()
    desk.evidence.path(digest).unlink()
    assert await desk.previews.of(digest) is None


async def test_a_file_that_cannot_be_looked_into_is_said_so_in_the_end(desk: Desk) -> None:
    digest = await desk.receive(b"x")
    desk.evidence.path(digest).unlink()
    for _ in range(MOST_ATTEMPTS):
        assert not (await desk.check(digest)).examined
        await desk.examiner.examine_due()
        desk.clock.move(seconds=AGAIN.total_seconds())
    check = await desk.check(digest)
    assert (check.examined, check.facts) == (True, {"marks": ["unexamined"]})


async def test_several_looks_at_a_time_are_bounded(desk: Desk) -> None:
    digests = [await desk.receive(picture(size=(100 + n, 50))) for n in range(4)]
    facts = await asyncio.gather(*(desk.previews.look(digest) for digest in digests))
    assert [found["preview"] for found in facts] == [[100 + n, 50] for n in range(4)]
