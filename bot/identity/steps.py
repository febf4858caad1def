"""What proving who somebody is changes: each step is carried out in the commit that ends its message."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar, override

from sqlalchemy import Connection

from actions.commands import Say
from bot.identity import repository
from bot.identity.claims import Claim
from bot.identity.codes import Codes
from bot.identity.directory import Registered
from bot.identity.policy import BY_CODE, WINDOW, Limits, MaySend, locks, masked_address, may_send
from bot.identity.reading import BUTTON
from bot.repository import conversations, timers
from bot.repository.conversations import ConversationRow
from channels.contract import Account
from escalation.desk_command import DeskCommand
from escalation.repository import add_note

LETTER_TIMER = "identity_letter"
FORGET_TIMER = "identity_forget"


def minutes(limits: Limits) -> str:
    return str(round(limits.code_life.total_seconds() / 60))


@dataclass(frozen=True, kw_only=True)
class Tell(DeskCommand):
    """Nothing changes; something is said."""

    name: ClassVar[str] = "identity_tell"
    say: Say

    @override
    def carry_out(self, connection: Connection, conversation: ConversationRow, now: datetime) -> Iterable[Say]:
        return (self.say,)


@dataclass(frozen=True, kw_only=True)
class AskAccount(DeskCommand):
    """Which account is it? `waiting` is the inbox id of the question that is answered afterwards."""

    name: ClassVar[str] = "identity_ask_account"
    waiting: int | None
    say: Say

    @override
    def carry_out(self, connection: Connection, conversation: ConversationRow, now: datetime) -> Iterable[Say]:
        repository.open_dialogue(connection, conversation.id, "account", now, waiting_inbox_id=self.waiting)
        return (self.say,)


@dataclass(frozen=True, kw_only=True)
class Leave(DeskCommand):
    """The user speaks of something else (`say` None), or does not want to any more: then the code is void, too."""

    name: ClassVar[str] = "identity_leave"
    say: Say | None = None

    @override
    def carry_out(self, connection: Connection, conversation: ConversationRow, now: datetime) -> Iterable[Say]:
        repository.close_dialogue(connection, conversation.id)
        if self.say is None:
            return ()
        repository.end_codes(connection, conversation.id)
        return (self.say,)


@dataclass(frozen=True, kw_only=True)
class SendCode(DeskCommand):
    """A code for the account that is claimed. The same rows are written whether or not there is one."""

    name: ClassVar[str] = "identity_send_code"
    claim: Claim
    registered: Registered | None
    waiting: int | None
    language: str
    codes: Codes
    limits: Limits

    @override
    def carry_out(self, connection: Connection, conversation: ConversationRow, now: datetime) -> Iterable[Say]:
        found = self.registered
        key = self._account_key()
        ordinal = repository.next_ordinal(connection, key)
        earlier = repository.sends_of_conversation(connection, conversation.id, now)
        allowed = may_send(earlier, repository.sends_of_account(connection, key, now), self.limits, now)
        if allowed is MaySend.CONVERSATION_FULL:
            repository.close_dialogue(connection, conversation.id)
            return (too_many(self.limits),)
        to = found if allowed is MaySend.YES else None
        self._add(connection, conversation.id, key, ordinal, to, now)
        repository.open_dialogue(connection, conversation.id, "code", now, waiting_inbox_id=self.waiting)
        self._note(connection, conversation.id, to, now)
        values = {"minutes": minutes(self.limits), "limit": str(self.limits.sends)}
        return (Say(key="identity.code_sent", values=values),)

    def _account_key(self) -> str:
        if self.registered is None:
            return self.codes.account_key(self.claim.kind, self.claim.value)
        return self.codes.account_key("uid", self.registered.uid)

    def _add(
        self,
        connection: Connection,
        conversation_id: int,
        key: str,
        ordinal: int,
        to: Registered | None,
        now: datetime,
    ) -> None:
        expires_at = now + self.limits.code_life
        code_id = repository.add_code(
            connection,
            conversation_id,
            key,
            ordinal,
            uid=None if to is None else to.uid,
            address="" if to is None else to.email,
            language=self.language,
            nonce=self.codes.new_nonce(),
            created_at=now,
            expires_at=expires_at,
        )
        # The letter is written when the timer rings: this commit takes as long for an account that does not exist.
        timers.set_timer(connection, LETTER_TIMER, str(code_id), now, {"code_id": code_id})
        timers.set_timer(connection, FORGET_TIMER, str(code_id), expires_at, {"code_id": code_id})

    def _note(self, connection: Connection, conversation_id: int, to: Registered | None, now: datetime) -> None:
        kind = "code_not_sent" if to is None else "code_sent"
        reasons = [] if to is None else [masked_address(to.email), f"UID {to.uid}"]
        add_note(connection, conversation_id, kind, at=now, data={"reasons": reasons})


@dataclass(frozen=True, kw_only=True)
class CountTry(DeskCommand):
    """A wrong code, or several at once."""

    name: ClassVar[str] = "identity_count_try"
    code_id: int
    limits: Limits
    guesses: int = 1

    @override
    def carry_out(self, connection: Connection, conversation: ConversationRow, now: datetime) -> Iterable[Say]:
        tries = repository.count_tries(connection, self.code_id, self.guesses)
        if not locks(tries, self.limits):
            left = str(self.limits.tries - tries)
            return (Say(key="identity.code_wrong", values={"left": left}, buttons=("never_mind", "person")),)
        repository.change_code(connection, self.code_id, state="locked")
        repository.close_dialogue(connection, conversation.id)
        add_note(connection, conversation.id, "code_locked", at=now)
        return (locked(),)


@dataclass(frozen=True, kw_only=True)
class CountGuesses(DeskCommand):
    """Numbers in a message about something else were compared with the code. Nothing is said about it."""

    name: ClassVar[str] = "identity_count_guesses"
    code_id: int
    guesses: int
    limits: Limits

    @override
    def carry_out(self, connection: Connection, conversation: ConversationRow, now: datetime) -> Iterable[Say]:
        if locks(repository.count_tries(connection, self.code_id, self.guesses), self.limits):
            repository.change_code(connection, self.code_id, state="locked")
            add_note(connection, conversation.id, "code_locked", at=now)
        return ()


@dataclass(frozen=True, kw_only=True)
class VoidCode(DeskCommand):
    """Right, but the registered address is another one by now."""

    name: ClassVar[str] = "identity_void_code"
    code_id: int

    @override
    def carry_out(self, connection: Connection, conversation: ConversationRow, now: datetime) -> Iterable[Say]:
        repository.change_code(connection, self.code_id, state="void")
        repository.close_dialogue(connection, conversation.id)
        add_note(connection, conversation.id, "code_address_changed", at=now)
        return (Say(key="identity.address_changed", buttons=("person",)),)


class CodeEnded(RuntimeError):
    """The code ran out between thinking and the commit: the turn is thought through again."""


@dataclass(frozen=True, kw_only=True)
class Accept(DeskCommand):
    """It is proven. The code is looked at once more: only a live one counts, and only once. May raise CodeEnded,
    so that nothing is said that presumes the proof."""

    name: ClassVar[str] = "identity_accept"
    code_id: int
    registered: Registered
    limits: Limits
    answers: bool
    """True when the question that waited is answered right after this."""

    @override
    def carry_out(self, connection: Connection, conversation: ConversationRow, now: datetime) -> Iterable[Say]:
        row = repository.code(connection, self.code_id)
        if row.state != "live":
            raise CodeEnded
        repository.change_code(connection, row.id, state="used")
        if row.letter_id is not None:
            repository.blank_letter(connection, row.letter_id, now)
        repository.close_dialogue(connection, conversation.id)
        repository.bind(connection, conversation.id, self._account(now), now)
        # Codes typed again are still taken for what they are, and hidden.
        conversations.change(connection, conversation.id, proving_until=now + WINDOW)
        said = Say(key="identity.proven", values={"name": self.registered.name or self.registered.uid})
        return (said,) if self.answers else (said, Say(key="identity.what_now"))

    def _account(self, now: datetime) -> Account:
        found = self.registered
        return Account(
            uid=found.uid,
            name=found.name[:120],
            proven_by=BY_CODE,
            email=found.email,
            until=now + self.limits.proof_life,
            detail=masked_address(found.email),
        )


def over() -> Say:
    return Say(key="identity.code_over", buttons=(BUTTON, "person"))


def locked() -> Say:
    return Say(key="identity.code_locked", buttons=(BUTTON, "person"))


def too_many(limits: Limits) -> Say:
    return Say(key="identity.too_many", values={"limit": str(limits.sends)}, buttons=("person",))
