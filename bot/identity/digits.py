"""Six digits in a text: where a one-time code may stand, however people write it. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final

from bot.understanding.folding import fold_in_place

DIGITS: Final = 6
MASK: Final = "••••••"
_RUN: Final = re.compile(r"[0-9]+(?:[ \u00a0.·‐‑–-][0-9]+)*")
_DATE: Final = re.compile(r"(?<![0-9])(?:19|20)[0-9]{2}([-./])[0-9]{1,2}\1[0-9]{1,2}(?![0-9])")
"""2024-05-01: in a complaint it is a day, and must not cost a try."""


@dataclass(frozen=True)
class Group:
    """`code` are the digits alone, `start` and `end` their place in the text as given."""

    code: str
    start: int
    end: int


def groups(text: str, without: Iterable[tuple[int, int]] = ()) -> tuple[Group, ...]:
    """All that may be a code: six digits with at most one space, dash or dot between two of them.

    Letters may touch them ("code123456"). The stretches `without`, and days of the calendar, are passed over.
    "12 34 56 78" holds two of them, 123456 and 345678: whichever was meant, it is found.
    """
    folded = list(fold_in_place(text))
    for start, end in [*without, *(match.span() for match in _DATE.finditer("".join(folded)))]:
        folded[start:end] = "x" * (end - start)
    return tuple(_of_runs("".join(folded)))


def cut(text: str, spans: Iterable[tuple[int, int]]) -> str:
    """The text with a space where each stretch was; they may overlap."""
    left = list(text)
    for start, end in spans:
        left[start:end] = " " * (end - start)
    return "".join(left)


def masked(text: str, code: str) -> str:
    """The text with dots in every place where this code stands."""
    pieces, end = [], 0
    for group in _of_runs(fold_in_place(text)):
        if group.code == code and group.start >= end:
            pieces += [text[end : group.start], MASK]
            end = group.end
    return "".join([*pieces, text[end:]])


def _of_runs(folded: str) -> Iterator[Group]:
    for run in _RUN.finditer(folded):
        blocks = [(run.start() + m.start(), run.start() + m.end()) for m in re.finditer("[0-9]+", run.group())]
        for first in range(len(blocks)):
            yield from _from_block(folded, blocks[first : first + DIGITS])


def _from_block(folded: str, blocks: list[tuple[int, int]]) -> Iterator[Group]:
    """Six digits that begin with the first block and end with a block."""
    digits = ""
    for start, end in blocks:
        digits += folded[start:end]
        if len(digits) == DIGITS:
            yield Group(digits, blocks[0][0], end)
        if len(digits) >= DIGITS:
            return
