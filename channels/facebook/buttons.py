"""Quick replies whose payloads only we can have made, for one person and a few days."""

from __future__ import annotations

import base64
import hmac
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from hashlib import sha256
from typing import Any

MOST = 13
MAX_TITLE_CHARACTERS = 20
MAX_PAYLOAD_CHARACTERS = 1000
"""All three: Messenger Platform, "Quick replies"."""
MAC_BYTES = 16
_PURPOSE = b"facebook button v1"


class Buttons:
    """A payload is name, day and an HMAC over both and the person, so that no button needs a row."""

    def __init__(self, secret: bytes, page_id: str, days: int, now: Callable[[], datetime] | None = None) -> None:
        self._key = hmac.digest(secret, _PURPOSE, sha256)
        self._page_id = page_id
        self._days = days
        self._now = now or (lambda: datetime.now(UTC))

    def quick_replies(self, offered: Sequence[tuple[str, str]], person: str) -> list[dict[str, Any]]:
        """(name, title) pairs as Messenger takes them; a name that is too long to be signed is left out."""
        day = self._now().toordinal()
        made = [(title, self._payload(name, person, day)) for name, title in offered]
        return [
            {"content_type": "text", "title": _short(title), "payload": payload}
            for title, payload in made
            if len(payload) <= MAX_PAYLOAD_CHARACTERS
        ][:MOST]

    def pressed(self, payload: object, person: str) -> str | None:
        """The name of the button; None when it is not ours or too old: then its title counts as typed."""
        name, _, rest = payload.partition("|") if isinstance(payload, str) else ("", "", "")
        day, _, _ = rest.partition("|")
        if not (day.isascii() and day.isdigit() and len(day) <= 6):
            return None
        right = self._payload(name, person, int(day)).encode()
        if not hmac.compare_digest(right, str(payload).encode("utf-8", "replace")):
            return None
        return name if self._now().toordinal() - int(day) <= self._days else None

    def _payload(self, name: str, person: str, day: int) -> str:
        signed = f"{self._page_id}\0{person}\0{day}\0{name}".encode("utf-8", "replace")
        mac = hmac.digest(self._key, signed, sha256)[:MAC_BYTES]
        return f"{name}|{day}|{base64.urlsafe_b64encode(mac).decode()}"


def _short(title: str) -> str:
    return title if len(title) <= MAX_TITLE_CHARACTERS else f"{title[: MAX_TITLE_CHARACTERS - 1].rstrip()}…"
