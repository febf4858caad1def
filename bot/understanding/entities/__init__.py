"""Which things does a text name? Rules and patterns of linear time, for English and Chinese alike.

This package is the app's alone: it needs spaCy, which the Rasa environment does not have.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timezone
from typing import Final, Optional

from bot.understanding.entities import amounts, durations, identifiers, names, numbers, people, times_en, times_zh
from bot.understanding.entities.entity import Entity
from bot.understanding.entities.names import prepare
from bot.understanding.folding import fold_in_place

__all__ = ["AT_MOST", "READ_AT_MOST", "Entity", "find_entities", "prepare"]

AT_MOST: Final = 50
"""Entities kept of one text; more is a list or an attack, and a person reads it whole."""

READ_AT_MOST: Final = 40_000
"""Characters that are looked at: a person who must find nothing in a text cuts it here."""


def find_entities(text: str, now: Optional[datetime] = None) -> tuple[Entity, ...]:
    """The entities of a text in the order they stand, at most `AT_MOST`; they do not overlap.

    "Yesterday" is counted from `now` (without it, from this moment in UTC). Only the first
    40,000 characters are read.
    """
    now = now or datetime.now(timezone.utc)
    taken: list[Entity] = []
    covered = bytearray(min(len(text), READ_AT_MOST))
    for entity in _all(fold_in_place(text[:READ_AT_MOST]), now):
        if not any(covered[entity.start : entity.end]):
            covered[entity.start : entity.end] = b"\x01" * (entity.end - entity.start)
            taken.append(entity)
    return tuple(sorted(taken, key=lambda entity: entity.start)[:AT_MOST])


def _all(text: str, now: datetime) -> Iterator[Entity]:
    """Of two that overlap the first wins: what is sure before what is likely."""
    yield from people.emails(text)
    yield from identifiers.find(text)
    yield from numbers.find(text)
    yield from times_en.find(text, now)
    yield from times_zh.find(text, now)
    yield from amounts.find(text)
    yield from durations.find(text)
    yield from names.find(text)
    yield from people.phones(text)
