"""Tells open pages that something is known about a file which they show."""

from __future__ import annotations

from bot.hub import Hub, conversation_topic
from bot.repository import file_checks
from bot.store.store import Store


async def announce(store: Store, hub: Hub, digest: str) -> None:
    for channel, key in await store.read(lambda connection: file_checks.conversations_with(connection, digest)):
        hub.publish(conversation_topic(channel, key))
