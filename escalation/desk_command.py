"""Wishes of the desk itself. They hold whoever owns the conversation, and never come from the bot over the wire."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection

from actions.commands import Command, Say
from bot.repository.conversations import ConversationRow


@dataclass(frozen=True, kw_only=True)
class DeskCommand(Command):
    """Carries itself out in the commit that ends the message. Not listed in `COMMANDS`: the bot cannot send it."""

    @abstractmethod
    def carry_out(self, connection: Connection, conversation: ConversationRow, now: datetime) -> Iterable[Say]:
        """Does it; what is said because of it, as sentences of the desk."""
