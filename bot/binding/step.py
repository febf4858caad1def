"""What the desk itself understands before the bot does: invitations, codes that come back, and a few plain wishes.

Nothing is written here; most messages cost no query.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial

from actions.commands import HandToPerson, Say
from bot.binding import repository
from bot.binding.bonds import Bonds
from bot.binding.commands import APPEAL, BringBack, Follow, MarkAppeal, Offer, TellLinks
from bot.binding.phrases import wants_channel, wants_link
from bot.binding.tokens import codes_in, without_codes
from bot.identity.proposal import Proving, tell
from bot.identity.remainder import is_question, left_over
from bot.repository.conversations import ConversationRow
from bot.repository.inbox import InboxRow
from bot.store.store import Store
from channels.contract import Channel, Kind, ReadMessage
from escalation.queue import BOT, QUEUE

LANGUAGE = "language"
LANGUAGES = ("en", "zh")
TRY = "-"
"""Stands for a token when it is only asked whether a channel has such links."""


@dataclass(frozen=True, kw_only=True)
class Binding:
    store: Store
    channels: Mapping[str, Channel]
    bonds: Bonds
    can_prove: bool

    async def step(
        self, conversation: ConversationRow, row: InboxRow, message: ReadMessage, language: str
    ) -> Proving | None:
        """None when the message is nothing of this."""
        if message.kind is not Kind.MESSAGE:
            return None
        if self.channels[conversation.channel].is_public(conversation.key):
            return await self._brought_back(conversation, row, message)
        if message.invitation is not None:
            return Proving(commands=(Follow(bonds=self.bonds, token=message.invitation),))
        if message.payload == APPEAL:
            return _appeal(conversation)
        if conversation.owner not in (BOT, QUEUE):
            return None  # a person is here, and will hear the wish
        return self._wish(conversation, message, language)

    async def _brought_back(self, conversation: ConversationRow, row: InboxRow, message: ReadMessage) -> Proving | None:
        hashes = [self.bonds.tokens.of_code(code, conversation.id) for code in codes_in(message.text)]
        for each in hashes:
            if await self.store.read(partial(repository.find, token_hash=each)) is not None:
                rest = left_over(without_codes(message.text))
                command = BringBack(bonds=self.bonds, token_hash=each, came_at=row.received_at)
                return Proving(commands=(command,), goes_on=is_question(rest) and len(rest) > SHORT)
        return None

    def _wish(self, conversation: ConversationRow, message: ReadMessage, language: str) -> Proving | None:
        if message.payload is not None:
            buttons = tuple(f"{LANGUAGE}:{each}" for each in LANGUAGES)
            menu = Say(key="binding.which_language", buttons=buttons)
            return tell(menu) if message.payload == LANGUAGE else None
        if wants_link(message.text):
            return Proving(commands=(TellLinks(bonds=self.bonds, can_prove=self.can_prove),))
        others = self._others(conversation.channel)
        wished = wants_channel(message.text, others)
        if wished is None:
            return None
        channel = self.channels[wished]
        offer = Offer(
            bonds=self.bonds,
            channel=channel.title(language),
            link=partial(channel.start_link, language=language),
            to_chat=channel.capabilities.immediate,
        )
        return Proving(commands=(offer,))

    def _others(self, here: str) -> Mapping[str, tuple[str, ...]]:
        """The other channels that can be entered with a token, and what they are called."""
        return {
            name: tuple(channel.title(language) for language in LANGUAGES)
            for name, channel in self.channels.items()
            if name != here and channel.start_link(TRY, LANGUAGES[0])
        }


SHORT = 40
"""Characters around a code that are taken for what goes with it ("this is my code")."""


def _appeal(conversation: ConversationRow) -> Proving:
    """It goes to a person, whoever has the conversation; the words are in the message itself."""
    if conversation.owner != BOT:
        return Proving(commands=(MarkAppeal(),), goes_on=True)
    return Proving(commands=(MarkAppeal(), HandToPerson(reasons=(APPEAL,))))
