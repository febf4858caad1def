"""Whom our mail does not reach gets no more notices: what a hard bounce ends, and what it leaves alone."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar, override

from sqlalchemy import Connection

from actions.commands import Say
from bot.repository.conversations import ConversationRow
from escalation.broadcast import subscribing
from escalation.broadcast.repository import recipients, subscriptions
from escalation.broadcast.repository.subscriptions import BOUNCE, Proof
from escalation.desk_command import DeskCommand


@dataclass(frozen=True, kw_only=True)
class EndBounced(DeskCommand):
    """Ends the subscription of the address that we wrote to, whatever address the bounce names: only `message_id` is
    known to be ours. Who subscribed after that message was written has proven since that mail arrives, and stays."""

    name: ClassVar[str] = "bounced"
    message_id: str
    inbox_id: int

    @override
    def carry_out(self, connection: Connection, conversation: ConversationRow, now: datetime) -> Iterable[Say]:
        written = recipients.written(connection, self.message_id)
        if written is None or written.channel != conversation.channel:
            return ()
        recipients.note_bounced(connection, written.outbox_id)
        # In lower case, as an address is kept when it is subscribed.
        row = subscriptions.find(connection, written.channel, written.address.lower())
        if row is not None and row.changed_at <= written.created_at:
            proof = Proof(how=BOUNCE, origin=f"inbox:{self.inbox_id}")
            subscribing.unsubscribe(connection, row, proof, now, recipients.BOUNCED)
        return ()
