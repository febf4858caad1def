"""What operators did by hand to parked rows

Revision: 0004, after 0003
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

import bot.store.moment

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None
STUCK = "state in ('parked', 'failed', 'unknown') and settled_at is null"


def upgrade() -> None:
    op.create_table(
        "operator_deed",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("at", bot.store.moment.Moment(timezone=True), nullable=False),
        sa.Column("deed", sa.String(length=16), nullable=False),
        sa.Column("target", sa.String(length=32), nullable=False),
        sa.Column("person", sa.String(length=120), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_operator_deed")),
    )
    op.create_index(op.f("ix_operator_deed_target"), "operator_deed", ["target"], unique=False)
    op.add_column("outbox", sa.Column("tried_since", bot.store.moment.Moment(timezone=True), nullable=True))
    op.add_column("outbox", sa.Column("settled_at", bot.store.moment.Moment(timezone=True), nullable=True))
    op.create_index(
        "ix_outbox_stuck",
        "outbox",
        ["state"],
        unique=False,
        sqlite_where=sa.text(STUCK),
        postgresql_where=sa.text(STUCK),
    )
