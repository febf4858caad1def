"""Has a channel read a message, as far as its caps allow: what is over them is looked at, and nothing is fetched."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import Connection

from bot import pacing
from bot.clock import Clock
from bot.repository import pace
from bot.repository.inbox import InboxRow
from bot.store.store import Store
from channels.caps_contract import Caps
from channels.contract import Channel, ReadMessage


@dataclass(frozen=True, kw_only=True)
class Opening:
    store: Store
    clock: Clock

    async def skim(self, channel: Channel, row: InboxRow, raw: bytes, *, bots: bool) -> tuple[ReadMessage, bool]:
        """The message without the files that lie at the peer, and whether the bot is not to be asked about it. `bots`:
        the conversation is the bot's; whom a person listens to may send as many words as they like. Raises RetryLater
        when the channel cannot read now."""
        caps = channel.capabilities.caps
        over = caps is not None and bots and await self._messages_over(caps, row)
        return await channel.skim(raw, row.envelope), over

    async def fetch(
        self, channel: Channel, row: InboxRow, raw: bytes, *, skimmed: ReadMessage, over: bool
    ) -> ReadMessage:
        """The message with its files, as far as the caps allow. Raises RetryLater when they cannot be fetched now."""
        caps = channel.capabilities.caps
        if not skimmed.unfetched or over or (caps is not None and await self._files_over(caps, row)):
            return skimmed
        return await channel.read(raw, row.envelope)

    async def _messages_over(self, caps: Caps, row: InboxRow) -> bool:
        if not pacing.can_be_over(caps, row.seq):
            return False

        def look(connection: Connection) -> bool:
            before = pace.earlier(connection, row.conversation_id, row.seq, pacing.windows(caps))
            return pacing.messages_over(caps, row.received_at, before)

        return await self.store.read(look)

    async def _files_over(self, caps: Caps, row: InboxRow) -> bool:
        since = self.clock() - pacing.HOUR
        fetched = await self.store.read(lambda connection: pace.files_since(connection, row.conversation_id, since))
        return pacing.files_over(caps, *fetched)
