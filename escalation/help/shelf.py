"""The articles as a reader sees them: in the reader's language and script."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from bot.understanding.folding import fold_in_place
from bot.understanding.knowledge import Article, Knowledge
from bot.understanding.knowledge.base import Match
from bot.wording import Wording, base


class Shelf:
    """`Knowledge` for "en", "zh" and "zh-Hant": looked up in the language, shown in the script."""

    def __init__(self, knowledge: Knowledge, words: Wording) -> None:
        self._knowledge = knowledge
        self._words = words

    def article(self, id: str, language: str) -> Article:
        """Raises KeyError for an id that no article has."""
        return self._written(self._knowledge.article(id, base(language)), language)

    def search(self, text: str, language: str, limit: int) -> list[Match]:
        found = self._knowledge.search(fold_in_place(text), base(language), limit)
        return [replace(match, article=self._written(match.article, language)) for match in found]

    def related(self, id: str, language: str) -> list[Article]:
        return [self._written(one, language) for one in self._knowledge.related(id, base(language))]

    def topics(self, language: str) -> Mapping[str, list[Article]]:
        topics = self._knowledge.topics(base(language))
        return {topic: [self._written(one, language) for one in own] for topic, own in topics.items()}

    def notices(self, language: str) -> list[Article]:
        return [self._written(one, language) for one in self._knowledge.notices(base(language))]

    def _written(self, article: Article, language: str) -> Article:
        title, body = (self._words.written(text, language) for text in (article.title, article.body))
        return replace(article, title=title, body=body)
