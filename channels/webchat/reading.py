"""What a stored frame says: the channel's `read`."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from channels.contract import ReadMessage
from channels.files_contract import Attachment, Kept
from channels.webchat.frames import BadFrame, Message, Press, parse

UNREADABLE = "This chat frame could not be read; its original bytes are kept."
_NOT_TEXT = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")
"""Control characters except tab, line feed and carriage return. PostgreSQL takes no NUL."""


def read_frame(raw: bytes, envelope: Mapping[str, Any]) -> ReadMessage:
    """Never fails. A button counts as pressed when the desk had offered it (`title` in the envelope)."""
    try:
        frame = parse(raw)
    except BadFrame:
        return ReadMessage(text="", note=UNREADABLE)
    if isinstance(frame, Message):
        return ReadMessage(text=clean(frame.text), attachments=_attachments(envelope))
    if isinstance(frame, Press):
        return _read_press(frame, envelope.get("title"))
    return ReadMessage(text="", note=UNREADABLE)


def _attachments(envelope: Mapping[str, Any]) -> tuple[Attachment, ...]:
    """The files that the message was stored with; the frame's own list is only what the client asked for."""
    return tuple(
        Attachment(
            filename=file["name"],
            content_type=file["type"],
            kept=Kept(sha256=file["sha256"], size=file["size"]),
        )
        for file in envelope.get("files", ())
    )


def _read_press(frame: Press, title: Any) -> ReadMessage:
    if isinstance(title, str) and title:
        return ReadMessage(text=clean(title), payload=frame.button)
    return ReadMessage(text=frame.button)


def clean(text: str) -> str:
    return _NOT_TEXT.sub("\ufffd", text).strip()
