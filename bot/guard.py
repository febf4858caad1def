"""The last step before Rasa: what a user types can never act as a Rasa command.

Rasa strips white space and then takes a leading "/" for a command with full confidence and entities of the
user's choice. Chinese keyboards type the full-width "／"; zero-width characters hide a slash from a naive test.
"""

from __future__ import annotations

import unicodedata

MAX_CHARACTERS = 4_000
NOTHING_LEFT = "?"
_INVISIBLE = ("C", "Z")
"""Unicode categories: controls and format characters, all kinds of space."""


def harmless(text: str) -> str:
    """The text without anything in front that could make it a command; "/help me" becomes "help me"."""
    start = next((index for index, character in enumerate(text) if not _skipped(character)), len(text))
    return text[start : start + MAX_CHARACTERS].strip() or NOTHING_LEFT


def _skipped(character: str) -> bool:
    plain = unicodedata.normalize("NFKC", character).strip()
    return plain in ("", "/") or unicodedata.category(character).startswith(_INVISIBLE)
