"""Sends broadcasts little by little: each ring of a timer queues what may leave now, in one commit.

The rows say how far it got, so a restart goes on where it was; a recipient has one row and the outbox one message of
that origin, so nobody gets a broadcast twice.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Connection

from bot.repository import conversations, timers
from bot.repository import outbox as outbox_rows
from bot.repository.outbox import Draft
from bot.repository.timers import TimerRow
from channels.contract import Author, Capabilities, Words
from escalation.broadcast import policy
from escalation.broadcast.links import SubscriptionLinks
from escalation.broadcast.policy import Rules
from escalation.broadcast.repository import broadcasts, recipients
from escalation.broadcast.repository.broadcasts import DONE, PLANNED, RUNNING, BroadcastRow
from escalation.broadcast.repository.recipients import Waiting
from escalation.broadcast.repository.subscriptions import ACTIVE
from escalation.broadcast.subscribing import UNSUBSCRIBE
from escalation.queue import ANNOUNCER

BROADCAST_TIMER = "broadcast"
BATCH = 100
"""Recipients of one channel in one commit."""
PAUSE = timedelta(seconds=1)
KEY_PREFIX = "news:"

type Channels = Callable[[], Mapping[str, Capabilities]]
"""The channels that take broadcasts now, by name."""


def set_timer(connection: Connection, broadcast_id: int, due_at: datetime) -> None:
    timers.set_timer(connection, BROADCAST_TIMER, str(broadcast_id), due_at, {"broadcast_id": broadcast_id})


def key_of(broadcast_id: int, name: str) -> str:
    """Of the conversation that a broadcast is to one subscriber: no channel makes such keys, so an answer to it cannot
    join it, and begins a conversation as any message does."""
    return f"{KEY_PREFIX}{broadcast_id}:{name}"


def subscriber_in(key: str) -> str:
    """The name of the subscription in a key of ours."""
    return key.rpartition(":")[2]


@dataclass(frozen=True, kw_only=True)
class SendBroadcast:
    words: Words
    links: SubscriptionLinks
    rules: Rules
    channels: Channels

    def __call__(self, connection: Connection, timer: TimerRow, now: datetime) -> None:
        row = broadcasts.lock(connection, int(timer.data["broadcast_id"]))
        if row is None or row.state not in (PLANNED, RUNNING):
            return
        if row.state == PLANNED:
            recipients.add_all(connection, row.id, now)
            broadcasts.change(connection, row.id, state=RUNNING)
        able = self.channels()
        for channel in recipients.channels_waiting(connection, row.id):
            if channel in able:
                self._send_some(connection, row, channel, able[channel], now)
            else:
                recipients.skip_waiting(connection, row.id, recipients.CHANNEL_OFF, channel)
        self._go_on(connection, row, now)

    def _go_on(self, connection: Connection, row: BroadcastRow, now: datetime) -> None:
        due_at = recipients.next_due(connection, row.id)
        if due_at is None:
            broadcasts.change(connection, row.id, state=DONE)
        else:
            set_timer(connection, row.id, max(due_at, now + PAUSE))

    def _send_some(
        self, connection: Connection, row: BroadcastRow, channel: str, able: Capabilities, now: datetime
    ) -> None:
        queued = recipients.queued_since(connection, channel, now - policy.RATE_WINDOW)
        room = policy.allowance(queued, self.rules)
        if not room:
            return
        for waiting in recipients.due(connection, row.id, channel, now, min(BATCH, room)):
            if waiting.state != ACTIVE:
                recipients.change(connection, waiting.id, state="skipped", reason=recipients.UNSUBSCRIBED)
            elif (end := self._quiet_until(waiting, able, now)) is not None:
                recipients.change(connection, waiting.id, due_at=end)
            else:
                outbox_id = self._queue(connection, row, waiting, able, now)
                recipients.change(connection, waiting.id, state="queued", queued_at=now, outbox_id=outbox_id)

    def _quiet_until(self, waiting: Waiting, able: Capabilities, now: datetime) -> datetime | None:
        """What is only seen by who comes to look disturbs nobody."""
        return None if able.immediate else policy.quiet_until(now, waiting.time_zone, self.rules)

    def _queue(self, connection: Connection, row: BroadcastRow, to: Waiting, able: Capabilities, now: datetime) -> int:
        conversation_id = conversations.add(
            connection,
            channel=to.channel,
            key=key_of(row.id, to.name),
            recipient=to.address,
            language=to.language,
            subject=row.title(to.language),
            letter=True,
            owner=ANNOUNCER,
            created_at=now,
            active_at=now,
        )
        title = self.words.say(f"bot.button_{UNSUBSCRIBE}", to.language)
        draft = Draft(
            origin=f"broadcast:{row.id}:{to.subscription_id}",
            author=Author.DESK,
            text=self._text(row, to, able),
            language=to.language,
            buttons=((UNSUBSCRIBE, title),) if able.buttons else (),
        )
        return outbox_rows.queue(connection, conversation_id, draft, secrets.token_hex(16), now)

    def _text(self, row: BroadcastRow, to: Waiting, able: Capabilities) -> str:
        """A letter has its title as subject; elsewhere it is the first line."""
        letter = able.reaches == "email"
        key = "broadcast.footer_link" if letter else "broadcast.footer"
        footer = self.words.say(key, to.language, link=self.links.leave(to.name))
        parts = (row.text(to.language), footer)
        return "\n\n".join(parts if letter else (row.title(to.language), *parts))
