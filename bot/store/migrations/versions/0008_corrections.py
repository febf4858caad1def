"""What agents taught the bot

Revision: 0008, after 0007
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from bot.store.moment import Moment

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None
ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "correction",
        sa.Column("id", ID, nullable=False),
        sa.Column("inbox_id", ID, nullable=False),
        sa.Column("case_id", ID, nullable=True),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("language", sa.String(length=8), nullable=False),
        sa.Column("old_label", sa.String(length=48), nullable=True),
        sa.Column("new_label", sa.String(length=48), nullable=False),
        sa.Column("old_escalate", sa.Boolean(), nullable=False),
        sa.Column("new_escalate", sa.Boolean(), nullable=False),
        sa.Column("agent_id", ID, nullable=False),
        sa.Column("at", Moment(), nullable=False),
        sa.ForeignKeyConstraint(["inbox_id"], ["inbox.id"], name=op.f("fk_correction_inbox_id_inbox")),
        sa.ForeignKeyConstraint(["case_id"], ["complaint_case.id"], name=op.f("fk_correction_case_id_complaint_case")),
        sa.ForeignKeyConstraint(["agent_id"], ["agent.id"], name=op.f("fk_correction_agent_id_agent")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_correction")),
    )
    op.create_index(op.f("ix_correction_inbox_id"), "correction", ["inbox_id"], unique=False)
