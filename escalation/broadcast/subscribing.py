"""Opting in and out. Both leave a proof, and opting out also holds for what is already queued."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar, override

from sqlalchemy import Connection

from actions.commands import Say
from bot.repository.conversations import ConversationRow
from escalation.broadcast.repository import recipients, subscriptions
from escalation.broadcast.repository.subscriptions import ACTIVE, ENDED, Proof
from escalation.desk_command import DeskCommand

SUBSCRIBE, UNSUBSCRIBE = "subscribe", "unsubscribe"
"""Names of buttons, and of what is understood by them."""
_WORDS = {
    SUBSCRIBE: ("subscribe", "subscribe to notices", "订阅通知", "訂閱通知", "订阅公告", "訂閱公告"),
    UNSUBSCRIBE: ("unsubscribe", "stop notices", "退订", "退訂", "退订通知", "取消订阅", "取消訂閱", "不再接收通知"),
}
_NOISE = " \t\r\n.!。！/"


def wish(text: str, payload: str | None) -> str | None:
    """SUBSCRIBE or UNSUBSCRIBE when the message says just that, by a button or in our words for it."""
    if payload is not None:
        return payload if payload in _WORDS else None
    said = text.strip(_NOISE).casefold()
    return next((name for name, words in _WORDS.items() if said in words), None)


def subscribe(
    connection: Connection,
    channel: str,
    address: str,
    language: str,
    proof: Proof,
    now: datetime,
    time_zone: str | None = None,
) -> bool:
    """False when the subscription was active already. `address` must be proven to be the subscriber's."""
    row = subscriptions.find(connection, channel, address)
    if row is not None and row.state == ACTIVE:
        return False
    values = {"language": language, "state": ACTIVE, "changed_at": now}
    if row is None:
        row = subscriptions.add(connection, channel=channel, address=address, time_zone=time_zone, **values)
    else:
        subscriptions.change(connection, row.id, time_zone=time_zone or row.time_zone, **values)
    subscriptions.add_deed(connection, row.id, "subscribed", proof, now)
    return True


def unsubscribe(
    connection: Connection,
    row: subscriptions.SubscriptionRow | None,
    proof: Proof,
    now: datetime,
    reason: str = recipients.UNSUBSCRIBED,
) -> bool:
    """False when there was no subscription. What has not left yet does not leave any more; `reason` says why."""
    if row is None or row.state != ACTIVE:
        return False
    subscriptions.change(connection, row.id, state=ENDED, changed_at=now)
    subscriptions.add_deed(connection, row.id, "unsubscribed", proof, now)
    recipients.skip_subscriber(connection, row.id, reason)
    recipients.drop_queued(connection, reason, recipients.of_subscription(row.id))
    return True


@dataclass(frozen=True, kw_only=True)
class SayWish(DeskCommand):
    """Carries out what the user of a conversation wished, whoever owns it. The channel knows who its user is."""

    name: ClassVar[str] = "subscription"
    wish: str
    language: str
    inbox_id: int

    @override
    def carry_out(self, connection: Connection, conversation: ConversationRow, now: datetime) -> Iterable[Say]:
        proof = Proof(how="message", origin=f"inbox:{self.inbox_id}")
        channel, address = conversation.channel, conversation.recipient
        if self.wish == SUBSCRIBE:
            new = subscribe(connection, channel, address, self.language, proof, now)
            key = "broadcast.subscribed" if new else "broadcast.subscribed_before"
            return [Say(key=key)]
        ended = unsubscribe(connection, subscriptions.find(connection, channel, address), proof, now)
        return [Say(key="broadcast.unsubscribed" if ended else "broadcast.unsubscribed_before")]
