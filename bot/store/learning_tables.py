"""The table of what agents taught the bot."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import ForeignKey, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from bot.store.tables import Base, Id


class Correction(Base):
    """What an agent said of a message: append only, the newest one about a message holds. The text is masked."""

    __tablename__ = "correction"
    id: Mapped[int] = mapped_column(Id, primary_key=True)
    inbox_id: Mapped[int] = mapped_column(Id, ForeignKey("inbox.id"), index=True)
    case_id: Mapped[int | None] = mapped_column(Id, ForeignKey("complaint_case.id"))
    """The case whose class it changed, if there was one."""
    text: Mapped[str] = mapped_column(Text)
    language: Mapped[str] = mapped_column(String(8))
    old_label: Mapped[str | None] = mapped_column(String(48))
    """What the matter was taken for; None when nobody had said."""
    new_label: Mapped[str] = mapped_column(String(48))
    old_escalate: Mapped[bool]
    """Whether the message had led to a case or to a person."""
    new_escalate: Mapped[bool]
    """Whether it should have."""
    agent_id: Mapped[int] = mapped_column(Id, ForeignKey("agent.id"))
    at: Mapped[datetime]
