"""Invitations from one conversation to another

Revision: 0013, after 0008
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

import bot.store.moment

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None

ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
MOMENT = bot.store.moment.Moment(timezone=True)
CONVERSATIONS = ("conversation_id", "for_id", "used_by")


def upgrade() -> None:
    op.create_table(
        "invitation",
        sa.Column("id", ID, nullable=False),
        sa.Column("token_hash", sa.String(length=64), nullable=False),
        sa.Column("purpose", sa.String(length=8), nullable=False),
        sa.Column("conversation_id", ID, nullable=True),
        sa.Column("case_id", ID, nullable=True),
        sa.Column("for_id", ID, nullable=True),
        sa.Column("used_by", ID, nullable=True),
        sa.Column("used_at", MOMENT, nullable=True),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.Column("expires_at", MOMENT, nullable=False),
        sa.CheckConstraint("purpose in ('private', 'public', 'code')", name=op.f("ck_invitation_purpose")),
        sa.CheckConstraint("conversation_id is not null or case_id is not null", name=op.f("ck_invitation_origin")),
        sa.ForeignKeyConstraint(["case_id"], ["complaint_case.id"], name=op.f("fk_invitation_case_id_complaint_case")),
        *(
            sa.ForeignKeyConstraint([name], ["conversation.id"], name=op.f(f"fk_invitation_{name}_conversation"))
            for name in CONVERSATIONS
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_invitation")),
        sa.UniqueConstraint("token_hash", name=op.f("uq_invitation_token_hash")),
    )
    used = sa.text("used_by is not null")
    op.create_index("ix_invitation_for_id", "invitation", ["for_id"])
    for name in ("conversation_id", "used_by"):
        op.create_index(f"ix_invitation_{name}", "invitation", [name], sqlite_where=used, postgresql_where=used)
