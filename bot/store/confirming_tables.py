"""The table of e-mail addresses that somebody typed, and of the links by which their owners confirm them."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import ForeignKey, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from bot.store.tables import Base, Id


class AddressConfirmation(Base):
    """An address given in a conversation. Nothing but the confirmation letter goes there before it is confirmed."""

    __tablename__ = "address_confirmation"
    id: Mapped[int] = mapped_column(Id, primary_key=True)
    conversation_id: Mapped[int] = mapped_column(Id, ForeignKey("conversation.id"), index=True)
    address: Mapped[str] = mapped_column(String(254))
    address_key: Mapped[str] = mapped_column(String(64))
    """SHA-256 of the mailbox behind the address: upper case and what follows a + make no other one of it."""
    ordinal: Mapped[int | None]
    """Counts the letters to a mailbox: two at the same time cannot both be the third. None: no letter was written."""
    token_hash: Mapped[str | None] = mapped_column(String(64), unique=True)
    """SHA-256 of the link's secret, so that a stolen database confirms nothing. None: no letter was written."""
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    confirmed_at: Mapped[datetime | None]
    __table_args__ = (UniqueConstraint("address_key", "ordinal"),)
