"""A file as an agent sees it: what it really is, what to beware of, and whether it may be opened."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from bot import filenames
from bot.repository.file_checks import CheckRow, barred
from escalation.console.repository.conversation import EvidenceRow

WARNINGS = (
    *("program", "shortcut", "macros", "pretends", "odd_ending", "active", "bomb", "paths", "holds_program"),
    *("encrypted", "unlisted", "unexamined"),
)
"""All that can be said, the gravest first; each has a sentence."""
SVG = "image/svg+xml"
_OFFICE = "application/vnd.openxmlformats-officedocument."
_PROTECTED = "application/x-ole-storage"
"""What an Office document with a password looks like."""
_KNOWN: Mapping[str, tuple[str, ...]] = {
    **dict.fromkeys(("png", "jpg", "jpeg", "gif", "webp"), ("image/",)),  # phones often take one for another
    "pdf": ("application/pdf",),
    "zip": ("application/zip",),
    "docx": (_OFFICE + "wordprocessingml", _PROTECTED),
    "xlsx": (_OFFICE + "spreadsheetml", _PROTECTED),
    "pptx": (_OFFICE + "presentationml", _PROTECTED),
}
"""How the types of these endings begin, for sure: a file that has one of them and is something else pretends."""
_BY_NAME = {
    "program": filenames.PROGRAMS,
    "shortcut": filenames.SHORTCUTS,
    "macros": filenames.MACROS,
    "active": filenames.ACTIVE,
}


@dataclass(frozen=True, kw_only=True)
class ShownFile:
    id: int
    inbox_id: int
    filename: str
    ending: str
    """The real one, to be shown apart from the name; "" when there is none."""
    size: int
    sha256: str
    type: str
    collected_at: datetime
    bar: str | None
    """Why it cannot be opened: infected, unscanned, scan_failed."""
    finding: str
    scan: str
    """clean, none (there is no scanner), or as `bar`."""
    warnings: Sequence[str]
    archive: Mapping[str, Any] | None
    preview: tuple[int, int] | None
    """Width and height of the picture that may be shown."""


def shown(row: EvidenceRow, check: CheckRow | None, *, scanning: bool) -> ShownFile:
    facts: Mapping[str, Any] = {} if check is None else check.facts
    bar = barred(check, scanning=scanning)
    kind = str(facts.get("type") or row.content_type)
    preview = facts.get("preview")
    return ShownFile(
        id=row.id,
        inbox_id=row.inbox_id,
        filename=row.filename,
        ending=filenames.ending(row.filename),
        size=row.size,
        sha256=row.sha256,
        type=kind,
        collected_at=row.collected_at,
        bar=bar,
        finding="" if check is None else check.finding,
        scan=bar or ("clean" if check is not None and check.scan == "clean" else "none"),
        warnings=_warnings(row.filename, kind, facts),
        archive=facts.get("archive"),
        preview=(int(preview[0]), int(preview[1])) if preview and bar is None else None,
    )


def _warnings(name: str, kind: str, facts: Mapping[str, Any]) -> Sequence[str]:
    """By name and by content, the gravest first."""
    ending, marks = filenames.ending(name), set(facts.get("marks", ()))
    marks |= {mark for mark, endings in _BY_NAME.items() if ending in endings}
    if not ending.isascii():
        marks.add("odd_ending")
    if "type" in facts and ending in _KNOWN and (kind == SVG or not kind.startswith(_KNOWN[ending])):
        marks.add("pretends")
    return [mark for mark in WARNINGS if mark in marks]
