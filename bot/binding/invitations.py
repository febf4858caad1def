"""`channels.contract.Invitations` of one channel: links that lead into the live chat, and their use there."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

from sqlalchemy import Connection

from bot.binding import repository
from bot.binding.bonds import Bonds
from bot.binding.repository import PRIVATE, PUBLIC, InvitationRow
from bot.binding.step import TRY
from bot.clock import Clock
from bot.hub import OUTBOX, Hub, conversation_topic
from bot.repository import conversations
from bot.store.store import Store
from channels.contract import Capabilities, Channel
from channels.live_contract import Invited


def _is_chat(capabilities: Capabilities) -> bool:
    """Its users watch a page of ours and write there; those of a form only look at theirs."""
    return capabilities.live and capabilities.immediate


class ChannelInvitations:
    """`channels` is filled after the channels are built."""

    def __init__(
        self, name: str, store: Store, hub: Hub, clock: Clock, bonds: Bonds, channels: Mapping[str, Channel]
    ) -> None:
        self._name = name
        self._store = store
        self._hub = hub
        self._clock = clock
        self._bonds = bonds
        self._channels = channels

    async def link(self, conversation_key: str, language: str) -> str:
        chat = next((each for each in self._channels.values() if _is_chat(each.capabilities)), None)
        if chat is None:
            return ""
        token, now = self._bonds.tokens.new_token(), self._clock()
        known = await self._store.write(lambda connection: self._invite(connection, conversation_key, token, now))
        return chat.start_link(token, language) if known else chat.door()

    async def look(self, token: str, language: str) -> Invited | None:
        return await self._store.read(lambda connection: self._look(connection, token, language))

    async def follow(self, token: str, conversation_key: str, language: str) -> bool:
        done = await self._store.write(lambda connection: self._follow(connection, token, conversation_key, language))
        if done:
            self._hub.publish(OUTBOX, conversation_topic(self._name, conversation_key))
        return done

    def _invite(self, connection: Connection, key: str, token: str, now: datetime) -> bool:
        found = conversations.find(connection, self._name, key)
        if found is None:
            return False
        purpose = PUBLIC if self._channels[self._name].is_public(key) else PRIVATE
        self._add(connection, token, purpose, now, self._bonds.lives.chat, found.id)
        return True

    def _add(
        self, connection: Connection, token: str, purpose: str, now: datetime, life: timedelta, conversation_id: int
    ) -> None:
        token_hash = self._bonds.tokens.of_token(token)
        assert token_hash is not None
        repository.add(connection, token_hash, purpose, now, now + life, conversation_id=conversation_id)

    def _look(self, connection: Connection, token: str, language: str) -> Invited | None:
        row = self._live(connection, token)
        if row is None:
            return None
        if row.conversation_id is None:
            return Invited(title="", public=False)
        there = conversations.get(connection, row.conversation_id)
        return Invited(title=self._channels[there.channel].title(language), public=row.purpose == PUBLIC)

    def _live(self, connection: Connection, token: str) -> InvitationRow | None:
        token_hash = self._bonds.tokens.of_token(token)
        row = None if token_hash is None else repository.find(connection, token_hash)
        return row if row is not None and row.live(self._clock()) else None

    def _follow(self, connection: Connection, token: str, key: str, language: str) -> bool:
        row = self._live(connection, token)
        if row is None:
            return False
        now = self._clock()
        here = repository.held(connection, self._name, key, language, now)
        said = self._bonds.follow(connection, row, here, now)
        self._bonds.tell(connection, here, said, f"follow:{row.id}:{here.id}:{here.last_seq}", now)
        return True


class CaseInvitations:
    """For whoever holds the tracking link of a case: links that open a channel and belong to the case there."""

    def __init__(self, store: Store, clock: Clock, bonds: Bonds, channels: Mapping[str, Channel]) -> None:
        self._store = store
        self._clock = clock
        self._bonds = bonds
        self._channels = channels

    async def links(self, case_id: int, language: str) -> Sequence[tuple[str, str]]:
        """(title, link) of each channel that announces what comes, and can be entered with a token."""
        entered = [
            (channel, self._bonds.tokens.new_token())
            for channel in self._channels.values()
            if channel.capabilities.announces and channel.start_link(TRY, language)
        ]
        if entered:
            await self._store.write(lambda connection: self._add(connection, case_id, [token for _, token in entered]))
        return [(channel.title(language), channel.start_link(token, language)) for channel, token in entered]

    def offers(self, language: str) -> bool:
        return any(each.capabilities.announces and each.start_link(TRY, language) for each in self._channels.values())

    def _add(self, connection: Connection, case_id: int, tokens: Sequence[str]) -> None:
        now = self._clock()
        for token in tokens:
            token_hash = self._bonds.tokens.of_token(token)
            assert token_hash is not None
            repository.add(connection, token_hash, PRIVATE, now, now + self._bonds.lives.start, case_id=case_id)
