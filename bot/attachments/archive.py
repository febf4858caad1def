"""What a zip archive says it holds: its own table of contents, bounded. Nothing is ever unpacked.

Tables lie: sizes are what the archive claims. What matters to people is whether the claim itself is suspicious.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import PurePosixPath
from typing import Any, BinaryIO
from zipfile import BadZipFile, ZipFile, ZipInfo

from bot.filenames import RUNNABLE, ending, shown_path

MOST_ENTRIES = 100_000
"""Archives of more are named, not listed. (25 MiB can hold three times as many, which the process can just bear.)"""
MOST_SHOWN = 100
MOST_RATIO = 100
"""Text shrinks to a tenth or a twentieth; what is said to grow a hundredfold is built to fill somebody's disk."""
LEAST_BYTES = 64 * 1024**2
"""Below this nothing fills a disk, whatever the ratio."""
MOST_BYTES = 20 * 1024**3
_LOCAL_HEADER = 30
_OFFICE = ("[content_types].xml", "word/", "xl/", "ppt/")


@dataclass(frozen=True, kw_only=True)
class Listing:
    names: Sequence[str]
    entries: Sequence[tuple[str, int, bool]]
    """Name, size when unpacked (as claimed), whether it is encrypted: the first `MOST_SHOWN`."""
    count: int
    size: int
    marks: frozenset[str]

    @property
    def shown(self) -> dict[str, Any]:
        return {"entries": [list(entry) for entry in self.entries], "count": self.count, "size": self.size}


class NotListed(Exception):
    """The archive has no table that can be read, or one of more than `MOST_ENTRIES` entries."""


def listing(file: BinaryIO, size: int) -> Listing:
    """`size`: of the archive, in bytes. Raises NotListed."""
    try:
        with ZipFile(file) as archive:
            infos = [info for info in archive.infolist() if not info.is_dir()]
    except (BadZipFile, ValueError, OSError, EOFError, MemoryError, struct.error) as error:
        raise NotListed from error
    if len(infos) > MOST_ENTRIES:
        raise NotListed
    names = [_name(info) for info in infos]
    pairs = list(zip(names, infos, strict=True))
    return Listing(
        names=names,
        entries=[(shown_path(name), info.file_size, bool(info.flag_bits & 1)) for name, info in pairs[:MOST_SHOWN]],
        count=len(infos),
        size=min(sum(info.file_size for info in infos), 2**62),
        marks=frozenset(_marks(names, infos, size)),
    )


def _marks(names: Sequence[str], infos: Sequence[ZipInfo], size: int) -> set[str]:
    total = sum(info.file_size for info in infos)
    found = {
        "bomb": total > max(MOST_RATIO * size, LEAST_BYTES) or total > MOST_BYTES or _overlap(infos, size),
        "paths": any(_climbs(name) for name in names),
        "encrypted": any(info.flag_bits & 1 for info in infos),
        "holds_program": any(ending(name) in RUNNABLE for name in names),
        "macros": any(PurePosixPath(name.lower()).name == "vbaproject.bin" for name in names),
    }
    return {mark for mark, is_so in found.items() if is_so}


def _overlap(infos: Sequence[ZipInfo], size: int) -> bool:
    """Entries that share their bytes: a few kilobytes that unpack to terabytes without a suspicious ratio each."""
    spans = sorted((i.header_offset, i.header_offset + _LOCAL_HEADER + i.compress_size) for i in infos)
    return any(begins < ended for (_, ended), (begins, _) in pairwise(spans)) or any(end > size for _, end in spans)


def _climbs(name: str) -> bool:
    """It would leave the folder into which somebody unpacks it."""
    parts = name.replace("\\", "/").split("/")
    return ".." in parts or not parts[0] or parts[0].endswith(":")


def _name(info: ZipInfo) -> str:
    """Chinese Windows writes names in GB 18030 and does not say so; the library then reads them as code page 437."""
    if info.flag_bits & 0x800 or info.filename.isascii():
        return info.filename
    try:
        return info.filename.encode("cp437").decode("gb18030")
    except UnicodeError:
        return info.filename


def office_type(names: Sequence[str]) -> str | None:
    """The kind of an Office document, which is a zip archive that nobody needs listed. None for other archives."""
    known = {name.lower() for name in names}
    if _OFFICE[0] not in known:
        return None
    for folder, kind in zip(_OFFICE[1:], ("wordprocessingml", "spreadsheetml", "presentationml"), strict=True):
        if any(name.startswith(folder) for name in known):
            return f"application/vnd.openxmlformats-officedocument.{kind}"
    return None
