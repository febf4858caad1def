"""Addresses that their owners confirm

Revision: 0011, after 0008
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from bot.store.moment import Moment

revision = "0011"
down_revision = "0008"
branch_labels = None
depends_on = None
ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "address_confirmation",
        sa.Column("id", ID, nullable=False),
        sa.Column("conversation_id", ID, nullable=False),
        sa.Column("address", sa.String(length=254), nullable=False),
        sa.Column("address_key", sa.String(length=64), nullable=False),
        sa.Column("ordinal", sa.Integer(), nullable=True),
        sa.Column("token_hash", sa.String(length=64), nullable=True),
        sa.Column("created_at", Moment(), nullable=False),
        sa.Column("expires_at", Moment(), nullable=False),
        sa.Column("confirmed_at", Moment(), nullable=True),
        sa.ForeignKeyConstraint(
            ["conversation_id"], ["conversation.id"], name=op.f("fk_address_confirmation_conversation_id_conversation")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_address_confirmation")),
        sa.UniqueConstraint("address_key", "ordinal", name=op.f("uq_address_confirmation_address_key_ordinal")),
        sa.UniqueConstraint("token_hash", name=op.f("uq_address_confirmation_token_hash")),
    )
    op.create_index(
        op.f("ix_address_confirmation_conversation_id"), "address_confirmation", ["conversation_id"], unique=False
    )
