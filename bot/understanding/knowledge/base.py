"""All articles of both languages: by their id, by their class, by what a text asks."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from threading import Lock
from typing import Final, get_args

from bot.understanding.encoder import encoder_named
from bot.understanding.knowledge.article import NOTICE, Article, KnowledgeError, read_article
from bot.understanding.knowledge.closeness import Closeness, Encode, Lines
from bot.understanding.knowledge.topics import TOPICS
from bot.understanding.knowledge.words import Words, terms_of
from bot.understanding.labels import CLASSES
from bot.understanding.language import Language, language_of

CLEAR: Final = 0.25
"""Closeness from which a message picks among the articles of its class; below, the class's first one is given."""
GOOD: Final = 0.36
"""Closeness from which an article answers a question; a question without one is a gap of the knowledge base.

Both measured on data/evaluation/knowledge.tsv: docs/decisions/0017.
"""
NEAR: Final = 0.22
"""Closeness from which a search shows an article when it finds no good one."""
NEAREST: Final = 3
LANGUAGES: Final[tuple[Language, ...]] = get_args(Language)
ENCODER: Final = "use"


@dataclass(frozen=True)
class Match:
    """An article, how close a text is to it, and whether it has all the words of a search."""

    article: Article
    closeness: float
    worded: bool = False

    @property
    def good(self) -> bool:
        return self.worded or self.closeness >= GOOD


