"""No index on what every message changes in its conversation: its count of unfinished messages, and its time

Conversations with work are found through their unfinished messages. An update that touches no index is several times
cheaper on PostgreSQL (heap-only tuples) and two pages less per commit on SQLite.

Revision: 0006, after 0005
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None
UNFINISHED = sa.text("state <> 'done'")


def upgrade() -> None:
    op.create_index("ix_conversation_owner", "conversation", ["owner"], unique=False)
    op.drop_index("ix_conversation_owner_active_at", "conversation")
    op.drop_index("ix_conversation_waiting", "conversation")
    op.create_index(
        "ix_inbox_unfinished",
        "inbox",
        ["state", "conversation_id"],
        unique=False,
        sqlite_where=UNFINISHED,
        postgresql_where=UNFINISHED,
    )
    op.drop_index("ix_inbox_state", "inbox")
