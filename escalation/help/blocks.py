"""The plain text of an article as the blocks of a page: paragraphs, numbered steps, lists."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Final

PARAGRAPH: Final = "p"
STEPS: Final = "ol"
LIST: Final = "ul"
_STEP: Final = re.compile(r"(\d{1,2})[.、)]\s*")
_POINT: Final = re.compile(r"[-•]\s+")


@dataclass
class Block:
    kind: str
    lines: list[str] = field(default_factory=list)
    start: int = 1
    """The number of the first step."""


def blocks(body: str) -> list[Block]:
    """Lines of one kind stand together; an empty line ends a paragraph."""
    found: list[Block] = []
    for paragraph in re.split(r"\n\s*\n", body.strip()):
        current: Block | None = None
        for line in filter(None, map(str.strip, paragraph.splitlines())):
            kind, start, text = _read(line)
            if current is None or current.kind != kind:
                current = Block(kind, start=start)
                found.append(current)
            current.lines.append(text)
    return found


def _read(line: str) -> tuple[str, int, str]:
    if step := _STEP.match(line):
        return STEPS, int(step.group(1)), line[step.end() :]
    if point := _POINT.match(line):
        return LIST, 1, line[point.end() :]
    return PARAGRAPH, 1, line
