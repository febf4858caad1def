"""A conversation as one list of lines: what was received, what was said, and what agents noted, in order."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import Row

from escalation.console.attachments import ShownFile
from escalation.console.repository.conversation import Everything

BRIEF = "brief"
_DELIVERY = {
    "new": "queued",
    "sending": "queued",
    "sent": "sent",
    "unknown": "unknown",
    "dropped": "not_sent",
    "failed": "failed",
    "parked": "failed",
    "by_hand": "by_hand",
    "not_posted": "not_posted",
}
"""What an agent needs to know of a row's state: will it go, did it go, or must somebody look."""


@dataclass(frozen=True, kw_only=True)
class Line:
    kind: str
    """user, bot, agent, desk, note or event"""
    at: datetime
    text: str = ""
    name: str = ""
    """Of an agent."""
    language: str | None = None
    delivery: str | None = None
    """queued, sent, read, unknown, not_sent, failed, by_hand or not_posted; None for what we received and for notes"""
    event: str | None = None
    """For an event: taken, handed_back, ..."""
    reasons: tuple[str, ...] = ()
    """Of an event: codes that have words, or sentences of a channel."""
    odd: str | None = None
    """A sentence from the channel about something unusual."""
    unread: bool = False
    """Received, but nobody has opened the envelope yet."""
    parked: bool = False
    sealed: bool = False
    """Said to the recipient alone."""
    files: tuple[ShownFile, ...] = field(default=())
    inbox_id: int | None = None
    """Of what was received."""
    outbox_id: int | None = None
    """Of what was said."""


def lines(found: Everything, names: Mapping[int, str], attached: Sequence[ShownFile] = ()) -> list[Line]:
    """Messages by their number in the conversation; a note stands after the message it followed."""
    files: dict[int, list[ShownFile]] = {}
    for item in attached:
        files.setdefault(item.inbox_id, []).append(item)
    placed: list[tuple[tuple[int, int, int], Line]] = [
        *(((row.seq, 0, 0), _received(row, tuple(files.get(row.id, ())))) for row in found.inbox),
        *(((row.seq, 0, 0), _said(row, found.marks.user_seq)) for row in found.outbox),
        *(((row.after_seq, 1, row.id), _noted(row, names)) for row in found.notes if row.kind != BRIEF),
    ]
    return [line for _, line in sorted(placed, key=lambda entry: entry[0])]


def newest_brief(found: Everything) -> Mapping[str, Any] | None:
    """The hand-over brief that counts: the one written last."""
    briefs = [row.data for row in found.notes if row.kind == BRIEF]
    return briefs[-1] if briefs else None


def _received(row: Row[Any], files: tuple[ShownFile, ...]) -> Line:
    return Line(
        kind="user",
        at=row.received_at,
        text=row.text,
        language=row.language,
        odd=row.note,
        unread=row.kind is None and row.state == "new",
        parked=row.state == "parked",
        files=files,
        inbox_id=row.id,
    )


def _said(row: Row[Any], read_up_to: int) -> Line:
    """A sealed text is the recipient's alone."""
    read = row.state == "sent" and row.seq <= read_up_to
    return Line(
        kind=row.author,
        at=row.sent_at or row.created_at,
        text="" if row.sealed else row.text,
        name=row.author_name,
        language=row.language,
        delivery="read" if read else _DELIVERY[row.state],
        sealed=row.sealed,
        outbox_id=row.id,
    )


def _noted(row: Row[Any], names: Mapping[int, str]) -> Line:
    name = names.get(row.agent_id, "")
    if row.kind == "note":
        return Line(kind="note", at=row.at, text=row.text, name=name)
    return Line(kind="event", at=row.at, name=name, event=row.kind, reasons=_reasons(row.data))


def _reasons(data: Mapping[str, Any]) -> tuple[str, ...]:
    """Why somebody waits for a person ("reasons"), or why an answer did not arrive ("reason")."""
    return tuple(data.get("reasons", ())) or tuple(filter(None, [data.get("reason")]))
