"""Transcripts as people read them: text files with several conversations each, and what their lines mean.

    ## A first report, and the answer helped
    as: 10004
    user: my deposit is not there
    desk: Deposit sent but not credited …
    desk: Does this answer your question?
      [Yes] [No] [Talk to a person]
    press: Yes
    end: resolved

The lines of a longer text are indented; the last one of a desk's words shows the buttons. "…" stands for any text.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final, override

FOLDER: Final = Path(__file__).parent / "transcripts"
DONE: Final = ("user", "file", "press", "code", "agent", "restart")
"""What is done: somebody writes, sends a file, presses a button, types the code that came by e-mail; an agent acts, or
writes, and the user sees it; Rasa is restarted."""
SEEN: Final = ("desk", "end", "summary")
"""What is seen: the desk's words, how the conversation ended, what the person is told about it."""
ANY: Final = "…"
_LINE: Final = re.compile(r"([a-z]+): (.*)")


@dataclass(frozen=True)
class Line:
    kind: str
    text: str

    def fits(self, seen: Line) -> bool:
        pattern = ".*?".join(re.escape(part) for part in self.text.split(ANY))
        return self.kind == seen.kind and re.fullmatch(pattern, seen.text, re.DOTALL) is not None

    @override
    def __str__(self) -> str:
        return f"{self.kind}: {self.text}".replace("\n", "\n  ")


@dataclass(frozen=True)
class Script:
    """One conversation. `account` is the user of the exchange whose app names them, "" for a guest."""

    file: str
    title: str
    account: str
    lines: Sequence[Line]

    @property
    def id(self) -> str:
        return f"{self.file}: {self.title}"

    @property
    def language(self) -> str:
        return self.file.rpartition(".")[2]

    @property
    def deeds(self) -> Sequence[Line]:
        return [line for line in self.lines if line.kind in DONE]

    def played(self, lines: Sequence[Line]) -> Script:
        return replace(self, lines=lines)

    @override
    def __str__(self) -> str:
        head = [f"## {self.title}", *([f"as: {self.account}"] if self.account else [])]
        return "\n".join([*head, *map(str, self.lines)])


def scripts(folder: Path = FOLDER) -> list[Script]:
    """All conversations. Raises ValueError for a line that means nothing."""
    return [script for path in sorted(folder.glob("*.txt")) for script in read(path)]


def read(path: Path) -> Iterator[Script]:
    for part in path.read_text(encoding="utf-8").split("\n## ")[1:]:
        title, *rest = part.strip().split("\n")
        lines = list(_lines(rest))
        accounts = [line.text for line in lines if line.kind == "as"]
        yield Script(path.stem, title, accounts[0] if accounts else "", [x for x in lines if x.kind != "as"])


def preface(path: Path) -> str:
    """What the file says before its first conversation."""
    return path.read_text(encoding="utf-8").split("\n## ")[0].rstrip()


def _lines(rows: Sequence[str]) -> Iterator[Line]:
    found: list[Line] = []
    for row in filter(str.strip, rows):
        if row.startswith("  ") and found:
            found[-1] = replace(found[-1], text=f"{found[-1].text}\n{row[2:]}")
            continue
        line = _LINE.fullmatch(row)
        if line is None or line[1] not in (*DONE, *SEEN, "as"):
            raise ValueError(f"a transcript has no such line: {row}")
        found.append(Line(line[1], line[2]))
    yield from found
