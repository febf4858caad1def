"""What the knowledge base could not answer, and whether its articles helped: written and counted."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, case, func, insert, select

from bot.store.knowledge_tables import ArticleVote, KnowledgeGap

FAR = "far"
UNHELPED = "unhelped"
SEARCH = "search"
LONGEST_TEXT = 300


@dataclass(frozen=True, kw_only=True)
class Gap:
    """A question without a good answer. `text` is masked already, `alike` equal for questions of the same words."""

    text: str
    alike: str
    language: str
    why: str
    label: str | None = None
    article: str | None = None


@dataclass(frozen=True, kw_only=True)
class GapGroup:
    """Questions of the same words, as often as they were asked; the newest stands for all."""

    times: int
    first_at: datetime
    last_at: datetime
    text: str
    language: str
    why: str
    label: str | None
    article: str | None


@dataclass(frozen=True, kw_only=True)
class Votes:
    article: str
    helped: int
    unhelped: int


def add_gap(connection: Connection, gap: Gap, at: datetime) -> None:
    values = {**vars(gap), "text": gap.text[:LONGEST_TEXT], "at": at}
    connection.execute(insert(KnowledgeGap).values(**values))


def gap_groups(connection: Connection, limit: int) -> Sequence[GapGroup]:
    """Newest first."""
    grouped = (
        select(
            func.count().label("times"),
            func.min(KnowledgeGap.at).label("first_at"),
            func.max(KnowledgeGap.at).label("last_at"),
            func.max(KnowledgeGap.id).label("newest"),
        )
        .group_by(KnowledgeGap.alike)
        .order_by(func.max(KnowledgeGap.id).desc())
        .limit(limit)
        .subquery()
    )
    shown = [getattr(KnowledgeGap, name) for name in ("text", "language", "why", "label", "article")]
    query = (
        select(grouped.c.times, grouped.c.first_at, grouped.c.last_at, *shown)
        .join(KnowledgeGap, KnowledgeGap.id == grouped.c.newest)
        .order_by(grouped.c.newest.desc())
    )
    return [GapGroup(**row._mapping) for row in connection.execute(query)]


def count_groups(connection: Connection) -> int:
    return int(connection.execute(select(func.count(KnowledgeGap.alike.distinct()))).scalar_one())


def add_vote(connection: Connection, article: str, language: str, at: datetime, *, helped: bool) -> None:
    connection.execute(insert(ArticleVote).values(article=article, language=language, helped=helped, at=at))


def votes(connection: Connection) -> Sequence[Votes]:
    """By article, the one that helped least first."""
    helped = func.sum(case((ArticleVote.helped.is_(True), 1), else_=0)).label("helped")
    unhelped = func.sum(case((ArticleVote.helped.is_(False), 1), else_=0)).label("unhelped")
    query = select(ArticleVote.article, helped, unhelped).group_by(ArticleVote.article)
    rows = connection.execute(query.order_by(unhelped.desc(), ArticleVote.article))
    return [Votes(article=row.article, helped=int(row.helped), unhelped=int(row.unhelped)) for row in rows]
