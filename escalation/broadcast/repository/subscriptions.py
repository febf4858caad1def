"""Subscriptions and their proof."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, delete, func, insert, select, update

from bot.store.broadcast_tables import Subscription, SubscriptionDeed

ASKED, ACTIVE, ENDED = "asked", "active", "ended"
BOUNCE = "bounce"
"""How a subscription is ended whose address takes no mail."""


@dataclass(frozen=True, kw_only=True)
class SubscriptionRow:
    id: int
    name: str
    channel: str
    address: str
    language: str
    time_zone: str | None
    state: str
    asked_at: datetime | None
    changed_at: datetime


@dataclass(frozen=True, kw_only=True)
class Proof:
    """How and from where something was done to a subscription."""

    how: str
    origin: str


@dataclass(frozen=True, kw_only=True)
class Group:
    """Subscribers that are alike for a plan."""

    channel: str
    language: str
    time_zone: str | None
    state: str
    how: str
    """Of the newest deed: how it came to this state."""
    count: int


_COLUMNS = [getattr(Subscription, name) for name in SubscriptionRow.__dataclass_fields__]


def find(connection: Connection, channel: str, address: str) -> SubscriptionRow | None:
    return _one(connection, Subscription.channel == channel, Subscription.address == address)


def find_name(connection: Connection, name: str) -> SubscriptionRow | None:
    return _one(connection, Subscription.name == name)


def _one(connection: Connection, *where: Any) -> SubscriptionRow | None:
    """Held until the commit, so that two deeds of one subscriber come one after the other."""
    row = connection.execute(select(*_COLUMNS).where(*where).with_for_update()).one_or_none()
    return None if row is None else SubscriptionRow(**row._mapping)


def is_active(connection: Connection, channel: str, address: str) -> bool:
    query = select(Subscription.state).where(Subscription.channel == channel, Subscription.address == address)
    return connection.execute(query).scalar_one_or_none() == ACTIVE


def add(connection: Connection, **values: Any) -> SubscriptionRow:
    made = insert(Subscription).values(name=secrets.token_hex(12), **values).returning(*_COLUMNS)
    return SubscriptionRow(**connection.execute(made).one()._mapping)


def change(connection: Connection, subscription_id: int, **values: Any) -> None:
    connection.execute(update(Subscription).where(Subscription.id == subscription_id).values(**values))


def add_deed(connection: Connection, subscription_id: int, deed: str, proof: Proof, at: datetime) -> None:
    values = {"deed": deed, "how": proof.how, "origin": proof.origin[:64], "at": at}
    connection.execute(insert(SubscriptionDeed).values(subscription_id=subscription_id, **values))


def deeds(connection: Connection, subscription_id: int) -> Sequence[tuple[str, str, str, datetime]]:
    """(deed, how, origin, at), oldest first."""
    query = select(SubscriptionDeed.deed, SubscriptionDeed.how, SubscriptionDeed.origin, SubscriptionDeed.at)
    rows = connection.execute(
        query.where(SubscriptionDeed.subscription_id == subscription_id).order_by(SubscriptionDeed.id)
    )
    return [(row.deed, row.how, row.origin, row.at) for row in rows]


def forget_unconfirmed(connection: Connection, asked_before: datetime) -> None:
    """An address that somebody typed and nobody confirmed is not kept."""
    old = select(Subscription.id).where(Subscription.state == ASKED, Subscription.asked_at < asked_before)
    connection.execute(delete(SubscriptionDeed).where(SubscriptionDeed.subscription_id.in_(old)))
    connection.execute(delete(Subscription).where(Subscription.state == ASKED, Subscription.asked_at < asked_before))


def groups(connection: Connection) -> Sequence[Group]:
    """Everybody who ever subscribed, counted by what decides over them."""
    of_it = SubscriptionDeed.subscription_id == Subscription.id
    newest = select(SubscriptionDeed.how).where(of_it).order_by(SubscriptionDeed.id.desc()).limit(1).scalar_subquery()
    names = [getattr(Subscription, name) for name in ("channel", "language", "time_zone", "state")]
    each = select(*names, newest.label("how")).subquery()
    query = select(*each.c, func.count().label("count")).group_by(*each.c).order_by(*each.c)
    return [Group(**row._mapping) for row in connection.execute(query)]
