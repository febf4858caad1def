"""What the desk does of itself about bonds, links and wishes; each in the commit that ends its message."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar, override

from sqlalchemy import Connection

from actions.commands import Say
from bot.binding import repository
from bot.binding.bonds import Bonds
from bot.repository.conversations import ConversationRow
from escalation import repository as case_rows
from escalation.desk_command import DeskCommand
from escalation.own_cases import none, own_cases

APPEAL = "appeal"


@dataclass(frozen=True, kw_only=True)
class Follow(DeskCommand):
    """Somebody brought a token along (Telegram's "/start <token>")."""

    name: ClassVar[str] = "binding_follow"
    bonds: Bonds
    token: str

    @override
    def carry_out(self, connection: Connection, conversation: ConversationRow, now: datetime) -> Iterable[Say]:
        token_hash = self.bonds.tokens.of_token(self.token)
        row = None if token_hash is None else repository.find(connection, token_hash)
        if row is None:
            return (Say(key="binding.dead"),)
        return (self.bonds.follow(connection, row, conversation, now),)


@dataclass(frozen=True, kw_only=True)
class BringBack(DeskCommand):
    """The author of a public conversation posted a code that was shown elsewhere. Nothing is said in public."""

    name: ClassVar[str] = "binding_bring_back"
    bonds: Bonds
    token_hash: str
    came_at: datetime

    @override
    def carry_out(self, connection: Connection, conversation: ConversationRow, now: datetime) -> Iterable[Say]:
        row = repository.find(connection, self.token_hash)
        if row is not None:
            self.bonds.bring_back(connection, row, self.came_at, now)
        return ()


@dataclass(frozen=True, kw_only=True)
class Offer(DeskCommand):
    """A link by which this conversation goes on in another channel. `link` makes it of a new token."""

    name: ClassVar[str] = "binding_offer"
    bonds: Bonds
    channel: str
    link: Callable[[str], str]
    to_chat: bool

    @override
    def carry_out(self, connection: Connection, conversation: ConversationRow, now: datetime) -> Iterable[Say]:
        token, lives = self.bonds.tokens.new_token(), self.bonds.lives
        token_hash = self.bonds.tokens.of_token(token)
        assert token_hash is not None
        life = lives.chat if self.to_chat else lives.start
        repository.add(connection, token_hash, repository.PRIVATE, now, now + life, conversation_id=conversation.id)
        minutes = round(life.total_seconds() / 60)
        span = {"hours": str(minutes // 60)} if self.to_chat else {"minutes": str(minutes)}
        key = "binding.offer_chat" if self.to_chat else "binding.offer"
        return (Say(key=key, values={"link": self.link(token), "channel": self.channel, **span}),)


@dataclass(frozen=True, kw_only=True)
class TellLinks(DeskCommand):
    """The tracking links of the cases that may be spoken of here."""

    name: ClassVar[str] = "binding_tell_links"
    bonds: Bonds
    can_prove: bool

    @override
    def carry_out(self, connection: Connection, conversation: ConversationRow, now: datetime) -> Iterable[Say]:
        holds, found = own_cases(connection, conversation, now)
        if not found:
            return (none(holds=holds, can_prove=self.can_prove),)
        links = [(case.number, self.bonds.link_of(case.number, case.link_version)) for case in found]
        return [Say(key="binding.tracking", values={"number": number, "link": link}) for number, link in links]


@dataclass(frozen=True, kw_only=True)
class MarkAppeal(DeskCommand):
    """The user disagrees with a decision: marked for whoever reads the conversation, and in the case."""

    name: ClassVar[str] = "binding_mark_appeal"

    @override
    def carry_out(self, connection: Connection, conversation: ConversationRow, now: datetime) -> Iterable[Say]:
        case_rows.add_note(connection, conversation.id, APPEAL, at=now)
        if conversation.case_id is not None:
            case_rows.add_event(connection, conversation.case_id, "appeal_wished", actor="user", at=now, public=True)
        return (Say(key="binding.appeal"),)
