"""What following the link does: the conversation goes on by e-mail, beginning with a copy of the complaint."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from enum import Enum

from sqlalchemy import Connection

from bot.repository import conversations
from bot.repository import outbox as outbox_rows
from bot.repository.conversations import ConversationRow
from bot.repository.outbox import Draft
from channels.contract import Author, Words
from escalation import repository as cases
from escalation.cases import Promise
from escalation.confirming import repository
from escalation.confirming.asking import hash_of
from escalation.confirming.repository import Confirmation
from escalation.letters import new_letter_key
from escalation.links import TrackingLinks
from escalation.repository import CaseRow
from escalation.web.moments import day

KILOBYTE = 1024


class Outcome(Enum):
    OPEN = "open"
    """The link is good and waits for its button."""
    CONFIRMED = "confirmed"
    UNKNOWN = "unknown"
    """No such link, or it has run out."""


@dataclass(frozen=True, kw_only=True)
class Confirm:
    words: Words
    links: TrackingLinks
    promise: Promise
    letters: Callable[[], str | None]
    door: Callable[[str], str]
    """Where a channel is found, by its name: of e-mail, the address of the department."""

    def look(self, connection: Connection, token: str, now: datetime) -> tuple[Outcome, Confirmation | None]:
        found = repository.find(connection, hash_of(token))
        if found is None:
            return Outcome.UNKNOWN, None
        if found.confirmed_at is not None:
            return Outcome.CONFIRMED, found
        return (Outcome.UNKNOWN if now >= found.expires_at else Outcome.OPEN), found

    def carry_out(self, connection: Connection, token: str, now: datetime) -> tuple[Outcome, str | None]:
        """The outcome and the channel that has something to send. One link confirms one conversation, once."""
        outcome, found = self.look(connection, token, now)
        channel = self.letters()
        if outcome is not Outcome.OPEN or found is None or channel is None:
            return outcome, None
        conversation = conversations.lock(connection, found.conversation_id)
        if conversation.channel == channel:
            return Outcome.UNKNOWN, None  # it goes to another address already
        if not repository.confirm(connection, found.id, now):
            return Outcome.CONFIRMED, None
        self._move(connection, conversation, channel, found.address)
        outbox_rows.give_to_machine(connection, conversation.id, now)
        cases.add_note(connection, conversation.id, "address_confirmed", at=now)
        self._acknowledge(connection, conversation, channel, found.id, now)
        return Outcome.CONFIRMED, channel

    def _move(self, connection: Connection, conversation: ConversationRow, channel: str, address: str) -> None:
        """From now on every word of the conversation goes to the address, and answers come back into it."""
        language = conversation.language or "en"
        conversations.change(
            connection,
            conversation.id,
            channel=channel,
            key=new_letter_key(),
            recipient=address,
            subject=self.words.say("confirming.copy_subject", language),
        )

    def _acknowledge(
        self, connection: Connection, conversation: ConversationRow, channel: str, confirmation_id: int, now: datetime
    ) -> None:
        """With a copy of the complaint (Delegated Regulation (EU) 2025/294, Article 4(3))."""
        language = conversation.language or "en"
        told = repository.told(connection, conversation.id)
        copy = "\n\n".join(one.text for one in told)
        names = [
            f"- {file.filename} ({-(-file.size // KILOBYTE)} KB)"
            for file in repository.sent(connection, conversation.id)
        ]
        files = "\n".join(names) or self.words.say("confirming.no_files", language)
        received = day(min((one.received_at for one in told), default=now), language)
        common = {"copy": copy, "files": files, "received": received, "contact": self.door(channel)}
        if conversation.case_id is None:
            text = self.words.say("confirming.copy", language, **common)
        else:
            case = cases.get(connection, conversation.case_id)
            text = self.words.say("confirming.copy_case", language, **common, **self._promised(case, language))
        draft = Draft(origin=f"confirmed:{confirmation_id}", author=Author.DESK, text=text, language=language)
        outbox_rows.queue(connection, conversation.id, draft, secrets.token_hex(16), now)

    def _promised(self, case: CaseRow, language: str) -> dict[str, str]:
        return {
            "number": case.number,
            "link": self.links.url(case.number, case.link_version),
            "hours": str(round(self.promise.first_answer.total_seconds() / 3600)),
            "date": day(case.decision_due_at, language),
        }
