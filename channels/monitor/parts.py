"""Parts of a network's JSON, whatever a peer put there."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Any

MAX_NUMBER = 2**63 - 1
_NOT_TEXT = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff]")
"""Control characters except tab, line feed and carriage return (PostgreSQL takes no NUL), and halves of characters."""
_CHINESE = re.compile("[\u3400-\u9fff]")


def part(value: Any, *path: str) -> Any:
    """What lies below `path`; None where there is nothing."""
    for name in path:
        value = value.get(name) if isinstance(value, dict) else None
    return value


def entries(value: Any, *path: str) -> list[Any]:
    """The list below `path`; empty where there is none."""
    found = part(value, *path)
    return found if isinstance(found, list) else []


def words(value: Any, *path: str) -> str:
    """The text below `path`, fit for a database and a page; "" where there is none."""
    found = part(value, *path)
    return clean(found) if isinstance(found, str) else ""


def clean(text: str) -> str:
    """Fit for a database and a page."""
    return _NOT_TEXT.sub("\ufffd", text).strip()


def whole(value: object) -> int | None:
    """A number as networks write ids: decimal digits in a string."""
    if not isinstance(value, str) or not value.isascii() or not value.isdigit() or len(value) > 19:
        return None
    number = int(value)
    return number if number <= MAX_NUMBER else None


def moment(value: object) -> datetime | None:
    """A time of RFC 3339 with its offset."""
    if not isinstance(value, str) or len(value) > 40:
        return None
    try:
        found = datetime.fromisoformat(value)
        return found.astimezone(UTC) if found.tzinfo else None
    except (ValueError, OverflowError):
        return None


def language_of(text: str) -> str:
    """In which language agents are told about a text that the desk has not yet judged."""
    return "zh" if _CHINESE.search(text[:1000]) else "en"
