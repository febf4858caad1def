"""What is known of the files that people sent: what they are, and whether a scanner found something in them

Files that came before are looked into, and scanned, like new ones.

Revision: 0012, after 0008
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from bot.store.moment import Moment

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None
UNEXAMINED = sa.text("not examined")
UNSCANNED = sa.text("scan in ('waiting', 'failed')")


def upgrade() -> None:
    op.create_table(
        "file_check",
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("examined", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.Column("examine_attempts", sa.Integer(), server_default="0", nullable=False),
        sa.Column("examine_at", Moment(), nullable=False),
        sa.Column("facts", sa.JSON(), server_default="{}", nullable=False),
        sa.Column("scan", sa.String(length=16), server_default="waiting", nullable=False),
        sa.Column("finding", sa.String(length=255), server_default="", nullable=False),
        sa.Column("scan_attempts", sa.Integer(), server_default="0", nullable=False),
        sa.Column("scan_at", Moment(), nullable=False),
        sa.Column("scanned_at", Moment(), nullable=True),
        sa.CheckConstraint("scan in ('waiting', 'clean', 'infected', 'failed')", name=op.f("ck_file_check_scan")),
        sa.PrimaryKeyConstraint("sha256", name=op.f("pk_file_check")),
    )
    op.create_index(
        "ix_file_check_unexamined",
        "file_check",
        ["examine_at"],
        unique=False,
        sqlite_where=UNEXAMINED,
        postgresql_where=UNEXAMINED,
    )
    op.create_index(
        "ix_file_check_unscanned",
        "file_check",
        ["scan_at"],
        unique=False,
        sqlite_where=UNSCANNED,
        postgresql_where=UNSCANNED,
    )
    op.create_index(op.f("ix_evidence_sha256"), "evidence", ["sha256"], unique=False)
    op.execute(
        "INSERT INTO file_check (sha256, examine_at, scan_at) "
        "SELECT sha256, min(collected_at), min(collected_at) FROM evidence GROUP BY sha256"
    )
