"""The tables of identity: what was proven, the codes that were sent, and who is being asked."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import CheckConstraint, ForeignKey, Index, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from bot.store.tables import Base, Id


class IdentityProof(Base):
    """Who was proven in a conversation, how, when, and for how long."""

    __tablename__ = "identity_proof"
    id: Mapped[int] = mapped_column(Id, primary_key=True)
    conversation_id: Mapped[int] = mapped_column(Id, ForeignKey("conversation.id"), index=True)
    person_id: Mapped[int] = mapped_column(Id, ForeignKey("person.id"), index=True)
    method: Mapped[str] = mapped_column(String(64))
    """As agents read it: "one-time code", or what a channel calls its own proof."""
    detail: Mapped[str] = mapped_column(String(255), default="")
    """For example the masked address that a code was sent to."""
    at: Mapped[datetime]
    until: Mapped[datetime]


class IdentityCode(Base):
    """A one-time code. The code itself is nowhere: it is a keyed hash over this row (bot/identity/codes.py)."""

    __tablename__ = "identity_code"
    id: Mapped[int] = mapped_column(Id, primary_key=True)
    conversation_id: Mapped[int] = mapped_column(Id, ForeignKey("conversation.id"))
    account_key: Mapped[str] = mapped_column(String(64))
    """Names the account without saying which."""
    ordinal: Mapped[int]
    """Counts the codes of an account: two at the same time cannot both be the third."""
    uid: Mapped[str | None] = mapped_column(String(64))
    """None: nothing was sent, for there is no such account, or it has had its codes for today."""
    address: Mapped[str] = mapped_column(String(512), default="")
    """The address registered with the account when the code was made."""
    language: Mapped[str] = mapped_column(String(8))
    nonce: Mapped[str] = mapped_column(String(32))
    state: Mapped[str] = mapped_column(String(8), default="live")
    """live, used, void (a newer code, given up, address changed), locked (too many wrong tries)"""
    tries: Mapped[int] = mapped_column(default=0)
    letter_id: Mapped[int | None] = mapped_column(Id, ForeignKey("outbox.id"))
    letter_conversation_id: Mapped[int | None] = mapped_column(Id, ForeignKey("conversation.id"))
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    __table_args__ = (
        UniqueConstraint("account_key", "ordinal"),
        CheckConstraint("state in ('live', 'used', 'void', 'locked')", name="state"),
        Index("ix_identity_code_conversation_id_created_at", "conversation_id", "created_at"),
        Index("ix_identity_code_letter_conversation_id", "letter_conversation_id"),
    )


class IdentityDialogue(Base):
    """Somebody is proving who they are. At most one row per conversation; gone when it is over."""

    __tablename__ = "identity_dialogue"
    conversation_id: Mapped[int] = mapped_column(Id, ForeignKey("conversation.id"), primary_key=True)
    stage: Mapped[str] = mapped_column(String(8))
    """account (which one is it?) or code"""
    waiting_inbox_id: Mapped[int | None] = mapped_column(Id, ForeignKey("inbox.id"))
    """The question that is answered once it is proven who asks."""
    asked_by: Mapped[str] = mapped_column(String(64))
    """user or agent:<id>"""
    until: Mapped[datetime]
    __table_args__ = (CheckConstraint("stage in ('account', 'code')", name="stage"),)
