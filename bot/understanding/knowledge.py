"""Which article answers a question, in the user's language and with this exchange's own figures?"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final, get_args

import numpy as np

from bot.understanding.labels import CLASSES
from bot.understanding.language import Language
from bot.understanding.ngrams import NGrams, Rows

LONGEST_BODY: Final = 900
"""Characters of an article with its figures filled in: what is readable in a chat window."""

CLEAR: Final = 0.10
"""Similarity from which a message picks among the articles of its class; below, the class's first one is given.

Measured on the n-grams of short questions: unrelated ones reach 0.05, the same question in other words 0.15 and more.
"""

_FIELDS: Final = ("id", "class", "rank", "title", "answers", "source")
_PLACEHOLDER: Final = re.compile(r"\{([^{}\n]*)\}")
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


class Knowledge:
    """The articles of all languages. Made by `Knowledge.load`."""

    def __init__(self, articles: Mapping[tuple[str, Language], Article]) -> None:
        self._articles = dict(articles)
        self._place = {key: place for place, key in enumerate(self._articles)}
        lines = [(article.title, *article.answers) for article in self._articles.values()]
        flat = [line for several in lines for line in several]
        self._first_lines = np.cumsum([0, *map(len, lines[:-1])])
        self._ngrams = NGrams.fit(flat, at_least=1)
        self._rows = Rows([self._ngrams.row(line) for line in flat], len(self._ngrams.vocabulary))
        self._ids_of = {label: self._of_class(label) for label in CLASSES}

    @classmethod
    def load(cls, folder: Path, figures: Mapping[str, object]) -> Knowledge:
        """Reads `<id>.en.md` and `<id>.zh.md` from `folder` and fills {placeholders} with `figures`.

        Raises KnowledgeError for a malformed article, a placeholder or class that nobody knows, or a missing twin.
        """
        articles: dict[tuple[str, Language], Article] = {}
        for language in get_args(Language):
            for path in sorted(folder.glob(f"*.{language}.md")):
                article = _read(path, figures)
                articles[article.id, language] = article
        if not articles:
            raise KnowledgeError(f"{folder} holds no article; it should hold files such as how_to_deposit.en.md")
        _check_twins(folder, articles)
        return cls(articles)

    def article(self, id: str, language: Language) -> Article:
        """Raises KeyError when no article has that id."""
        return self._articles[id, language]

    def ids(self) -> tuple[str, ...]:
        return tuple(sorted({id for id, _ in self._articles}))

    def for_class(self, label: str) -> tuple[str, ...]:
        """The ids of the articles of a class, the one to give in doubt first."""
        return self._ids_of.get(label, ())

    def best(self, text: str, label: str, language: Language) -> Article | None:
        """The article for `text`, a message of class `label`; None when the class has no article.

        The most similar of the class's articles, or its first one when none is `CLEAR`.
        """
        return self.best_per_class(text, (label,), language).get(label)

    def best_per_class(self, text: str, labels: Iterable[str], language: Language) -> Mapping[str, Article]:
        """`best` for several classes at the price of one; a class without articles is left out."""
        of_lines = self._rows.cosines(self._ngrams.row(text[:1000]))
        closeness = np.maximum.reduceat(of_lines, self._first_lines).tolist()
        found: dict[str, Article] = {}
        for label in labels:
            if own := self.for_class(label):
                best, id = max((closeness[self._place[id, language]], id) for id in own)
                found[label] = self.article(id if best >= CLEAR else own[0], language)
        return found

    def _of_class(self, label: str) -> tuple[str, ...]:
        own = [article for (_, language), article in self._articles.items() if language == "en"]
        return tuple(article.id for article in sorted(own, key=lambda one: one.rank) if article.class_ == label)


def _read(path: Path, figures: Mapping[str, object]) -> Article:
    lines = path.read_text(encoding="utf-8").splitlines()
    if _FENCE not in lines[1:] or lines[0] != _FENCE:
        raise KnowledgeError(f"{path}:1 must begin with the article's fields between two lines of {_FENCE}")
    end = lines.index(_FENCE, 1)
    facts = _fields(path, lines[1:end])
    if facts["class"] not in CLASSES:
        raise KnowledgeError(f"{path}: class {facts['class']!r} is none of the taxonomy's")
    if path.name.split(".")[0] != facts["id"]:
        raise KnowledgeError(f"{path}: its id is {facts['id']!r}, so the file must be called {facts['id']}.*.md")
    if not facts["rank"].isdigit():
        raise KnowledgeError(f"{path}: rank must be a number, 1 for the article to give in doubt")
    filled = [_filled(path, number, line, figures) for number, line in enumerate(lines[end + 1 :], end + 2)]
    body = "\n".join(filled).strip()
    if not 0 < len(body) <= LONGEST_BODY:
        raise KnowledgeError(f"{path}: the text has {len(body)} characters; 1 to {LONGEST_BODY} are readable")
    answers = tuple(question.strip() for question in facts["answers"].split("|"))
    return Article(facts["id"], facts["class"], facts["title"], body, int(facts["rank"]), answers)


def _fields(path: Path, lines: list[str]) -> dict[str, str]:
    facts: dict[str, str] = {}
    for number, line in enumerate(lines, 2):
        name, colon, value = line.partition(":")
        if not colon or name not in _FIELDS or not value.strip():
            raise KnowledgeError(f"{path}:{number} must read 'field: value' with a field of {', '.join(_FIELDS)}")
        facts[name] = value.strip()
    if missing := [name for name in _FIELDS if name not in facts]:
        raise KnowledgeError(f"{path}: the field {missing[0]!r} is missing")
    return facts


def _filled(path: Path, number: int, line: str, figures: Mapping[str, object]) -> str:
    for name in _PLACEHOLDER.findall(line):
        if name not in figures:
            raise KnowledgeError(f"{path}:{number} uses {{{name}}}, which the exchange's figures do not define")
    return _PLACEHOLDER.sub(lambda match: str(figures[match.group(1)]), line)


def _check_twins(folder: Path, articles: Mapping[tuple[str, Language], Article]) -> None:
    for (id, _), article in articles.items():
        for other in get_args(Language):
            twin = articles.get((id, other))
            if twin is None:
                raise KnowledgeError(f"{folder / id}.{other}.md is missing: every article has its twin")
            if (twin.class_, twin.rank) != (article.class_, article.rank):
                raise KnowledgeError(f"{folder / id}.{other}.md differs from its twin in class or rank")
