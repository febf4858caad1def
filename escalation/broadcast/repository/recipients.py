"""The recipients of broadcasts, one row each, and what became of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, and_, case, func, insert, literal, select, update

from bot.store.broadcast_tables import Broadcast, BroadcastRecipient, Subscription
from bot.store.tables import Conversation, Outbox
from escalation.broadcast.repository.broadcasts import BroadcastRow
from escalation.broadcast.repository.subscriptions import ACTIVE

UNSUBSCRIBED, STOPPED, CHANNEL_OFF, BOUNCED = "unsubscribed", "stopped", "channel_off", "bounced"


@dataclass(frozen=True, kw_only=True)
class Waiting:
    """A recipient whose turn has come, as their subscription is now."""

    id: int
    subscription_id: int
    name: str
    channel: str
    address: str
    language: str
    time_zone: str | None
    state: str


@dataclass(frozen=True, kw_only=True)
class Result:
    """What became of one recipient. `state` is waiting, skipped, bounced (it left, and came back for good), or that of
    the message; `reason` why, if known."""

    id: int
    channel: str
    language: str
    address: str
    state: str
    reason: str | None
    due_at: datetime
    sent_at: datetime | None


@dataclass(frozen=True, kw_only=True)
class Shown:
    """A broadcast in the transcript of its recipient."""

    id: int
    title: str
    text: str
    at: datetime


def add_all(connection: Connection, broadcast_id: int, due_at: datetime) -> None:
    """A row for everybody who is subscribed at this moment."""
    everybody = select(
        literal(broadcast_id), Subscription.id, Subscription.channel, literal("waiting"), _moment(due_at)
    ).where(Subscription.state == ACTIVE)
    names = ["broadcast_id", "subscription_id", "channel", "state", "due_at"]
    connection.execute(insert(BroadcastRecipient).from_select(names, everybody))


def _moment(at: datetime) -> ColumnElement[datetime]:
    return literal(at, BroadcastRecipient.due_at.type)


def due(connection: Connection, broadcast_id: int, channel: str, now: datetime, limit: int) -> Sequence[Waiting]:
    """Their subscriptions are held until the commit: whoever leaves meanwhile finds the message queued, or prevents
    it."""
    of_subscription = ("name", "address", "language", "time_zone", "state")
    query = (
        select(
            BroadcastRecipient.id,
            BroadcastRecipient.subscription_id,
            BroadcastRecipient.channel,
            *(getattr(Subscription, name) for name in of_subscription),
        )
        .join(Subscription, Subscription.id == BroadcastRecipient.subscription_id)
        .where(_waits(broadcast_id), BroadcastRecipient.channel == channel, BroadcastRecipient.due_at <= now)
        .order_by(BroadcastRecipient.due_at, BroadcastRecipient.id)
        .limit(limit)
        .with_for_update(of=Subscription)
    )
    return [Waiting(**row._mapping) for row in connection.execute(query)]


def _waits(broadcast_id: int) -> ColumnElement[bool]:
    return and_(BroadcastRecipient.broadcast_id == broadcast_id, BroadcastRecipient.state == "waiting")


def channels_waiting(connection: Connection, broadcast_id: int) -> Sequence[str]:
    query = select(BroadcastRecipient.channel).where(_waits(broadcast_id)).distinct()
    return sorted(connection.execute(query).scalars())


def next_due(connection: Connection, broadcast_id: int) -> datetime | None:
    return connection.execute(select(func.min(BroadcastRecipient.due_at)).where(_waits(broadcast_id))).scalar_one()


def queued_since(connection: Connection, channel: str, since: datetime) -> int:
    """How much of all broadcasts a channel got."""
    query = select(func.count()).where(BroadcastRecipient.channel == channel, BroadcastRecipient.queued_at > since)
    return int(connection.execute(query).scalar_one())


def change(connection: Connection, recipient_id: int, **values: Any) -> None:
    connection.execute(update(BroadcastRecipient).where(BroadcastRecipient.id == recipient_id).values(**values))


def skip_waiting(connection: Connection, broadcast_id: int, reason: str, channel: str | None = None) -> None:
    these = [_waits(broadcast_id)] + ([] if channel is None else [BroadcastRecipient.channel == channel])
    connection.execute(update(BroadcastRecipient).where(*these).values(state="skipped", reason=reason))


def drop_queued(connection: Connection, reason: str, *which: ColumnElement[bool]) -> None:
    """What waits in the outbox for these recipients does not leave any more."""
    queued = select(BroadcastRecipient.outbox_id).where(BroadcastRecipient.outbox_id.is_not(None), *which)
    gone = update(Outbox).where(Outbox.state == "new", Outbox.id.in_(queued))
    connection.execute(gone.values(state="dropped", error=reason))


def of_broadcast(broadcast_id: int) -> ColumnElement[bool]:
    return BroadcastRecipient.broadcast_id == broadcast_id


def of_subscription(subscription_id: int) -> ColumnElement[bool]:
    return BroadcastRecipient.subscription_id == subscription_id


def skip_subscriber(connection: Connection, subscription_id: int, reason: str) -> None:
    these = (of_subscription(subscription_id), BroadcastRecipient.state == "waiting")
    connection.execute(update(BroadcastRecipient).where(*these).values(state="skipped", reason=reason))


@dataclass(frozen=True, kw_only=True)
class Written:
    """A message of ours, a broadcast or any other, and whom it went to."""

    outbox_id: int
    channel: str
    address: str
    created_at: datetime


def written(connection: Connection, message_id: str) -> Written | None:
    """By the name that the outbox gave it."""
    query = (
        select(Outbox.id, Conversation.channel, Conversation.recipient, Outbox.created_at)
        .join(Conversation, Conversation.id == Outbox.conversation_id)
        .where(Outbox.message_id == message_id)
    )
    row = connection.execute(query).one_or_none()
    return None if row is None else Written(outbox_id=row[0], channel=row[1], address=row[2], created_at=row[3])


def note_bounced(connection: Connection, outbox_id: int) -> None:
    """Nothing happens if the message is no broadcast."""
    these = (BroadcastRecipient.outbox_id == outbox_id, BroadcastRecipient.state == "queued")
    connection.execute(update(BroadcastRecipient).where(*these).values(reason=BOUNCED))


@dataclass(frozen=True, kw_only=True)
class Standing:
    """What a queued message depends on, as it is now."""

    subscription: str
    broadcast: str
    time_zone: str | None


def standing(connection: Connection, outbox_id: int) -> Standing | None:
    query = (
        select(Subscription.state, Broadcast.state, Subscription.time_zone)
        .select_from(BroadcastRecipient)
        .join(Subscription, Subscription.id == BroadcastRecipient.subscription_id)
        .join(Broadcast, Broadcast.id == BroadcastRecipient.broadcast_id)
        .where(BroadcastRecipient.outbox_id == outbox_id)
    )
    row = connection.execute(query).one_or_none()
    return None if row is None else Standing(subscription=row[0], broadcast=row[1], time_zone=row[2])


_CAME_BACK = and_(BroadcastRecipient.state == "queued", BroadcastRecipient.reason == BOUNCED)
_STATE = case(
    (_CAME_BACK, literal(BOUNCED)),
    (BroadcastRecipient.state == "queued", Outbox.state),
    else_=BroadcastRecipient.state,
)
_REASON = func.coalesce(BroadcastRecipient.reason, Outbox.error)


def counts(connection: Connection, broadcast_id: int) -> Sequence[tuple[str, str, int]]:
    """(channel, state as in `Result`, how many)."""
    query = (
        select(BroadcastRecipient.channel, _STATE.label("state"), func.count())
        .outerjoin(Outbox, Outbox.id == BroadcastRecipient.outbox_id)
        .where(of_broadcast(broadcast_id))
        .group_by(BroadcastRecipient.channel, _STATE)
        .order_by(BroadcastRecipient.channel, _STATE)
    )
    return [(row[0], row[1], int(row[2])) for row in connection.execute(query)]


def results(connection: Connection, broadcast_id: int, after_id: int, limit: int) -> Sequence[Result]:
    query = (
        select(
            BroadcastRecipient.id,
            BroadcastRecipient.channel,
            Subscription.language,
            Subscription.address,
            _STATE.label("state"),
            _REASON.label("reason"),
            BroadcastRecipient.due_at,
            Outbox.sent_at,
        )
        .join(Subscription, Subscription.id == BroadcastRecipient.subscription_id)
        .outerjoin(Outbox, Outbox.id == BroadcastRecipient.outbox_id)
        .where(of_broadcast(broadcast_id), BroadcastRecipient.id > after_id)
        .order_by(BroadcastRecipient.id)
        .limit(limit)
    )
    return [Result(**row._mapping) for row in connection.execute(query)]


def shown_to(connection: Connection, channel: str, address: str, since: datetime, limit: int) -> Sequence[Shown]:
    """What an active subscriber was sent, newest first; what was stopped is not shown any more."""
    names = [getattr(Broadcast, name) for name in BroadcastRow.__dataclass_fields__]
    query = (
        select(*names, Outbox.language.label("spoken"), Outbox.sent_at, Outbox.id.label("outbox_id"))
        .select_from(Subscription)
        .join(BroadcastRecipient, BroadcastRecipient.subscription_id == Subscription.id)
        .join(Outbox, Outbox.id == BroadcastRecipient.outbox_id)
        .join(Broadcast, Broadcast.id == BroadcastRecipient.broadcast_id)
        .where(
            Subscription.channel == channel,
            Subscription.address == address,
            Subscription.state == ACTIVE,
            Broadcast.state != "stopped",
            Outbox.state == "sent",
            Outbox.sent_at > since,
        )
        .order_by(Outbox.id.desc())
        .limit(limit)
    )
    return [_shown(row) for row in connection.execute(query)]


def _shown(row: Any) -> Shown:
    values = dict(row._mapping)
    spoken, sent_at, outbox_id = (values.pop(name) for name in ("spoken", "sent_at", "outbox_id"))
    broadcast = BroadcastRow(**values)
    return Shown(id=outbox_id, title=broadcast.title(spoken), text=broadcast.text(spoken), at=sent_at)
