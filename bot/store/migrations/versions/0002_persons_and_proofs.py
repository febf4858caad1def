"""Persons and proofs of identity

Revision: 0002, after 0001
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

import bot.store.moment

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
MOMENT = bot.store.moment.Moment(timezone=True)


def upgrade() -> None:
    op.create_table(
        "person",
        sa.Column("id", ID, nullable=False),
        sa.Column("uid", sa.String(length=64), nullable=False),
        sa.Column("name", sa.String(length=120), nullable=False),
        sa.Column("language", sa.String(length=8), nullable=True),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_person")),
        sa.UniqueConstraint("uid", name=op.f("uq_person_uid")),
    )
    # Plain columns: a foreign key would make SQLite copy both tables.
    op.add_column("conversation", sa.Column("person_id", ID, nullable=True))
    op.add_column("conversation", sa.Column("proving_until", MOMENT, nullable=True))
    op.add_column("complaint_case", sa.Column("person_id", ID, nullable=True))
    present = sa.text("person_id is not null")
    op.create_index(
        "ix_conversation_person_id", "conversation", ["person_id"], sqlite_where=present, postgresql_where=present
    )
    op.create_index(op.f("ix_complaint_case_person_id"), "complaint_case", ["person_id"])
    _proof()
    _code()
    _dialogue()


def _proof() -> None:
    op.create_table(
        "identity_proof",
        sa.Column("id", ID, nullable=False),
        sa.Column("conversation_id", ID, nullable=False),
        sa.Column("person_id", ID, nullable=False),
        sa.Column("method", sa.String(length=64), nullable=False),
        sa.Column("detail", sa.String(length=255), nullable=False),
        sa.Column("at", MOMENT, nullable=False),
        sa.Column("until", MOMENT, nullable=False),
        sa.ForeignKeyConstraint(
            ["conversation_id"], ["conversation.id"], name=op.f("fk_identity_proof_conversation_id_conversation")
        ),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name=op.f("fk_identity_proof_person_id_person")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_identity_proof")),
    )
    op.create_index(op.f("ix_identity_proof_conversation_id"), "identity_proof", ["conversation_id"])
    op.create_index(op.f("ix_identity_proof_person_id"), "identity_proof", ["person_id"])


def _code() -> None:
    op.create_table(
        "identity_code",
        sa.Column("id", ID, nullable=False),
        sa.Column("conversation_id", ID, nullable=False),
        sa.Column("account_key", sa.String(length=64), nullable=False),
        sa.Column("ordinal", sa.Integer(), nullable=False),
        sa.Column("uid", sa.String(length=64), nullable=True),
        sa.Column("address", sa.String(length=512), nullable=False),
        sa.Column("language", sa.String(length=8), nullable=False),
        sa.Column("nonce", sa.String(length=32), nullable=False),
        sa.Column("state", sa.String(length=8), nullable=False),
        sa.Column("tries", sa.Integer(), nullable=False),
        sa.Column("letter_id", ID, nullable=True),
        sa.Column("letter_conversation_id", ID, nullable=True),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.Column("expires_at", MOMENT, nullable=False),
        sa.CheckConstraint("state in ('live', 'used', 'void', 'locked')", name=op.f("ck_identity_code_state")),
        sa.ForeignKeyConstraint(
            ["conversation_id"], ["conversation.id"], name=op.f("fk_identity_code_conversation_id_conversation")
        ),
        sa.ForeignKeyConstraint(
            ["letter_conversation_id"],
            ["conversation.id"],
            name=op.f("fk_identity_code_letter_conversation_id_conversation"),
        ),
        sa.ForeignKeyConstraint(["letter_id"], ["outbox.id"], name=op.f("fk_identity_code_letter_id_outbox")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_identity_code")),
        sa.UniqueConstraint("account_key", "ordinal", name=op.f("uq_identity_code_account_key_ordinal")),
    )
    op.create_index("ix_identity_code_conversation_id_created_at", "identity_code", ["conversation_id", "created_at"])
    op.create_index("ix_identity_code_letter_conversation_id", "identity_code", ["letter_conversation_id"])


def _dialogue() -> None:
    op.create_table(
        "identity_dialogue",
        sa.Column("conversation_id", ID, nullable=False),
        sa.Column("stage", sa.String(length=8), nullable=False),
        sa.Column("waiting_inbox_id", ID, nullable=True),
        sa.Column("asked_by", sa.String(length=64), nullable=False),
        sa.Column("until", MOMENT, nullable=False),
        sa.CheckConstraint("stage in ('account', 'code')", name=op.f("ck_identity_dialogue_stage")),
        sa.ForeignKeyConstraint(
            ["conversation_id"], ["conversation.id"], name=op.f("fk_identity_dialogue_conversation_id_conversation")
        ),
        sa.ForeignKeyConstraint(
            ["waiting_inbox_id"], ["inbox.id"], name=op.f("fk_identity_dialogue_waiting_inbox_id_inbox")
        ),
        sa.PrimaryKeyConstraint("conversation_id", name=op.f("pk_identity_dialogue")),
    )
