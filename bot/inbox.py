"""The door: store one message durably, and only then may the peer hear OK."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from sqlalchemy import Connection

from bot.clock import Clock
from bot.files import Files, sha256
from bot.identity import repository as identity
from bot.matter import Matter, begin
from bot.repository import arrivals
from bot.repository.arrivals import Arrival, Stored
from bot.store.store import Store
from bot.tokens import new_token
from channels.contract import Accepted, InboundMessage
from channels.faults import NotStored

INLINE_BYTES = 64 * 1024
"""Raw messages up to this size live in the row; larger ones are a file."""


@dataclass(frozen=True)
class Claim:
    """The right to work on a conversation: a token unique per claim, renewed while the work lasts."""

    conversation_id: int
    token: str
    first: Matter | None = field(default=None, compare=False)
    """What to begin with, when the accept that took the claim knows it: spares reading it again."""


class Inbox:
    """`accept` is what channels are given. A claim taken on the way is passed to `on_claim`."""

    def __init__(
        self,
        store: Store,
        raw: Files,
        clock: Clock,
        lease: timedelta,
        on_claim: Callable[[Claim], None],
        has_room: Callable[[], bool] = lambda: True,
        on_stored: Callable[[str, str], None] = lambda _channel, _key: None,
    ) -> None:
        """`has_room`: whether another claim can be worked on here; else the message waits for a scan. `on_stored`
        hears the channel and the key of a conversation that has got a message."""
        self._store = store
        self._raw = raw
        self._clock = clock
        self._lease = lease
        self._on_claim = on_claim
        self._has_room = has_room
        self._on_stored = on_stored

    async def accept(self, message: InboundMessage) -> Accepted:
        """Stores the message, or finds that it was stored before. Raises NotStored; then nothing was kept."""
        digest = await self._put_aside(message.raw)
        inline = message.raw if len(message.raw) <= INLINE_BYTES else None
        arrival = Arrival(message, digest, inline, new_token() if self._has_room() else None)
        stored, first = await self._store.write_together(self._add, arrival)
        if stored.leased and arrival.token is not None:
            self._on_claim(Claim(stored.accepted.conversation_id, arrival.token, first))
        if not stored.accepted.duplicate:
            self._on_stored(message.channel, message.conversation_key)
        return stored.accepted

    async def _put_aside(self, raw: bytes) -> str:
        if len(raw) <= INLINE_BYTES:
            return sha256(raw)
        try:
            return await asyncio.to_thread(self._raw.put, raw)
        except OSError as error:
            raise NotStored(f"the raw message could not be written ({error.strerror})") from error

    def _add(self, connection: Connection, arriving: Sequence[Arrival]) -> Sequence[tuple[Stored, Matter | None]]:
        now = self._clock()
        stored = arrivals.store(connection, arriving, now, now + self._lease)
        bound = [_bound(connection, *pair, now) for pair in zip(arriving, stored, strict=True)]
        return [(one, _begun(connection, one, alone=len(bound) == 1)) for one in bound]


def _bound(connection: Connection, arrival: Arrival, stored: Stored, now: datetime) -> Stored:
    """A proven account is remembered with the conversation; an unproven message never takes it away."""
    account = arrival.message.account
    if account is None or stored.accepted.duplicate:
        return stored
    identity.bind(connection, stored.accepted.conversation_id, account, now)
    return replace(stored, row=None, conversation=None)  # the conversation is not as it was: it is read again


def _begun(connection: Connection, stored: Stored, *, alone: bool) -> Matter | None:
    """What the work on the message begins with, as far as it is known. Its case is read here when it comes `alone`,
    for a thread takes longer to begin than to read it; when many come at a time they do not wait for each other's."""
    row, conversation = stored.row, stored.conversation
    if row is None or conversation is None or (conversation.case_id is not None and not alone):
        return None
    return begin(connection, row, conversation)
