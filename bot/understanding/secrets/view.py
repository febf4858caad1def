"""A text as somebody reads it who looks for secrets: one spelling per character, nothing invisible in between."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

HIDDEN: Final = {
    "seed_phrase": {"en": "[seed phrase removed]", "zh": "[已隐去助记词]"},
    "private_key": {"en": "[private key removed]", "zh": "[已隐去私钥]"},
    "api_secret": {"en": "[API secret removed]", "zh": "[已隐去 API 密钥]"},
    "card_number": {"en": "[card number removed]", "zh": "[已隐去银行卡号]"},
    "password": {"en": "[password removed]", "zh": "[已隐去密码]"},
    "one_time_code": {"en": "[code removed]", "zh": "[已隐去验证码]"},
}
"""What stands in a secret's place, by kind and language."""

BARRIER: Final = "\ue000"
"""Stands where a secret was removed before: part of no word, number or token, so that nothing is found there again."""

_REMOVED: Final = re.compile("|".join(re.escape(words) for each in HIDDEN.values() for words in each.values()))
_INVISIBLE: Final = frozenset({"Cf", "Mn", "Me"})
"""Zero-width and direction characters, variation selectors, the frame of a keycap."""
_LONGEST_EXPANSION: Final = 4
"""U+FDFA alone unfolds to 18 characters; nobody writes a secret with it."""


@dataclass(frozen=True)
class View:
    """`text` is searched; `at` says for each of its characters where it stands in the text as given (None: there)."""

    text: str
    at: tuple[int, ...] | None

    def span(self, start: int, end: int) -> tuple[int, int]:
        if self.at is None:
            return start, end
        return self.at[start], self.at[end - 1] + 1


def view_of(text: str) -> View:
    """Full-width and other digits as ASCII, compatibility forms unfolded, invisible characters gone. Linear."""
    readable = _REMOVED.sub(lambda match: BARRIER * len(match.group()), text) if "[" in text else text
    if readable.isascii():
        return View(readable, None)
    characters: list[str] = []
    at: list[int] = []
    for place, character in enumerate(readable):
        for folded in character if character.isascii() else _folded(character):
            characters.append(folded)
            at.append(place)
    return View("".join(characters), tuple(at))


@lru_cache(maxsize=16_384)
def _folded(character: str) -> str:
    if unicodedata.category(character) in _INVISIBLE:
        return ""
    digit = unicodedata.decimal(character, None)
    if digit is not None:
        return str(digit)
    unfolded = unicodedata.normalize("NFKC", character)
    return unfolded if len(unfolded) <= _LONGEST_EXPANSION else character
