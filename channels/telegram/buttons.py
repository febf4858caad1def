"""Quick replies as buttons that only we can have made, for one chat and a few days."""

from __future__ import annotations

import base64
import hmac
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from hashlib import sha256

from telegram import InlineKeyboardButton, InlineKeyboardMarkup

MAX_DATA_BYTES = 64
"""Of `callback_data` (Bot API, InlineKeyboardButton)."""
MAC_BYTES = 12
_ROW_CHARACTERS = 30
_PURPOSE = b"telegram button v1"


class NotOffered(Exception):
    """The button is not ours. `expired`: it was, but too long ago."""

    def __init__(self, *, expired: bool) -> None:
        super().__init__("expired" if expired else "forged")
        self.expired = expired


class Buttons:
    """`callback_data` is name, day and an HMAC over both and the chat, so that no button needs a row."""

    def __init__(self, secret: bytes, bot_id: int, days: int, now: Callable[[], datetime] | None = None) -> None:
        self._key = hmac.digest(secret, _PURPOSE, sha256)
        self._bot_id = bot_id
        self._days = days
        self._now = now or (lambda: datetime.now(UTC))

    def keyboard(self, offered: Sequence[tuple[str, str]], chat_id: int) -> InlineKeyboardMarkup | None:
        """(name, title) pairs as rows; a name too long to be signed is left out. None without buttons."""
        day = self._today()
        made = [
            InlineKeyboardButton(title, callback_data=data)
            for name, title in offered
            if len((data := self._data(name, chat_id, day)).encode()) <= MAX_DATA_BYTES
        ]
        return InlineKeyboardMarkup(_rows(made)) if made else None

    def pressed(self, data: object, chat_id: int) -> str:
        """The name of the button. Raises NotOffered."""
        name, _, rest = data.partition("|") if isinstance(data, str) else ("", "", "")
        day, _, _ = rest.partition("|")
        if not (day.isascii() and day.isdigit() and len(day) <= 6):
            raise NotOffered(expired=False)
        right = self._data(name, chat_id, int(day)).encode()
        if not hmac.compare_digest(right, str(data).encode("utf-8", "replace")):
            raise NotOffered(expired=False)
        if self._today() - int(day) > self._days:
            raise NotOffered(expired=True)
        return name

    def _data(self, name: str, chat_id: int, day: int) -> str:
        signed = f"{self._bot_id}\0{chat_id}\0{day}\0{name}".encode("utf-8", "replace")
        mac = hmac.digest(self._key, signed, sha256)[:MAC_BYTES]
        return f"{name}|{day}|{base64.urlsafe_b64encode(mac).decode()}"

    def _today(self) -> int:
        return self._now().toordinal()


def _rows(buttons: Sequence[InlineKeyboardButton]) -> list[list[InlineKeyboardButton]]:
    """Short titles stand side by side, long ones alone: a phone cuts off what does not fit."""
    rows: list[list[InlineKeyboardButton]] = []
    for button in buttons:
        if rows and sum(len(each.text) for each in rows[-1]) + len(button.text) <= _ROW_CHARACTERS:
            rows[-1].append(button)
        else:
            rows.append([button])
    return rows
