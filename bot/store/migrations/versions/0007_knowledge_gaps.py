"""What the knowledge base could not answer, and whether its articles helped

Revision: 0007, after 0006
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

import bot.store.moment

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None
ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "knowledge_gap",
        sa.Column("id", ID, nullable=False),
        sa.Column("at", bot.store.moment.Moment(timezone=True), nullable=False),
        sa.Column("alike", sa.String(length=64), nullable=False),
        sa.Column("language", sa.String(length=8), nullable=False),
        sa.Column("label", sa.String(length=48), nullable=True),
        sa.Column("why", sa.String(length=16), nullable=False),
        sa.Column("article", sa.String(length=64), nullable=True),
        sa.Column("text", sa.Text(), nullable=False),
        sa.CheckConstraint("why in ('far', 'unhelped', 'search')", name=op.f("ck_knowledge_gap_why")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_knowledge_gap")),
    )
    op.create_index("ix_knowledge_gap_at", "knowledge_gap", ["at"], unique=False)
    op.create_index("ix_knowledge_gap_alike", "knowledge_gap", ["alike"], unique=False)
    op.create_table(
        "article_vote",
        sa.Column("id", ID, nullable=False),
        sa.Column("at", bot.store.moment.Moment(timezone=True), nullable=False),
        sa.Column("article", sa.String(length=64), nullable=False),
        sa.Column("language", sa.String(length=8), nullable=False),
        sa.Column("helped", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_article_vote")),
    )
    op.create_index(op.f("ix_article_vote_article"), "article_vote", ["article"], unique=False)
