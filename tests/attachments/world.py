"""Evidence in a store, an examiner and a scanner over it, and files of every hostile kind."""

from __future__ import annotations

import struct
import zipfile
from collections.abc import Mapping
from functools import cache
from io import BytesIO
from pathlib import Path

from PIL import Image
from sqlalchemy import Connection, insert

from bot.attachments.examining import Examiner
from bot.attachments.previews import Previews
from bot.attachments.scanner import Scanner
from bot.attachments.scanning import Scans
from bot.files import Files
from bot.hub import Hub
from bot.repository import file_checks
from bot.repository import inbox as inbox_rows
from bot.repository.file_checks import CheckRow
from bot.store.store import Store
from bot.store.tables import Conversation, Inbox
from tests.conftest import MovedClock


class Desk:
    """Whatever looks after files, over a real store and folder."""

    def __init__(self, store: Store, clock: MovedClock, folder: Path, port: int = 1, seconds: float = 5) -> None:
        self.store, self.clock, self.hub = store, clock, Hub()
        self.evidence = Files(folder / "evidence")
        self.previews = Previews(folder / "previews", self.evidence)
        self.examiner = Examiner(store, clock, self.hub, self.previews, 1)
        self.elapsed = 0.0
        scanner = Scanner("127.0.0.1", port, seconds)
        self.scans = Scans(
            store,
            clock,
            self.hub,
            self.evidence,
            scanner,
            seconds=seconds,
            scan_seconds=1,
            elapsed=lambda: self.elapsed,
        )
        self._count = 0

    async def receive(self, data: bytes, name: str = "file") -> str:
        """A message with the file, finished; the SHA-256."""
        digest = self.evidence.put(data)
        self._count += 1
        await self.store.write(lambda connection: self._add(connection, digest, len(data), name, self._count))
        return digest

    def _add(self, connection: Connection, digest: str, size: int, name: str, number: int) -> None:
        now, key = self.clock(), f"key-{number}"
        made = insert(Conversation).values(channel="fake", key=key, recipient="x", created_at=now, active_at=now)
        conversation_id = connection.execute(made.returning(Conversation.id)).scalar_one()
        row = {
            "channel": "fake",
            "external_id": key,
            "conversation_id": conversation_id,
            "seq": 1,
            "sender": "x",
            "received_at": now,
            "raw_sha256": "0" * 64,
            "raw_size": 0,
        }
        inbox_id = connection.execute(insert(Inbox).values(**row).returning(Inbox.id)).scalar_one()
        kept = {"sha256": digest, "size": size, "filename": name, "content_type": "x/y", "collected_at": now}
        inbox_rows.add_evidence(
            connection, [{"inbox_id": inbox_id, "ordinal": 0, "conversation_id": conversation_id, **kept}]
        )

    async def check(self, digest: str) -> CheckRow:
        found = await self.store.read(lambda connection: file_checks.find(connection, digest))
        assert found is not None
        return found

    async def scan_of(self, digest: str) -> str:
        return (await self.check(digest)).scan


def picture(kind: str = "PNG", size: tuple[int, int] = (1200, 800), **options: object) -> bytes:
    sink = BytesIO()
    Image.linear_gradient("L").resize(size).convert("RGB").save(sink, format=kind, **options)
    return sink.getvalue()


def zipped(entries: Mapping[str, bytes], method: int = zipfile.ZIP_DEFLATED) -> bytes:
    sink = BytesIO()
    with zipfile.ZipFile(sink, "w", method) as archive:
        for name, data in entries.items():
            archive.writestr(name, data)
    return sink.getvalue()


@cache
def bomb(megabytes: int = 100) -> bytes:
    return zipped({"zeros": b"\0" * (megabytes << 20)})


def overlapping(entries: int = 200) -> bytes:
    """Every entry of the table of contents points at the same bytes (CPython CVE-2024-0450)."""
    one = zipped({"000000": b"\0" * 100_000})
    table = one.index(b"PK\x01\x02")
    record = one[table : one.rindex(b"PK\x05\x06")]
    named = [record[:46] + f"{number:06}".encode() + record[52:] for number in range(entries)]
    directory = b"".join(named)
    end = struct.pack("<4s4H2LH", b"PK\x05\x06", 0, 0, entries, entries, len(directory), table, 0)
    return one[:table] + directory + end


def macro_docx() -> bytes:
    return zipped({"[Content_Types].xml": b"<x/>", "word/document.xml": b"<x/>", "word/vbaProject.bin": b"\xd0\xcf"})


def encrypted_zip() -> bytes:
    """Only its flag says so, which is all that anybody may look at."""
    data = bytearray(zipped({"secret.txt": b"x" * 20}))
    for mark, offset in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        data[data.index(mark) + offset] |= 1
    return bytes(data)


LNK = b"L\x00\x00\x00\x01\x14\x02\x00\x00\x00\x00\x00\xc0\x00\x00\x00\x00\x00\x00F" + b"\0" * 60
