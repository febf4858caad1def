"""Queries about addresses to be confirmed, and about what became of a message whose author gave one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, func, insert, select, update

from bot.store.confirming_tables import AddressConfirmation
from bot.store.tables import Case, Conversation, Evidence, Inbox


@dataclass(frozen=True, kw_only=True)
class Confirmation:
    id: int
    conversation_id: int
    address: str
    expires_at: datetime
    confirmed_at: datetime | None


@dataclass(frozen=True, kw_only=True)
class Standing:
    """A stored message, the case of its conversation, and the conversation."""

    conversation_id: int
    raw_sha256: str
    number: str | None
    link_version: int | None


@dataclass(frozen=True, kw_only=True)
class Told:
    """A message of the user, as the desk keeps it."""

    id: int
    text: str
    received_at: datetime


@dataclass(frozen=True, kw_only=True)
class Sent:
    """A file that came with one of them."""

    filename: str
    size: int


_COLUMNS = [getattr(AddressConfirmation, name) for name in Confirmation.__dataclass_fields__]


def add(
    connection: Connection,
    *,
    conversation_id: int,
    address: str,
    address_key: str,
    token_hash: str | None,
    now: datetime,
    expires_at: datetime,
) -> int:
    """Its id. Without a token no letter is written. Raises IntegrityError when another letter to the same mailbox is
    being counted at this moment: the caller's commit is tried again."""
    written = select(func.count(AddressConfirmation.ordinal)).where(AddressConfirmation.address_key == address_key)
    ordinal = None if token_hash is None else int(connection.execute(written).scalar_one()) + 1
    query = insert(AddressConfirmation).values(
        conversation_id=conversation_id,
        address=address,
        address_key=address_key,
        ordinal=ordinal,
        token_hash=token_hash,
        created_at=now,
        expires_at=expires_at,
    )
    return int(connection.execute(query.returning(AddressConfirmation.id)).scalar_one())


def written_since(connection: Connection, address_key: str, since: datetime) -> bool:
    """Whether a letter to this mailbox was written after `since`."""
    query = select(AddressConfirmation.id).where(
        AddressConfirmation.address_key == address_key,
        AddressConfirmation.ordinal.is_not(None),
        AddressConfirmation.created_at > since,
    )
    return connection.execute(query.limit(1)).first() is not None


def asked_in(connection: Connection, conversation_id: int, address_key: str) -> bool:
    query = select(AddressConfirmation.id).where(
        AddressConfirmation.conversation_id == conversation_id, AddressConfirmation.address_key == address_key
    )
    return connection.execute(query.limit(1)).first() is not None


def find(connection: Connection, token_hash: str) -> Confirmation | None:
    query = select(*_COLUMNS).where(AddressConfirmation.token_hash == token_hash)
    row = connection.execute(query).one_or_none()
    return None if row is None else Confirmation(**row._mapping)


def confirm(connection: Connection, confirmation_id: int, now: datetime) -> bool:
    """False when it is confirmed already: a link that is followed twice at once confirms once."""
    mine = (AddressConfirmation.id == confirmation_id, AddressConfirmation.confirmed_at.is_(None))
    return connection.execute(update(AddressConfirmation).where(*mine).values(confirmed_at=now)).rowcount == 1


def confirmations(connection: Connection, conversation_id: int) -> Sequence[datetime | None]:
    """When each address that was given in the conversation was confirmed; None: not yet."""
    query = select(AddressConfirmation.confirmed_at).where(AddressConfirmation.conversation_id == conversation_id)
    return connection.execute(query).scalars().all()


def standing(connection: Connection, channel: str, external_id: str) -> Standing | None:
    query = (
        select(Inbox.conversation_id, Inbox.raw_sha256, Case.number, Case.link_version)
        .join(Conversation, Conversation.id == Inbox.conversation_id)
        .outerjoin(Case, Case.id == Conversation.case_id)
        .where(Inbox.channel == channel, Inbox.external_id == external_id)
    )
    row = connection.execute(query).one_or_none()
    return None if row is None else Standing(**row._mapping)


def case_of(connection: Connection, channel: str, external_id: str) -> int | None:
    """The case to whose conversation a message belongs; None when it is not stored or has none."""
    query = (
        select(Conversation.case_id)
        .join(Inbox, Inbox.conversation_id == Conversation.id)
        .where(Inbox.channel == channel, Inbox.external_id == external_id)
    )
    return connection.execute(query).scalar_one_or_none()


def told(connection: Connection, conversation_id: int) -> Sequence[Told]:
    """Everything that the user wrote in the conversation and the desk has read, oldest first."""
    query = select(Inbox.id, Inbox.text, Inbox.received_at).where(
        Inbox.conversation_id == conversation_id, Inbox.state == "done"
    )
    return [Told(**row._mapping) for row in connection.execute(query.order_by(Inbox.seq))]


def sent(connection: Connection, conversation_id: int) -> Sequence[Sent]:
    query = select(Evidence.filename, Evidence.size).where(Evidence.conversation_id == conversation_id)
    return [Sent(**row._mapping) for row in connection.execute(query.order_by(Evidence.inbox_id, Evidence.ordinal))]
