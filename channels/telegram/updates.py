"""What the door must know of an update before it is stored: whose it is, and whether it is for us at all.

Looks at the JSON itself, not at the library's types: an update that the library cannot read must be stored, too.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum, auto
from typing import Any

from telegram import Update

from channels.contract import spoken

MAX_ID = 2**63 - 1
_OTHER_KINDS = frozenset(Update.ALL_TYPES)
_NOT_TEXT = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff]")
"""Control characters except tab, line feed and carriage return (PostgreSQL takes no NUL), and halves of characters."""


class Sort(Enum):
    MESSAGE = auto()
    """Of a private chat, new or edited."""
    PRESS = auto()
    """A button pressed in a private chat."""
    GROUP = auto()
    """From a chat of several people."""
    OTHER = auto()
    """A kind of update that we did not ask for."""
    ODD = auto()
    """Nothing that the Bot API describes."""


@dataclass(frozen=True, kw_only=True)
class Seen:
    sort: Sort
    update_id: int | None = None
    chat_id: int = 0
    language: str | None = None
    """Of the sender's app, if it is one of ours."""
    body: Mapping[str, Any] = field(default_factory=dict)
    """The message or the callback query."""
    kind: str = ""
    """The name of the update's field that `body` is."""


def look(raw: bytes) -> Seen:
    """Never fails."""
    try:
        update = json.loads(raw)
    except (ValueError, RecursionError):
        return Seen(sort=Sort.ODD)
    if not isinstance(update, dict):
        return Seen(sort=Sort.ODD)
    update_id = _whole(update.get("update_id"))
    for kind in ("message", "edited_message", "callback_query"):
        if isinstance(body := update.get(kind), dict):
            return _of_body(update_id, kind, body)
    known = update_id is not None and not _OTHER_KINDS.isdisjoint(update)
    return Seen(sort=Sort.OTHER if known else Sort.ODD, update_id=update_id)


def part(body: Mapping[str, Any], *path: str) -> Any:
    """What lies below `path`; None where there is nothing."""
    value: Any = body
    for name in path:
        value = value.get(name) if isinstance(value, dict) else None
    return value


def clean(text: str) -> str:
    """Fit for a database and a page."""
    return _NOT_TEXT.sub("\ufffd", text).strip()


def id_of(seen: Seen, raw: bytes) -> str:
    """The same for every delivery of an update. One without a number is known by its bytes."""
    if seen.update_id is not None:
        return str(seen.update_id)
    return f"sha256:{hashlib.sha256(raw).hexdigest()}"


def _of_body(update_id: int | None, kind: str, body: Mapping[str, Any]) -> Seen:
    message = part(body, "message") if kind == "callback_query" else body
    chat_id, chat_type = _whole(part(message, "chat", "id"), negative=True), part(message, "chat", "type")
    language = spoken(part(body, "from", "language_code"))
    if chat_id is None or not isinstance(chat_type, str):
        return Seen(sort=Sort.OTHER if _inline(kind, body, message) else Sort.ODD, update_id=update_id)
    if chat_type != "private":
        return Seen(sort=Sort.GROUP, update_id=update_id, chat_id=chat_id, language=language, body=body, kind=kind)
    sort = Sort.PRESS if kind == "callback_query" else Sort.MESSAGE
    return Seen(sort=sort, update_id=update_id, chat_id=chat_id, language=language, body=body, kind=kind)


def _inline(kind: str, body: Mapping[str, Any], message: Any) -> bool:
    """A button under a message that was sent by way of another chat; we send none."""
    return kind == "callback_query" and message is None and "inline_message_id" in body


def _whole(value: Any, *, negative: bool = False) -> int | None:
    """A number as Telegram numbers things, which fits into 64 bits."""
    if isinstance(value, bool) or not isinstance(value, int):
        return None
    return value if (-MAX_ID if negative else 0) <= value <= MAX_ID else None
