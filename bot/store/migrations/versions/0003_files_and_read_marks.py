"""Files sent ahead of their message, what was read, who is there, and sealed letters

Revision: 0003, after 0002
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

import bot.store.moment

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
MOMENT = bot.store.moment.Moment(timezone=True)
WAITING = "used_by IS NULL"


def upgrade() -> None:
    op.add_column("outbox", sa.Column("sealed", sa.Boolean(), server_default=sa.false(), nullable=False))
    op.add_column("conversation", sa.Column("letter", sa.Boolean(), server_default=sa.false(), nullable=False))
    _upload()
    op.create_table(
        "read_mark",
        sa.Column("conversation_id", ID, nullable=False),
        sa.Column("user_seq", sa.Integer(), nullable=False),
        sa.Column("person_seq", sa.Integer(), nullable=False),
        sa.Column("reminded_seq", sa.Integer(), nullable=False),
        sa.Column("user_left_at", MOMENT, nullable=True),
        sa.ForeignKeyConstraint(
            ["conversation_id"], ["conversation.id"], name=op.f("fk_read_mark_conversation_id_conversation")
        ),
        sa.PrimaryKeyConstraint("conversation_id", name=op.f("pk_read_mark")),
    )
    _present()


def _upload() -> None:
    op.create_table(
        "upload",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("channel", sa.String(length=32), nullable=False),
        sa.Column("conversation_key", sa.String(length=255), nullable=False),
        sa.Column("filename", sa.String(length=255), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("received", sa.BigInteger(), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=True),
        sa.Column("content_type", sa.String(length=127), nullable=False),
        sa.Column("used_by", sa.String(length=255), nullable=True),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.Column("expires_at", MOMENT, nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_upload")),
    )
    op.create_index(
        "ix_upload_waiting",
        "upload",
        ["channel", "conversation_key", "size", "received", "used_by"],
        unique=False,
        sqlite_where=sa.text(WAITING),
        postgresql_where=sa.text(WAITING),
    )
    op.create_index(
        "ix_upload_conversation_created_at", "upload", ["channel", "conversation_key", "created_at"], unique=False
    )


def _present() -> None:
    op.create_table(
        "heartbeat",
        sa.Column("process", sa.String(length=32), nullable=False),
        sa.Column("until", MOMENT, nullable=False),
        sa.PrimaryKeyConstraint("process", name=op.f("pk_heartbeat")),
    )
    op.create_table(
        "present",
        sa.Column("id", ID, nullable=False),
        sa.Column("process", sa.String(length=32), nullable=False),
        sa.Column("channel", sa.String(length=32), nullable=False),
        sa.Column("conversation_key", sa.String(length=255), nullable=False),
        sa.Column("who", sa.String(length=64), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_present")),
        sa.UniqueConstraint(
            "channel",
            "conversation_key",
            "who",
            "process",
            name=op.f("uq_present_channel_conversation_key_who_process"),
        ),
    )
    with op.batch_alter_table("present", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_present_process"), ["process"], unique=False)
