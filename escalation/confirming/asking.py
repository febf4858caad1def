"""Asks the owner of an address whether it is theirs. The letter has not a word in it that a stranger chose."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import ClassVar, override

from sqlalchemy import Connection

from actions.commands import Say
from bot.repository import conversations
from bot.repository.conversations import ConversationRow
from channels.contract import Words
from escalation.confirming import repository
from escalation.desk_command import DeskCommand
from escalation.letters import open_letter

LIFE = timedelta(days=7)
PAUSE = timedelta(hours=24)
"""To one mailbox at most one letter in this time, whoever types its address how often."""
MOST_CHARACTERS = 254
"""RFC 5321 section 4.5.3.1.3, without the angle brackets."""


@dataclass(frozen=True, kw_only=True)
class Asking:
    """What asking needs; the composition root fills it in."""

    words: Words
    exchange: Mapping[str, str]
    """The exchange's name by language."""
    public_url: str
    letters: Callable[[], str | None]
    """The channel that can write to an e-mail address; None when there is none."""

    def ask(
        self, connection: Connection, conversation: ConversationRow, address: str, language: str, now: datetime
    ) -> None:
        """Queues the letter inside the caller's commit, unless this mailbox had one lately. Then nothing is sent, and
        the address stays unconfirmed."""
        channel, key = self.letters(), mailbox_key(address)
        if channel is None or len(address) > MOST_CHARACTERS:
            return
        if repository.asked_in(connection, conversation.id, key):
            return
        token = None if repository.written_since(connection, key, now - PAUSE) else secrets.token_urlsafe(32)
        asked = repository.add(
            connection,
            conversation_id=conversation.id,
            address=address,
            address_key=key,
            token_hash=None if token is None else hash_of(token),
            now=now,
            expires_at=now + LIFE,
        )
        if token is not None:
            self._write(connection, channel, address, language, f"confirm:{asked}:{hash_of(token)[:16]}", token, now)

    def _write(
        self,
        connection: Connection,
        channel: str,
        address: str,
        language: str,
        origin: str,
        token: str,
        now: datetime,
    ) -> None:
        link = f"{self.public_url}/confirm/{token}?lang={language}"
        exchange = self.exchange[language]
        open_letter(
            connection,
            channel=channel,
            address=address,
            language=language,
            subject=self.words.say("confirming.letter_subject", language),
            text=self.words.say("confirming.letter", language, exchange=exchange, link=link, days=str(LIFE.days)),
            origin=origin,
            now=now,
            sealed=True,
        )


@dataclass(frozen=True, kw_only=True)
class AskToConfirm(DeskCommand):
    """Has the owner of an address asked, in the commit that ends the message in which it was given."""

    name: ClassVar[str] = "ask_to_confirm"
    address: str
    language: str
    asking: Asking

    @override
    def carry_out(self, connection: Connection, conversation: ConversationRow, now: datetime) -> Iterable[Say]:
        self.asking.ask(connection, conversation, self.address, self.language, now)
        return ()


@dataclass(frozen=True, kw_only=True)
class KeepTogether(DeskCommand):
    """A form that is sent again after its conversation went on by e-mail still belongs to the case that it opened."""

    name: ClassVar[str] = "keep_together"

    @override
    def carry_out(self, connection: Connection, conversation: ConversationRow, now: datetime) -> Iterable[Say]:
        """A form's first message has its conversation's key as its id."""
        if conversation.case_id is None:
            case_id = repository.case_of(connection, conversation.channel, conversation.key)
            conversations.change(connection, conversation.id, case_id=case_id)
        return ()


def hash_of(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()


def mailbox_key(address: str) -> str:
    """The same for all spellings by which most mail systems reach one mailbox."""
    local, _, domain = address.strip().lower().rpartition("@")
    return hash_of(f"{local.partition('+')[0]}@{domain}")
