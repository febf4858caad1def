"""Ids as Facebook writes them."""

from __future__ import annotations

import hashlib
import re
from datetime import UTC, datetime

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_PERSON = re.compile(r"[0-9]{1,32}")
_IDENT = re.compile(r"[A-Za-z0-9_.:$+/=-]{1,180}")


def person(value: object) -> str | None:
    """Of a person as our page knows them, or of a page."""
    return value if isinstance(value, str) and _PERSON.fullmatch(value) else None


def ident(value: object) -> str | None:
    """Of a message, a comment or a post."""
    return value if isinstance(value, str) and _IDENT.fullmatch(value) else None


def name_of(value: object) -> str | None:
    """Under which name something with this id is stored: the id itself, or a digest of an unusual one."""
    if not isinstance(value, str) or not value:
        return None
    return ident(value) or f"sha256-{hashlib.sha256(value.encode('utf-8', 'replace')).hexdigest()}"
