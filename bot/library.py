"""The knowledge base as the road uses it: the exchange's figures filled in, an article's text, the best per class."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from bot.settings import Settings, SettingsError
from bot.thinking import Articles
from bot.understanding.figures import FiguresError, read_figures
from bot.understanding.knowledge import Knowledge, KnowledgeError
from bot.understanding.labels import COMPLAINTS
from bot.understanding.language import Language
from escalation.carry_out import ArticleText

FOLDER = Path(__file__).resolve().parents[1] / "data" / "knowledge"
FIGURES = FOLDER / "figures.toml"


def load(settings: Settings) -> Knowledge:
    """All articles. Raises SettingsError for a malformed one, or a configured figure that no article knows."""
    try:
        figures = dict(read_figures(FIGURES))
        if unknown := settings.figures.keys() - figures.keys():
            raise SettingsError(f"no article uses the figure {', '.join(sorted(unknown))}: see {FIGURES.name}")
        return Knowledge.load(FOLDER, figures | settings.figures)
    except (KnowledgeError, FiguresError) as error:
        raise SettingsError(str(error)) from error


def article_text(knowledge: Knowledge) -> ArticleText:
    def text(article: str, language: str) -> str:
        found = knowledge.article(article, _spoken(language))
        return f"{found.title}\n\n{found.body}"

    return text


def best_articles(knowledge: Knowledge) -> Articles:
    labels = [label for label in COMPLAINTS if knowledge.for_class(label)]

    def best(text: str, language: str) -> Mapping[str, str]:
        found = knowledge.best_per_class(text, labels, _spoken(language))
        return {label: article.id for label, article in found.items()}

    return best


def _spoken(language: str) -> Language:
    return "zh" if language == "zh" else "en"
