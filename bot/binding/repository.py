"""Invitations: made, found by what was shown of them, used once."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, insert, select, update

from bot.repository import conversations
from bot.repository.conversations import ConversationRow
from bot.store.binding_tables import Invitation

PRIVATE, PUBLIC, CODE = "private", "public", "code"


@dataclass(frozen=True, kw_only=True)
class InvitationRow:
    id: int
    purpose: str
    conversation_id: int | None
    case_id: int | None
    for_id: int | None
    used_by: int | None
    expires_at: datetime

    def live(self, at: datetime) -> bool:
        return self.used_by is None and at < self.expires_at


_COLUMNS = [getattr(Invitation, name) for name in InvitationRow.__dataclass_fields__]


def add(
    connection: Connection,
    token_hash: str,
    purpose: str,
    now: datetime,
    expires_at: datetime,
    *,
    conversation_id: int | None = None,
    case_id: int | None = None,
    for_id: int | None = None,
) -> None:
    connection.execute(
        insert(Invitation).values(
            token_hash=token_hash,
            purpose=purpose,
            conversation_id=conversation_id,
            case_id=case_id,
            for_id=for_id,
            created_at=now,
            expires_at=expires_at,
        )
    )


def find(connection: Connection, token_hash: str) -> InvitationRow | None:
    row = connection.execute(select(*_COLUMNS).where(Invitation.token_hash == token_hash)).one_or_none()
    return None if row is None else InvitationRow(**row._mapping)


def use(connection: Connection, invitation_id: int, conversation_id: int, now: datetime) -> bool:
    """True for the one who is first: an invitation is good for one conversation."""
    free = update(Invitation).where(Invitation.id == invitation_id, Invitation.used_by.is_(None))
    return connection.execute(free.values(used_by=conversation_id, used_at=now)).rowcount == 1


def end_codes(connection: Connection, for_id: int, conversation_id: int, now: datetime) -> None:
    """A newer code takes the place of those that this conversation was shown before for the same one."""
    shown = (Invitation.for_id == for_id, Invitation.conversation_id == conversation_id, Invitation.used_by.is_(None))
    connection.execute(update(Invitation).where(*shown, Invitation.expires_at > now).values(expires_at=now))


def held(connection: Connection, channel: str, key: str, language: str, now: datetime) -> ConversationRow:
    """The conversation of this name, held until the commit; it is begun when nobody has written in it yet."""
    found = conversations.find(connection, channel, key)
    if found is not None:
        return conversations.lock(connection, found.id)
    begun = {"channel": channel, "key": key, "recipient": key, "language": language}
    return conversations.lock(connection, conversations.add(connection, **begun, created_at=now, active_at=now))
