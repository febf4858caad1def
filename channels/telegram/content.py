"""What a message may hold besides words: files, and things that are neither words nor files."""

from __future__ import annotations

import json
import mimetypes
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from telegram import Message

from channels.files_contract import Attachment

_FILES = ("document", "video", "animation", "audio", "voice", "video_note")
_TYPES = {"photo": "image/jpeg", "voice": "audio/ogg", "video": "video/mp4", "video_note": "video/mp4"}
"""What Telegram converts these to; the others say themselves what they are."""
_THINGS = ("location", "venue", "contact", "poll", "checklist", "dice", "story", "game", "paid_media")
_SERVICE = (
    "pinned_message",
    "message_auto_delete_timer_changed",
    "connected_website",
    "write_access_allowed",
    "chat_background_set",
    "users_shared",
    "chat_shared",
    "boost_added",
)
"""Telegram's own remarks in a private chat; nobody wrote them."""


@dataclass(frozen=True)
class Found:
    """A file that is still at Telegram."""

    file_id: str
    filename: str
    content_type: str
    size: int | None


def files_of(message: Message) -> Sequence[Found]:
    """The largest size of a photo, and each file once: an animation is named as a document, too."""
    found = {} if not message.photo else {"photo": max(message.photo, key=lambda size: size.width * size.height)}
    found |= {kind: file for kind in _FILES if (file := getattr(message, kind)) is not None}
    unique: dict[str, Found] = {}
    for kind, file in found.items():
        unique.setdefault(file.file_unique_id, _found(kind, file))
    return list(unique.values())


def not_text(message: Message) -> tuple[Sequence[Attachment], Sequence[str]]:
    """Things as small JSON files, so that agents see them whole, and the sentences for agents about the message."""
    things = list(_things(message))
    keys = ["telegram.note_thing"] if things else []
    if message.sticker is not None:
        keys.append("telegram.note_sticker")
    if message.forward_origin is not None:
        keys.append("telegram.note_forwarded")
    return things, keys


def has_service(message: Message) -> bool:
    return any(getattr(message, name) for name in _SERVICE)


def _things(message: Message) -> Iterator[Attachment]:
    # A venue repeats its place as a location, a game is nothing without us.
    names = [name for name in _THINGS if getattr(message, name) is not None]
    for name in names:
        if name == "location" and "venue" in names:
            continue
        content = json.dumps(getattr(message, name).to_dict(), ensure_ascii=False, indent=1)
        data = content.encode("utf-8", "replace")
        yield Attachment(filename=f"{name}.json", content_type="application/json", data=data)


def _found(kind: str, file: Any) -> Found:
    content_type = str(getattr(file, "mime_type", None) or _TYPES.get(kind, "application/octet-stream"))
    name = getattr(file, "file_name", None) or f"{kind}-{file.file_unique_id}{_ending(content_type)}"
    size = file.file_size
    return Found(str(file.file_id), str(name), content_type, size if isinstance(size, int) else None)


def _ending(content_type: str) -> str:
    return {"audio/ogg": ".ogg"}.get(content_type) or mimetypes.guess_extension(content_type) or ""
