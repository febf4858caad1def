"""One article of the knowledge base: how its file is read, and what is wrong with one that cannot be."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Final

from bot.understanding.knowledge.topics import TOPIC_OF_CLASS, TOPICS
from bot.understanding.labels import CLASSES

LONGEST_BODY: Final = 900
"""Characters of an article with its figures filled in: what is readable in a chat window."""

ARTICLE: Final = "article"
TUTORIAL: Final = "tutorial"
NOTICE: Final = "notice"
KINDS: Final = (ARTICLE, TUTORIAL, NOTICE)

_NEEDED: Final = ("id", "class", "rank", "title", "answers", "source")
_FIELDS: Final = (*_NEEDED, "group", "kind", "since")
_PLACEHOLDER: Final = re.compile(r"\{([^{}\n]*)\}")
_ID: Final = re.compile(r"[a-z0-9_]{1,60}")
_FENCE: Final = "---"


class KnowledgeError(ValueError):
    """An article cannot be used; the sentence names the file, the line where there is one, and what to do."""


@dataclass(frozen=True)
class Article:
    """One article in one language, with the figures filled in. `answers` are the questions it answers."""

    id: str
    class_: str
    title: str
    body: str
    rank: int
    answers: tuple[str, ...]
    group: str
    """The topic it is found under (`TOPICS`)."""
    kind: str = ARTICLE
    since: date | None = None
    """The day of a notice."""

    @property
    def head(self) -> tuple[object, ...]:
        """What is the same in both languages."""
        return self.class_, self.rank, self.group, self.kind, self.since


def read_article(path: Path, figures: Mapping[str, object]) -> Article:
    """Reads a file and fills its {placeholders} with `figures`. Raises KnowledgeError."""
    lines = path.read_text(encoding="utf-8").splitlines()
    if _FENCE not in lines[1:] or lines[0] != _FENCE:
        raise KnowledgeError(f"{path}:1 must begin with the article's fields between two lines of {_FENCE}")
    end = lines.index(_FENCE, 1)
    head = _Head.read(path, lines[1:end])
    filled = [_filled(path, number, line, figures) for number, line in enumerate(lines[end + 1 :], end + 2)]
    body = "\n".join(filled).strip()
    if not 0 < len(body) <= LONGEST_BODY:
        raise KnowledgeError(f"{path}: the text has {len(body)} characters; 1 to {LONGEST_BODY} are readable")
    kind, label = head.kind(), head.label()
    return Article(
        id=head.id(),
        class_=label,
        title=head.facts["title"],
        body=body,
        rank=head.rank(),
        answers=tuple(question.strip() for question in head.facts["answers"].split("|")),
        group=head.group(label),
        kind=kind,
        since=head.since(kind),
    )


@dataclass(frozen=True)
class _Head:
    """The fields of a file, and in which line each stands."""

    path: Path
    facts: Mapping[str, str]
    lines: Mapping[str, int]

    @classmethod
    def read(cls, path: Path, lines: list[str]) -> _Head:
        facts: dict[str, str] = {}
        places: dict[str, int] = {}
        for number, line in enumerate(lines, 2):
            name, colon, value = line.partition(":")
            if not colon or name not in _FIELDS or not value.strip():
                raise KnowledgeError(f"{path}:{number} must read 'field: value' with a field of {', '.join(_FIELDS)}")
            facts[name], places[name] = value.strip(), number
        if missing := [name for name in _NEEDED if name not in facts]:
            raise KnowledgeError(f"{path}: the field {missing[0]!r} is missing")
        return cls(path, facts, places)

    def id(self) -> str:
        id = self.facts["id"]
        if self.path.name.split(".")[0] != id:
            raise self._wrong("id", f"its id is {id!r}, so the file must be called {id}.*.md")
        if not _ID.fullmatch(id):
            raise self._wrong("id", f"the id {id!r} may have small letters, digits and _ only: it is an address")
        return id

    def label(self) -> str:
        if (label := self.facts["class"]) not in CLASSES:
            raise self._wrong("class", f"class {label!r} is none of the taxonomy's")
        return label

    def rank(self) -> int:
        if not self.facts["rank"].isdecimal():
            raise self._wrong("rank", "rank must be a number, 1 for the article to give in doubt")
        return int(self.facts["rank"])

    def group(self, label: str) -> str:
        group = self.facts.get("group") or TOPIC_OF_CLASS.get(label)
        if group not in TOPICS:
            raise self._wrong("group", f"the group {group!r} is none of {', '.join(TOPICS)}")
        return group

    def kind(self) -> str:
        if (kind := self.facts.get("kind", ARTICLE)) not in KINDS:
            raise self._wrong("kind", f"the kind {kind!r} is none of {', '.join(KINDS)}")
        return kind

    def since(self, kind: str) -> date | None:
        given = self.facts.get("since")
        if (given is None) is (kind == NOTICE):
            raise self._wrong("since" if given else "kind", "a notice, and only a notice, has the field 'since'")
        try:
            return None if given is None else date.fromisoformat(given)
        except ValueError:
            raise self._wrong("since", f"since must be a date such as 2026-11-25, not {given!r}") from None

    def _wrong(self, field: str, sentence: str) -> KnowledgeError:
        line = self.lines.get(field, self.lines["class"])
        return KnowledgeError(f"{self.path}:{line} {sentence}")


def _filled(path: Path, number: int, line: str, figures: Mapping[str, object]) -> str:
    for name in _PLACEHOLDER.findall(line):
        if name not in figures:
            raise KnowledgeError(f"{path}:{number} uses {{{name}}}, which the exchange's figures do not define")
    return _PLACEHOLDER.sub(lambda match: str(figures[match.group(1)]), line)
