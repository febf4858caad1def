"""The tables of the knowledge base: what it could not answer, and whether its articles helped."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import CheckConstraint, Index, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from bot.store.tables import Base, Id


class KnowledgeGap(Base):
    """A question that no article answered, once per time it was asked. The text points to nobody: it is masked."""

    __tablename__ = "knowledge_gap"
    id: Mapped[int] = mapped_column(Id, primary_key=True)
    at: Mapped[datetime]
    alike: Mapped[str] = mapped_column(String(64))
    """Equal for questions of the same words, whatever their case, spelling and punctuation."""
    language: Mapped[str] = mapped_column(String(8))
    label: Mapped[str | None] = mapped_column(String(48))
    """The class of the matter; None for a search, where nobody says what it is about."""
    why: Mapped[str] = mapped_column(String(16))
    """far: the best article was no good one; unhelped: it did not help; search: a search found nothing."""
    article: Mapped[str | None] = mapped_column(String(64))
    """What was given nevertheless."""
    text: Mapped[str] = mapped_column(Text)
    __table_args__ = (
        CheckConstraint("why in ('far', 'unhelped', 'search')", name="why"),
        Index("ix_knowledge_gap_at", "at"),
        Index("ix_knowledge_gap_alike", "alike"),
    )


class ArticleVote(Base):
    """A reader of the help pages said whether an article helped. Nothing is kept of who it was."""

    __tablename__ = "article_vote"
    id: Mapped[int] = mapped_column(Id, primary_key=True)
    at: Mapped[datetime]
    article: Mapped[str] = mapped_column(String(64), index=True)
    language: Mapped[str] = mapped_column(String(8))
    helped: Mapped[bool]
