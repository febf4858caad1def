"""What a file is, from its bytes: the answer of one look into it. Runs in the bounded process only."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from typing import Any, BinaryIO

from bot import filetypes
from bot.attachments import archive, picture

_PROGRAMS = frozenset({filetypes.PROGRAM, "application/x-executable", "application/x-mach-binary", "text/x-script"})
_ACTIVE = frozenset({filetypes.HTML, filetypes.SVG})
_OLE_BYTES = 32 * 1024 * 1024
_OLE_MACROS = "_VBA_PROJECT".encode("utf-16-le")
"""The name of the stream in which the older Office formats keep their macros (MS-OVBA 2.2.1)."""


@dataclass
class Facts:
    type: str
    marks: set[str] = field(default_factory=set)
    """program, shortcut, macros, active, bomb, paths, encrypted, holds_program, unlisted"""
    archive: dict[str, Any] | None = None
    """What it says it holds: entries (name, size, encrypted), count, size."""
    preview: bytes = b""
    preview_size: tuple[int, int] | None = None

    @property
    def told(self) -> dict[str, Any]:
        found: dict[str, Any] = {"type": self.type, "marks": sorted(self.marks)}
        if self.archive is not None:
            found["archive"] = self.archive
        if self.preview_size is not None:
            found["preview"] = list(self.preview_size)
        return found


def facts_of(file: BinaryIO) -> Facts:
    """Never raises on bad content, short of MemoryError."""
    size = os.fstat(file.fileno()).st_size
    found = Facts(filetypes.content_type(file.read(filetypes.HEAD_BYTES)))
    if found.type in _PROGRAMS:
        found.marks.add("program")
    elif found.type in _ACTIVE:
        found.marks.add("active")
    elif found.type == filetypes.SHORTCUT:
        found.marks.add("shortcut")
    elif found.type == filetypes.ZIP:
        _list(file, size, found)
    elif found.type == filetypes.OLE:
        file.seek(0)
        if _OLE_MACROS in file.read(_OLE_BYTES):
            found.marks.add("macros")
    elif picture.drawable(found.type):
        _draw(file, found)
    return found


def _list(file: BinaryIO, size: int, found: Facts) -> None:
    try:
        listed = archive.listing(file, size)
    except archive.NotListed:
        found.marks.add("unlisted")
        return
    found.marks |= listed.marks
    if (office := archive.office_type(listed.names)) is not None:
        found.type = office
    else:
        found.archive = listed.shown


def _draw(file: BinaryIO, found: Facts) -> None:
    file.seek(0)
    try:
        found.preview, width, height = picture.redrawn(file)
    except Exception:  # what decoders raise on hostile bytes is not listed anywhere; such a picture is not shown
        return
    found.preview_size = (width, height)
