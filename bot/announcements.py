"""The notices that a channel shows beside a conversation to those who subscribed there."""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy import Connection

from bot.clock import Clock
from bot.store.store import Store
from channels.live_contract import Announced, Announcement
from escalation.broadcast.repository import recipients, subscriptions

SHOWN = 5
SHOWN_FOR = timedelta(days=30)


class ChannelAnnouncements:
    """`channels.live_contract.Announcements` of one channel, whose conversations are named by their recipients."""

    def __init__(self, channel: str, store: Store, clock: Clock) -> None:
        self._channel = channel
        self._store = store
        self._clock = clock

    async def of(self, conversation_key: str) -> Announced:
        def look(connection: Connection) -> Announced:
            if not subscriptions.is_active(connection, self._channel, conversation_key):
                return Announced(subscribed=False)
            since = self._clock() - SHOWN_FOR
            found = recipients.shown_to(connection, self._channel, conversation_key, since, SHOWN)
            items = [Announcement(id=one.id, title=one.title, text=one.text, at=one.at) for one in found]
            return Announced(subscribed=True, items=items)

        return await self._store.read(look)
