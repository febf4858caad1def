"""The table of invitations: one-time tokens that lead from one conversation to another, and what became of them."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import CheckConstraint, ForeignKey, Index, String
from sqlalchemy import text as sql
from sqlalchemy.orm import Mapped, mapped_column

from bot.store.tables import Base, Id

USED = "used_by is not null"


class Invitation(Base):
    """A token or a code, known here by its keyed hash only. A used one is the bond between two conversations."""

    __tablename__ = "invitation"
    id: Mapped[int] = mapped_column(Id, primary_key=True)
    token_hash: Mapped[str] = mapped_column(String(64), unique=True)
    purpose: Mapped[str] = mapped_column(String(8))
    """private (who has it reads the conversation it came from), public (everybody can read it), code (to be brought
    back by the author of the public conversation)"""
    conversation_id: Mapped[int | None] = mapped_column(Id, ForeignKey("conversation.id"))
    """Where it came from; for a code, the public conversation that has to bring it back."""
    case_id: Mapped[int | None] = mapped_column(Id, ForeignKey("complaint_case.id"))
    """Where it came from when that was the page of a case."""
    for_id: Mapped[int | None] = mapped_column(Id, ForeignKey("conversation.id"))
    """For a code: the conversation to which it was shown."""
    used_by: Mapped[int | None] = mapped_column(Id, ForeignKey("conversation.id"))
    """The conversation that was bound by it."""
    used_at: Mapped[datetime | None]
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    __table_args__ = (
        CheckConstraint("purpose in ('private', 'public', 'code')", name="purpose"),
        CheckConstraint("conversation_id is not null or case_id is not null", name="origin"),
        Index("ix_invitation_for_id", "for_id"),
        Index("ix_invitation_conversation_id", "conversation_id", sqlite_where=sql(USED), postgresql_where=sql(USED)),
        Index("ix_invitation_used_by", "used_by", sqlite_where=sql(USED), postgresql_where=sql(USED)),
    )
