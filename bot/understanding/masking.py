"""What is left of a message when nothing in it points to a person any more? For texts that are read long after."""

from __future__ import annotations

import hashlib
import re
from typing import Final

from bot.understanding.entities import AT_MOST, READ_AT_MOST, find_entities
from bot.understanding.folding import fold
from bot.understanding.secrets import redact

TELLING: Final = frozenset({"case_number", "uid", "order_id", "tx_hash", "address", "email", "phone", "memo"})
"""Entities that lead to somebody. A coin, a network, an amount or a day may stay: they are what is asked about."""
_WORDS: Final = re.compile(r"\w+")


def masked(text: str) -> str:
    """The text without secrets, and with the kind in brackets where an entity led to somebody: "[uid]"."""
    bare = redact(text).text[:READ_AT_MOST]  # what stands behind is not looked at, and so not kept
    found = find_entities(bare)
    if len(found) == AT_MOST:  # what stands behind the last one was not looked at
        bare = bare[: found[-1].end]
    pieces, end = [], 0
    for entity in found:
        if entity.kind in TELLING and entity.start >= end:
            pieces += [bare[end : entity.start], f"[{entity.kind}]"]
            end = entity.end
    return "".join([*pieces, bare[end:]])


def same_words_key(text: str) -> str:
    """Equal for texts of the same words, whatever their case, spelling and punctuation; tells nothing of them."""
    return hashlib.sha256(" ".join(_WORDS.findall(fold(text))).encode()).hexdigest()
