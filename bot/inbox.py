"""The door: store one message durably, and only then may the peer hear OK."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import Connection

from bot.clock import Clock
from bot.files import Files, sha256
from bot.repository import inbox as rows
from bot.store.store import Store
from channels.contract import Accepted, InboundMessage, NotStored

INLINE_BYTES = 64 * 1024
"""Raw messages up to this size live in the row; larger ones are a file."""


@dataclass(frozen=True)
class Claim:
    """The right to work on a conversation: a token unique per claim, renewed while the work lasts."""

    conversation_id: int
    token: str


def new_token() -> str:
    return secrets.token_hex(16)


class Inbox:
    """`accept` is what channels are given. A claim taken on the way is passed to `on_claim`."""

    def __init__(
        self, store: Store, raw: Files, clock: Clock, lease: timedelta, on_claim: Callable[[Claim], None]
    ) -> None:
        self._store = store
        self._raw = raw
        self._clock = clock
        self._lease = lease
        self._on_claim = on_claim

    async def accept(self, message: InboundMessage) -> Accepted:
        """Stores the message, or finds that it was stored before. Raises NotStored; then nothing was kept."""
        digest = await self._put_aside(message.raw)
        accepted, claim = await self._store.write(lambda connection: self._add(connection, message, digest))
        if claim is not None:
            self._on_claim(claim)
        return accepted

    async def _put_aside(self, raw: bytes) -> str:
        if len(raw) <= INLINE_BYTES:
            return sha256(raw)
        try:
            return await asyncio.to_thread(self._raw.put, raw)
        except OSError as error:
            raise NotStored(f"the raw message could not be written ({error.strerror})") from error

    def _add(self, connection: Connection, message: InboundMessage, digest: str) -> tuple[Accepted, Claim | None]:
        if known := rows.find_duplicate(connection, message.channel, message.external_id):
            return known, None
        now, token = self._clock(), new_token()
        conversation_id, seq, ours = rows.place(connection, message, token, now, now + self._lease)
        inline = message.raw if len(message.raw) <= INLINE_BYTES else None
        inbox_id = rows.add(connection, message, conversation_id, seq, digest, inline)
        accepted = Accepted(inbox_id=inbox_id, conversation_id=conversation_id, seq=seq, duplicate=False)
        return accepted, Claim(conversation_id, token) if ours else None
