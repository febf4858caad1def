"""The tables of a conversation that is watched live: files sent ahead, what was read, and who is there."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import BigInteger, ForeignKey, Index, String, UniqueConstraint
from sqlalchemy import text as sql
from sqlalchemy.orm import Mapped, mapped_column

from bot.store.tables import Base, Id

WAITING = "used_by IS NULL"


class Upload(Base):
    """A file that comes ahead of its message, piece by piece. One that no message names does not stay."""

    __tablename__ = "upload"
    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    channel: Mapped[str] = mapped_column(String(32))
    conversation_key: Mapped[str] = mapped_column(String(255))
    filename: Mapped[str] = mapped_column(String(255))
    size: Mapped[int] = mapped_column(BigInteger)
    """Bytes, as announced before the first of them."""
    received: Mapped[int] = mapped_column(BigInteger, default=0)
    """Bytes that are on disk for sure; what lies beyond them in the file is sent again."""
    sha256: Mapped[str | None] = mapped_column(String(64))
    """Set when all bytes are there."""
    content_type: Mapped[str] = mapped_column(String(127), default="")
    """A guess from the content; a hint for people, never a reason to open anything."""
    used_by: Mapped[str | None] = mapped_column(String(255))
    """The external id of the one message that names it."""
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    """When it is thrown away unless a piece of it comes, or a message names it, before."""
    __table_args__ = (
        Index("ix_upload_conversation_created_at", "channel", "conversation_key", "created_at"),
        # Holds all that is asked of the uploads that wait, so that the many used ones are not even looked at.
        Index(
            "ix_upload_waiting",
            *("channel", "conversation_key", "size", "received", "used_by"),
            sqlite_where=sql(WAITING),
            postgresql_where=sql(WAITING),
        ),
    )


class ReadMark(Base):
    """How far both sides have seen a conversation. The numbers only grow."""

    __tablename__ = "read_mark"
    conversation_id: Mapped[int] = mapped_column(Id, ForeignKey("conversation.id"), primary_key=True)
    user_seq: Mapped[int] = mapped_column(default=0)
    """The user has had everything up to here on the screen."""
    person_seq: Mapped[int] = mapped_column(default=0)
    """A person at the desk has."""
    reminded_seq: Mapped[int] = mapped_column(default=0)
    """The user was told by e-mail of what is unread up to here."""
    user_left_at: Mapped[datetime | None]
    """When the user's last connection ended."""


class Present(Base):
    """Who has a conversation open, and in which process of the desk."""

    __tablename__ = "present"
    id: Mapped[int] = mapped_column(Id, primary_key=True)
    process: Mapped[str] = mapped_column(String(32), index=True)
    channel: Mapped[str] = mapped_column(String(32))
    conversation_key: Mapped[str] = mapped_column(String(255))
    who: Mapped[str] = mapped_column(String(64))
    """user or agent:<id>"""
    __table_args__ = (UniqueConstraint("channel", "conversation_key", "who", "process"),)


class Heartbeat(Base):
    """Processes that are alive. What one wrote about who is present counts until its time has run out."""

    __tablename__ = "heartbeat"
    process: Mapped[str] = mapped_column(String(32), primary_key=True)
    until: Mapped[datetime]
