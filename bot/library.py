"""The knowledge base as the road uses it: the exchange's figures filled in, an article's text, the best per class."""

from __future__ import annotations

import hashlib
import io
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from threading import Thread

import numpy as np
from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

from bot.files import write_whole
from bot.memory import give_back_memory
from bot.script import for_models
from bot.settings import Settings, SettingsError
from bot.thinking import Articles
from bot.understanding.encoder import UseEncoder, Vectors, encoder_named
from bot.understanding.knowledge import ENCODER, GOOD, Knowledge, KnowledgeError
from bot.understanding.knowledge.figures import FiguresError, read_figures
from bot.understanding.labels import COMPLAINTS
from bot.wording import base
from channels.contract import Words
from escalation.carry_out import ArticleText
from escalation.help.routes import address_of

FOLDER = Path(__file__).resolve().parents[1] / "data" / "knowledge"
FIGURES = FOLDER / "figures.toml"
VECTORS = "articles.{digest}.npy"
"""In the data folder: the vectors of the articles' own lines, so that a start does not compute them anew."""


def load(settings: Settings) -> Knowledge:
    """All articles. Raises SettingsError for a malformed one, or a configured figure that no article knows."""
    try:
        figures = dict(read_figures(FIGURES))
        if unknown := settings.figures.keys() - figures.keys():
            raise SettingsError(f"no article uses the figure {', '.join(sorted(unknown))}: see {FIGURES.name}")
        return Knowledge.load(FOLDER, figures | settings.figures)
    except (KnowledgeError, FiguresError) as error:
        raise SettingsError(str(error)) from error


def prepare(knowledge: Knowledge, data_dir: Path) -> None:
    """Begins with everything that the first question would have to wait for; the start does not wait for it."""
    Thread(target=_prepare, args=(knowledge, data_dir), name="library", daemon=True).start()


def _prepare(knowledge: Knowledge, data_dir: Path) -> None:
    # For the whole process and for good: BLAS threads wait for each other longer than they compute.
    threadpool_limits(limits=1)
    knowledge.prepare(lambda lines: kept_vectors(lines, data_dir))
    encoder = encoder_named(ENCODER)
    if isinstance(encoder, UseEncoder):
        with suppress(OSError):  # a full disk costs memory, and nothing else
            encoder.rest_on(data_dir)
    give_back_memory()


def trouble(knowledge: Knowledge) -> str | None:
    return None if knowledge.ready else "the articles are being loaded; until then questions get less fitting ones"


def article_text(knowledge: Knowledge, words: Words, public_url: str) -> ArticleText:
    """An article as it is said, with the place where it can be read again."""

    def text(article: str, language: str) -> str:
        found = knowledge.article(article, base(language))
        title, body = (words.written(each, language) for each in (found.title, found.body))
        cited = words.say("bot.article_cited", language, title=title, address=address_of(public_url, article, language))
        return f"{title}\n\n{body}\n\n{cited}"

    return text


def best_articles(knowledge: Knowledge) -> Articles:
    """Nothing while the library is still being prepared: then the class's first article is given, and nobody waits."""
    labels = [label for label in COMPLAINTS if knowledge.for_class(label)]

    def best(text: str, language: str) -> Mapping[str, str]:
        if not knowledge.ready:
            return {}
        found = knowledge.best_per_class(text, labels, base(language))
        return {label: match.article.id for label, match in found.items()}

    return best


class ArticleShelf:
    """What gaps are judged by (`bot.gaps.Shelf`)."""

    def __init__(self, knowledge: Knowledge) -> None:
        self._knowledge = knowledge

    def is_far(self, article: str, text: str, language: str) -> bool:
        return self._knowledge.ready and self._knowledge.closeness(for_models(text), article, base(language)) < GOOD

    def class_of(self, article: str) -> str:
        return self._knowledge.article(article, "en").class_


def kept_vectors(lines: Sequence[str], data_dir: Path) -> Vectors:
    """As the encoder makes them, from the file of the same lines if there is one."""
    digest = hashlib.sha256("\n".join((ENCODER, *lines)).encode()).hexdigest()[:32]
    path = data_dir / VECTORS.format(digest=digest)
    try:
        kept: Vectors = np.load(path, allow_pickle=False)
        if len(kept) == len(lines):
            return kept
    except (OSError, ValueError, EOFError):
        pass  # there is none, or it is no longer whole
    vectors = encoder_named(ENCODER).encode(lines)
    _keep(path, vectors)
    return vectors


def _keep(path: Path, vectors: Vectors) -> None:
    """In place of those of earlier articles. A full disk costs the next start some time, and nothing else."""
    content = io.BytesIO()
    np.save(content, vectors, allow_pickle=False)
    try:
        write_whole(path, content.getvalue())
        for other in path.parent.glob(VECTORS.format(digest="*")):
            if other != path:
                other.unlink(missing_ok=True)
    except OSError:
        return
