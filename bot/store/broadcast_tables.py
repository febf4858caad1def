"""The tables of broadcasts: who wants them and how that was proven, what was said, and what became of each."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import CheckConstraint, ForeignKey, Index, String, Text, UniqueConstraint
from sqlalchemy import text as sql
from sqlalchemy.orm import Mapped, mapped_column

from bot.store.tables import Base, Id

WAITING = "state = 'waiting'"


class Subscription(Base):
    """One address on one channel that asked for notices, or did once. The proof is in `subscription_deed`."""

    __tablename__ = "subscription"
    id: Mapped[int] = mapped_column(Id, primary_key=True)
    name: Mapped[str] = mapped_column(String(32), unique=True)
    """Random; what links to it are made from."""
    channel: Mapped[str] = mapped_column(String(32))
    address: Mapped[str] = mapped_column(String(512))
    """As `conversation.recipient`."""
    language: Mapped[str] = mapped_column(String(8))
    time_zone: Mapped[str | None] = mapped_column(String(64))
    """IANA name; None: nobody said, and the exchange's is taken."""
    state: Mapped[str] = mapped_column(String(8))
    """asked (not confirmed yet), active, ended"""
    asked_at: Mapped[datetime | None]
    """When a confirmation was last asked for by e-mail."""
    changed_at: Mapped[datetime]
    __table_args__ = (
        UniqueConstraint("channel", "address"),
        CheckConstraint("state in ('asked', 'active', 'ended')", name="state"),
    )


class SubscriptionDeed(Base):
    """Proof of every opt-in and opt-out: append only."""

    __tablename__ = "subscription_deed"
    id: Mapped[int] = mapped_column(Id, primary_key=True)
    subscription_id: Mapped[int] = mapped_column(Id, ForeignKey("subscription.id"), index=True)
    at: Mapped[datetime]
    deed: Mapped[str] = mapped_column(String(16))
    """asked, subscribed, unsubscribed"""
    how: Mapped[str] = mapped_column(String(16))
    """page (a form of ours), link (the link of a mail), one_click (RFC 8058), message (said in a conversation),
    bounce (mail to the address came back for good)"""
    origin: Mapped[str] = mapped_column(String(64))
    """From where: an IP address, or inbox:<id> for the message that said so, be it a bounce."""


class Broadcast(Base):
    """A notice to all subscribers, in both languages."""

    __tablename__ = "broadcast"
    id: Mapped[int] = mapped_column(Id, primary_key=True)
    kind: Mapped[str] = mapped_column(String(16))
    title_en: Mapped[str] = mapped_column(String(200))
    title_zh: Mapped[str] = mapped_column(String(200))
    text_en: Mapped[str] = mapped_column(Text)
    text_zh: Mapped[str] = mapped_column(Text)
    starts_at: Mapped[datetime]
    shown_until: Mapped[datetime | None]
    """Until when it stands on the page of notices; None: until it is stopped."""
    state: Mapped[str] = mapped_column(String(8), default="draft")
    """draft, planned (waits for `starts_at`), running, done, stopped"""
    created_by: Mapped[int] = mapped_column(Id, ForeignKey("agent.id"))
    created_at: Mapped[datetime]
    started_by: Mapped[int | None] = mapped_column(Id, ForeignKey("agent.id"))
    started_at: Mapped[datetime | None]
    stopped_by: Mapped[int | None] = mapped_column(Id, ForeignKey("agent.id"))
    stopped_at: Mapped[datetime | None]
    __table_args__ = (
        CheckConstraint("kind in ('risk', 'event', 'reminder')", name="kind"),
        CheckConstraint("state in ('draft', 'planned', 'running', 'done', 'stopped')", name="state"),
    )


class BroadcastRecipient(Base):
    """One subscriber of one broadcast: there cannot be two rows, so nobody gets it twice."""

    __tablename__ = "broadcast_recipient"
    id: Mapped[int] = mapped_column(Id, primary_key=True)
    broadcast_id: Mapped[int] = mapped_column(Id, ForeignKey("broadcast.id"))
    subscription_id: Mapped[int] = mapped_column(Id, ForeignKey("subscription.id"))
    channel: Mapped[str] = mapped_column(String(32))
    state: Mapped[str] = mapped_column(String(8))
    """waiting, queued (its outbox row says how it went), skipped"""
    reason: Mapped[str | None] = mapped_column(String(16))
    """Why it was skipped: unsubscribed, stopped, channel_off, bounced. Of a queued one: bounced, once its message came
    back for good."""
    due_at: Mapped[datetime]
    queued_at: Mapped[datetime | None]
    outbox_id: Mapped[int | None] = mapped_column(Id, ForeignKey("outbox.id"), unique=True)
    __table_args__ = (
        UniqueConstraint("broadcast_id", "subscription_id"),
        CheckConstraint("state in ('waiting', 'queued', 'skipped')", name="state"),
        Index(
            "ix_broadcast_recipient_waiting",
            "broadcast_id",
            "channel",
            "due_at",
            sqlite_where=sql(WAITING),
            postgresql_where=sql(WAITING),
        ),
        Index("ix_broadcast_recipient_channel_queued_at", "channel", "queued_at"),
        Index("ix_broadcast_recipient_subscription_id", "subscription_id"),
    )
