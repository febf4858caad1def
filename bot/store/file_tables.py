"""The table of what is known about the files that people sent: looked into, and scanned for malware."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import CheckConstraint, Index, String, false
from sqlalchemy import text as sql
from sqlalchemy.orm import Mapped, mapped_column

from bot.store.tables import Base

UNEXAMINED = "not examined"
UNSCANNED = "scan in ('waiting', 'failed')"
"""Few, once a scanner has gone through them. To be written just so: partial indexes are found by these words."""


class FileCheck(Base):
    """One row per content: the same file in ten messages is scanned once. Written in the commit that names it."""

    __tablename__ = "file_check"
    sha256: Mapped[str] = mapped_column(String(64), primary_key=True)
    examined: Mapped[bool] = mapped_column(default=False, server_default=false())
    examine_attempts: Mapped[int] = mapped_column(default=0, server_default="0")
    examine_at: Mapped[datetime]
    """When it may be looked into (again)."""
    facts: Mapped[dict[str, Any]] = mapped_column(default=dict, server_default="{}")
    """What its content is: `bot/attachments/facts.py`."""
    scan: Mapped[str] = mapped_column(String(16), default="waiting", server_default="waiting")
    """waiting (not scanned), clean, infected, failed (the scanner could not judge it, and is asked again much later)"""
    finding: Mapped[str] = mapped_column(String(255), default="", server_default="")
    """What the scanner calls the malware, or why it could not judge."""
    scan_attempts: Mapped[int] = mapped_column(default=0, server_default="0")
    scan_at: Mapped[datetime]
    """When it may be scanned (again)."""
    scanned_at: Mapped[datetime | None]
    __table_args__ = (
        CheckConstraint("scan in ('waiting', 'clean', 'infected', 'failed')", name="scan"),
        Index(
            "ix_file_check_unexamined",
            "examine_at",
            sqlite_where=sql(UNEXAMINED),
            postgresql_where=sql(UNEXAMINED),
        ),
        Index(
            "ix_file_check_unscanned",
            "scan_at",
            sqlite_where=sql(UNSCANNED),
            postgresql_where=sql(UNSCANNED),
        ),
    )
