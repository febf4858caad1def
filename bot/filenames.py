"""Names of files as strangers give them, made fit to show and to store."""

from __future__ import annotations

import re
import unicodedata

MAX_CHARACTERS = 255
_FORBIDDEN = frozenset({"Cc", "Cf", "Cs", "Co", "Zl", "Zp"})
"""Unicode categories: control, format (direction marks such as U+202E, which make "exe.pdf" of "fdp.exe"), lone
surrogates, private use, line and paragraph ends."""
_RESERVED = re.compile(r'[<>:"|?*]')


def clean(given: str, or_else: str = "file") -> str:
    """No folders, no control or direction characters, at most `MAX_CHARACTERS`, the ending kept."""
    last = given.replace("\\", "/").rpartition("/")[2]
    shown = "".join("_" if unicodedata.category(character) in _FORBIDDEN else character for character in last)
    name = " ".join(_RESERVED.sub("_", shown).split()).strip(". ")
    if len(name) > MAX_CHARACTERS:
        stem, dot, ending = name.rpartition(".")
        ending = dot + ending if stem and len(ending) <= 15 else ""
        name = name[: MAX_CHARACTERS - len(ending)] + ending
    return name if name.strip("_") else or_else