class Knowledge:
    """The articles of all languages. Made by `Knowledge.load`."""

    def __init__(self, articles: Mapping[tuple[str, Language], Article], encode: Encode | None = None) -> None:
        self._articles = dict(articles)
        self._encode = encode
        self._ids = tuple(sorted({id for id, _ in self._articles}))
        self._place = {id: place for place, id in enumerate(self._ids)}
        self._ids_of = {label: self._of_class(label) for label in CLASSES}
        self._words = Words([self._parts(id) for id in self._ids])
        self._vectors_of: Encode | None = None
        self._making = Lock()
        self._made: Closeness | None = None

    @classmethod
    def load(cls, folder: Path, figures: Mapping[str, object], encode: Encode | None = None) -> Knowledge:
        """Reads `<id>.en.md` and `<id>.zh.md` from `folder` and fills {placeholders} with `figures`.

        Raises KnowledgeError for a malformed article, a placeholder or class that nobody knows, or a missing twin.
        """
        articles: dict[tuple[str, Language], Article] = {}
        for language in LANGUAGES:
            for path in sorted(folder.glob(f"*.{language}.md")):
                article = read_article(path, figures)
                articles[article.id, language] = article
        if not articles:
            raise KnowledgeError(f"{folder} holds no article; it should hold files such as how_to_deposit.en.md")
        _check_twins(folder, articles)
        return cls(articles, encode)

    def prepare(self, vectors_of: Encode | None = None) -> None:
        """Loads the encoder now rather than with the first question. `vectors_of` encodes the articles' own lines."""
        self._vectors_of = vectors_of
        self.closeness("", self._ids[0], "en")

    @property
    def ready(self) -> bool:
        """Whether a question is answered at once, without waiting for what `prepare` does."""
        return self._made is not None

    def article(self, id: str, language: Language) -> Article:
        """Raises KeyError when no article has that id."""
        return self._articles[id, language]

    def ids(self) -> tuple[str, ...]:
        return self._ids

    def for_class(self, label: str) -> tuple[str, ...]:
        """The ids of the articles of a class, the one to give in doubt first."""
        return self._ids_of.get(label, ())

    def best(self, text: str, label: str, language: Language) -> Article | None:
        """The article for `text`, a message of class `label`; None when the class has no article.

        The closest of the class's articles, or its first one when none is `CLEAR`.
        """
        found = self.best_per_class(text, (label,), language).get(label)
        return None if found is None else found.article

    def best_per_class(self, text: str, labels: Iterable[str], language: Language) -> Mapping[str, Match]:
        """`best` for several classes at the price of one; a class without articles is left out."""
        close = self._closeness.of(text, language)
        found: dict[str, Match] = {}
        for label in labels:
            if own := self.for_class(label):
                best, id = max((close[self._place[id]], id) for id in own)
                given = id if best >= CLEAR else own[0]
                found[label] = Match(self.article(given, language), close[self._place[given]])
        return found

    def closeness(self, text: str, id: str, language: Language) -> float:
        """How close a text is to one article. Costs nothing when the text has just been looked up."""
        return self._closeness.of(text, language)[self._place[id]]

    def search(self, text: str, language: Language, limit: int = 10) -> list[Match]:
        """What to read about `text`, a question or a few words in either language; the best first.

        The good ones; where there is none, the few that come nearest.
        """
        if not terms_of(text):
            return []
        close = self._closeness.of(text, language_of(text) or language)
        held = self._words.found(text)
        places = sorted(range(len(self._ids)), key=lambda place: -(held[place] + close[place]))
        found = [self._match(place, close[place], language, worded=held[place] > 0) for place in places]
        if good := [match for match in found if match.good]:
            return good[:limit]
        return [match for match in found if match.closeness >= NEAR][: min(NEAREST, limit)]

    def related(self, id: str, language: Language, limit: int = 4) -> list[Article]:
        """What somebody may want to read next: the closest articles of the same topic, then of the others."""
        own = self.article(id, language)
        close = self._closeness.of(own.title, language)
        others = [self.article(other, language) for other in self._ids if other != id]
        others.sort(key=lambda one: (one.group != own.group, -close[self._place[one.id]]))
        return others[:limit]

    def topics(self, language: Language) -> Mapping[str, list[Article]]:
        """All that is not a notice, by topic, in the order of the page; a topic without articles is left out."""
        articles = [self.article(id, language) for id in self._ids]
        articles.sort(key=lambda one: (one.class_, one.rank))
        grouped = {topic: [one for one in articles if one.group == topic and one.kind != NOTICE] for topic in TOPICS}
        return {topic: own for topic, own in grouped.items() if own}

    def notices(self, language: Language) -> list[Article]:
        """The risk notices, newest first."""
        found = [article for (_, spoken), article in self._articles.items() if spoken == language and article.since]
        return sorted(found, key=lambda one: (str(one.since), one.id), reverse=True)

    @property
    def _closeness(self) -> Closeness:
        """Made once, whoever asks first; the others wait."""
        with self._making:
            if self._made is None:
                lines = [self._lines(id) for id in self._ids]
                self._made = Closeness(lines, self._encode or encoder_named(ENCODER).encode, self._vectors_of)
            return self._made

    def _match(self, place: int, closeness: float, language: Language, *, worded: bool) -> Match:
        return Match(self.article(self._ids[place], language), closeness, worded)

    def _lines(self, id: str) -> Lines:
        found: list[tuple[Language, str]] = []
        for language in LANGUAGES:
            article = self.article(id, language)
            found += [(language, line) for line in (article.title, *article.answers)]
        return found

    def _parts(self, id: str) -> tuple[str, str, str]:
        """Title, questions and body in all languages, for the search of words."""
        both = [self.article(id, language) for language in LANGUAGES]
        questions = " ".join(question for one in both for question in one.answers)
        return " ".join(one.title for one in both), questions, " ".join(one.body for one in both)

    def _of_class(self, label: str) -> tuple[str, ...]:
        own = [article for (_, language), article in self._articles.items() if language == "en"]
        return tuple(article.id for article in sorted(own, key=lambda one: one.rank) if article.class_ == label)


def _check_twins(folder: Path, articles: Mapping[tuple[str, Language], Article]) -> None:
    for (id, _), article in articles.items():
        for other in LANGUAGES:
            twin = articles.get((id, other))
            if twin is None:
                raise KnowledgeError(f"{folder / id}.{other}.md is missing: every article has its twin")
            if twin.head != article.head:
                raise KnowledgeError(
                    f"{folder / id}.{other}.md differs from its twin in class or rank, group, kind or since"
                )
