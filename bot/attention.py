"""What a channel whose users watch is told beside the conversation itself: who has the word, types, has seen."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, AbstractContextManager

from sqlalchemy import Connection

from bot.clock import Clock
from bot.hub import Hub, conversation_topic
from bot.presence import Presence, attention_topic, seen_topic, typing_topic
from bot.repository import attention, conversations
from bot.repository.conversations import ConversationRow
from bot.store.store import Store
from channels.live_contract import Holder, Situation
from escalation import queue, reminders, repository


class ChannelAttention:
    """`channels.live_contract.Attention` of one channel."""

    def __init__(self, channel: str, store: Store, hub: Hub, presence: Presence, clock: Clock) -> None:
        self._channel = channel
        self._store = store
        self._hub = hub
        self._presence = presence
        self._clock = clock

    async def situation(self, conversation_key: str) -> Situation:
        """Before the first message the bot has the word."""

        def look(connection: Connection) -> Situation:
            conversation = conversations.find(connection, self._channel, conversation_key)
            if conversation is None:
                return Situation(owner=Holder.BOT)
            return self._situation(connection, conversation)

        return await self._store.read(look)

    def changes(self, conversation_key: str) -> AbstractAsyncContextManager[AsyncIterator[object]]:
        where = (self._channel, conversation_key)
        return self._hub.watch(conversation_topic(*where), attention_topic(*where), seen_topic(*where))

    def agent_types(self, conversation_key: str) -> AbstractAsyncContextManager[AsyncIterator[object]]:
        return self._hub.watch(typing_topic("agent", self._channel, conversation_key))

    def user_types(self, conversation_key: str) -> None:
        self._hub.publish(typing_topic("user", self._channel, conversation_key))

    def present(self, conversation_key: str) -> AbstractContextManager[None]:
        return self._presence.inside(self._channel, conversation_key, attention.USER)

    async def user_read(self, conversation_key: str, seq: int) -> None:
        def mark(connection: Connection) -> bool:
            found = conversations.find(connection, self._channel, conversation_key)
            if found is None:
                return False
            # Held until the commit: an answer that is queued meanwhile must see whether a reminder is still awaited.
            conversation = conversations.lock(connection, found.id)
            moved = attention.raise_marks(connection, conversation.id, user_seq=min(seq, conversation.last_seq))
            if moved:
                reminders.note_reading(connection, conversation.id)
            return moved

        if await self._store.write(mark):
            self._hub.publish(attention_topic(self._channel, conversation_key))

    def _situation(self, connection: Connection, conversation: ConversationRow) -> Situation:
        marks = attention.marks(connection, conversation.id)
        owner = conversation.owner
        if owner in (queue.BOT, queue.QUEUE):
            holder, name, here = Holder(owner), "", False
        else:
            holder, name = Holder.AGENT, repository.agent_name(connection, queue.agent_id(owner))
            here = owner in attention.present(connection, self._channel, conversation.key, self._clock())
        return Situation(
            owner=holder,
            name=name,
            here=here,
            thinking=holder is Holder.BOT and conversation.pending > 0,
            seen=marks.person_seq,
            read=marks.user_seq,
        )
