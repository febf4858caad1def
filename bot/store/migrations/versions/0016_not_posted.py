"""Answers that a public channel kept to itself: they were not said, and no longer count as sent

Revision: 0016
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None
BEFORE = "state in ('new', 'sending', 'sent', 'unknown', 'dropped', 'failed', 'parked', 'by_hand')"
AFTER = "state in ('new', 'sending', 'sent', 'unknown', 'dropped', 'failed', 'parked', 'by_hand', 'not_posted')"
NAME = "ck_outbox_state"
UNSAID = (
    "UPDATE outbox SET state = 'not_posted', error = peer_id, peer_id = NULL, sent_at = NULL "
    "WHERE state = 'sent' AND peer_id LIKE 'not posted: %'"
)


def upgrade() -> None:
    if op.get_bind().dialect.name == "sqlite":
        _widen_in_place()
    else:
        op.drop_constraint(op.f(NAME), "outbox", type_="check")
        op.create_check_constraint(op.f(NAME), "outbox", AFTER)
    op.get_bind().execute(sa.text(UNSAID))


def _widen_in_place() -> None:
    """The way for a check that changes nothing on disk (https://www.sqlite.org/lang_altertable.html, section 7).

    To copy the table would break the references to its rows: they cannot be suspended within a transaction.
    """
    connection = op.get_bind()
    version = connection.execute(sa.text("PRAGMA schema_version")).scalar_one()
    connection.execute(sa.text("PRAGMA writable_schema = ON"))
    widened = "UPDATE sqlite_master SET sql = replace(sql, :before, :after) WHERE type = 'table' AND name = 'outbox'"
    connection.execute(sa.text(widened), {"before": BEFORE, "after": AFTER})
    connection.execute(sa.text(f"PRAGMA schema_version = {version + 1}"))
    connection.execute(sa.text("PRAGMA writable_schema = OFF"))
