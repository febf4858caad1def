"""The desk of the contract suite: the real inbox, transcript, uploads and evidence on a real database."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, select

from bot import catalogue
from bot.attention import ChannelAttention
from bot.files import Files
from bot.hub import Hub, conversation_topic
from bot.inbox import Claim, Inbox
from bot.presence import Presence
from bot.store.store import Store
from bot.store.tables import Conversation
from bot.store.tables import Inbox as InboxTable
from bot.transcript import ChannelTranscript
from bot.uploads import ChannelUploads
from channels.contract import Accepted, Channel, ChannelContext, InboundMessage
from escalation.links import TrackingLinks
from tests.conftest import MovedClock
from tests.fakes import desk as fakes
from tests.fakes.desk import SECRET, FakeDesk, Links

APP_TOKEN_SECRET = "an app token secret of thirty-two characters"


@dataclass(frozen=True)
class Row:
    """A stored message."""

    external_id: str
    conversation_id: int
    key: str
    seq: int
    sender: str
    raw: bytes
    envelope: dict[str, Any]


class ContractDesk(FakeDesk):
    """Can be told to fail or to wait like the fake one, but what it stores is in the database."""

    def __init__(self, store: Store, clock: MovedClock, folder: Path) -> None:
        self.store, self.clock, self.folder = store, clock, folder
        self.hub = Hub()
        self.words = catalogue.whole()
        self.raw, self.evidence = Files(folder / "raw"), Files(folder / "evidence")
        self.claims: list[Claim] = []
        """What nobody works on yet."""
        self.channels: dict[str, Channel] = {}
        """For the transcript. A peer puts its channel here, see `built`."""
        self._inbox = Inbox(
            store,
            self.raw,
            clock,
            timedelta(seconds=15),
            self.claims.append,
            on_stored=lambda channel, key: self.hub.publish_soon(conversation_topic(channel, key)),
        )
        super().__init__(self._take)

    async def _take(self, message: InboundMessage) -> Accepted:
        """By the suite's clock: channels look at the machine's."""
        return await self._inbox.accept(replace(message, received_at=self.clock()))

    def context(self, name: str, settings: dict[str, Any], **changes: Any) -> ChannelContext:
        """For the channel `name`; `changes` are fields, for example `public_url`."""
        values = {
            "evidence": self.evidence,
            "transcript": ChannelTranscript(
                name, self.store, self.hub, self.channels, TrackingLinks(SECRET, "https://desk.example")
            ),
            "uploads": ChannelUploads(name, self.store, self.folder / "uploads", self.evidence, self.clock),
            "attention": ChannelAttention(
                name, self.store, self.hub, Presence(self.store, self.clock, self.hub), self.clock
            ),
            "invitations": Links(),
            "app_token_secret": APP_TOKEN_SECRET,
        }
        return fakes.context(self.folder, self, self.words, settings, **(values | changes))

    def built[C: Channel](self, channel: C) -> C:
        self.channels[channel.name] = channel
        return channel

    async def rows(self) -> list[Row]:
        """Everything stored, in the order in which it was."""

        def read(connection: Connection) -> list[Any]:
            query = select(*_COLUMNS).join(Conversation, Conversation.id == InboxTable.conversation_id)
            return list(connection.execute(query.order_by(InboxTable.id)))

        found = await self.store.read(read)
        return [await self._row(row) for row in found]

    async def _row(self, row: Any) -> Row:
        """A large message lies in a file, named by its hash."""
        return Row(
            external_id=row.external_id,
            conversation_id=row.conversation_id,
            key=row.key,
            seq=row.seq,
            sender=row.sender,
            raw=await asyncio.to_thread(self.raw.get, row.raw_sha256) if row.raw is None else row.raw,
            envelope=row.envelope,
        )


_COLUMNS = (
    InboxTable.external_id,
    InboxTable.conversation_id,
    Conversation.key,
    InboxTable.seq,
    InboxTable.sender,
    InboxTable.raw,
    InboxTable.raw_sha256,
    InboxTable.envelope,
)
