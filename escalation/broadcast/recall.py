"""Asked right before a message leaves: is this broadcast still wanted, and wanted now?"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection

from bot.repository.conversations import ConversationRow
from escalation.broadcast import policy
from escalation.broadcast.links import SubscriptionLinks
from escalation.broadcast.policy import Rules
from escalation.broadcast.repository import broadcasts, recipients, subscriptions
from escalation.broadcast.sending import Channels, subscriber_in
from escalation.queue import ANNOUNCER


@dataclass(frozen=True)
class Drop:
    reason: str


@dataclass(frozen=True)
class Wait:
    until: datetime


@dataclass(frozen=True, kw_only=True)
class Recall:
    rules: Rules
    links: SubscriptionLinks
    channels: Channels

    def __call__(
        self, connection: Connection, conversation: ConversationRow, outbox_id: int, now: datetime
    ) -> Drop | Wait | None:
        """None: let it go. Also a message that was tried before does not come in the night."""
        if conversation.owner != ANNOUNCER:
            return None
        standing = recipients.standing(connection, outbox_id)
        if standing is None or standing.subscription != subscriptions.ACTIVE:
            return Drop(recipients.UNSUBSCRIBED)
        if standing.broadcast == broadcasts.STOPPED:
            return Drop(recipients.STOPPED)
        able = self.channels().get(conversation.channel)
        if able is not None and able.immediate:
            return None
        end = policy.quiet_until(now, standing.time_zone, self.rules)
        return None if end is None else Wait(end)

    def leave_link(self, conversation: ConversationRow) -> str:
        """Where its recipient ends the subscription; "" for what is no broadcast."""
        return self.links.leave(subscriber_in(conversation.key)) if conversation.owner == ANNOUNCER else ""
