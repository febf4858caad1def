"""Subscribers with their proof, broadcasts, and what became of each

Revision: 0014, after 0008
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from bot.store.moment import Moment

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None
ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
WAITING = "state = 'waiting'"


def upgrade() -> None:
    _subscriptions()
    _broadcasts()


def _subscriptions() -> None:
    op.create_table(
        "subscription",
        sa.Column("id", ID, nullable=False),
        sa.Column("name", sa.String(length=32), nullable=False),
        sa.Column("channel", sa.String(length=32), nullable=False),
        sa.Column("address", sa.String(length=512), nullable=False),
        sa.Column("language", sa.String(length=8), nullable=False),
        sa.Column("time_zone", sa.String(length=64), nullable=True),
        sa.Column("state", sa.String(length=8), nullable=False),
        sa.Column("asked_at", Moment(), nullable=True),
        sa.Column("changed_at", Moment(), nullable=False),
        sa.CheckConstraint("state in ('asked', 'active', 'ended')", name=op.f("ck_subscription_state")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_subscription")),
        sa.UniqueConstraint("channel", "address", name=op.f("uq_subscription_channel_address")),
        sa.UniqueConstraint("name", name=op.f("uq_subscription_name")),
    )
    op.create_table(
        "subscription_deed",
        sa.Column("id", ID, nullable=False),
        sa.Column("subscription_id", ID, nullable=False),
        sa.Column("at", Moment(), nullable=False),
        sa.Column("deed", sa.String(length=16), nullable=False),
        sa.Column("how", sa.String(length=16), nullable=False),
        sa.Column("origin", sa.String(length=64), nullable=False),
        sa.ForeignKeyConstraint(
            ["subscription_id"], ["subscription.id"], name=op.f("fk_subscription_deed_subscription_id_subscription")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_subscription_deed")),
    )
    op.create_index(op.f("ix_subscription_deed_subscription_id"), "subscription_deed", ["subscription_id"])


def _broadcasts() -> None:
    agents = [
        sa.ForeignKeyConstraint([name], ["agent.id"], name=op.f(f"fk_broadcast_{name}_agent"))
        for name in ("created_by", "started_by", "stopped_by")
    ]
    op.create_table(
        "broadcast",
        sa.Column("id", ID, nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("title_en", sa.String(length=200), nullable=False),
        sa.Column("title_zh", sa.String(length=200), nullable=False),
        sa.Column("text_en", sa.Text(), nullable=False),
        sa.Column("text_zh", sa.Text(), nullable=False),
        sa.Column("starts_at", Moment(), nullable=False),
        sa.Column("shown_until", Moment(), nullable=True),
        sa.Column("state", sa.String(length=8), nullable=False),
        sa.Column("created_by", ID, nullable=False),
        sa.Column("created_at", Moment(), nullable=False),
        sa.Column("started_by", ID, nullable=True),
        sa.Column("started_at", Moment(), nullable=True),
        sa.Column("stopped_by", ID, nullable=True),
        sa.Column("stopped_at", Moment(), nullable=True),
        sa.CheckConstraint("kind in ('risk', 'event', 'reminder')", name=op.f("ck_broadcast_kind")),
        sa.CheckConstraint(
            "state in ('draft', 'planned', 'running', 'done', 'stopped')", name=op.f("ck_broadcast_state")
        ),
        *agents,
        sa.PrimaryKeyConstraint("id", name=op.f("pk_broadcast")),
    )
    _recipients()


def _recipients() -> None:
    keys = [
        sa.ForeignKeyConstraint(
            [f"{table}_id"], [f"{table}.id"], name=op.f(f"fk_broadcast_recipient_{table}_id_{table}")
        )
        for table in ("broadcast", "subscription", "outbox")
    ]
    op.create_table(
        "broadcast_recipient",
        sa.Column("id", ID, nullable=False),
        sa.Column("broadcast_id", ID, nullable=False),
        sa.Column("subscription_id", ID, nullable=False),
        sa.Column("channel", sa.String(length=32), nullable=False),
        sa.Column("state", sa.String(length=8), nullable=False),
        sa.Column("reason", sa.String(length=16), nullable=True),
        sa.Column("due_at", Moment(), nullable=False),
        sa.Column("queued_at", Moment(), nullable=True),
        sa.Column("outbox_id", ID, nullable=True),
        sa.CheckConstraint("state in ('waiting', 'queued', 'skipped')", name=op.f("ck_broadcast_recipient_state")),
        *keys,
        sa.PrimaryKeyConstraint("id", name=op.f("pk_broadcast_recipient")),
        sa.UniqueConstraint(
            "broadcast_id", "subscription_id", name=op.f("uq_broadcast_recipient_broadcast_id_subscription_id")
        ),
        sa.UniqueConstraint("outbox_id", name=op.f("uq_broadcast_recipient_outbox_id")),
    )
    op.create_index(
        "ix_broadcast_recipient_waiting",
        "broadcast_recipient",
        ["broadcast_id", "channel", "due_at"],
        sqlite_where=sa.text(WAITING),
        postgresql_where=sa.text(WAITING),
    )
    op.create_index("ix_broadcast_recipient_channel_queued_at", "broadcast_recipient", ["channel", "queued_at"])
    op.create_index("ix_broadcast_recipient_subscription_id", "broadcast_recipient", ["subscription_id"])
