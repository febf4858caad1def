"""One message and where it stands: what is thought about, and what came of thinking."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from sqlalchemy import Connection

from actions.commands import Command
from bot.repository.conversations import ConversationRow
from bot.repository.inbox import InboxRow
from bot.understanding.reading import Reading
from channels.contract import ReadMessage
from escalation import repository
from escalation.impostors import Sighting
from escalation.queue import BOT
from escalation.repository import CaseRow

_UNREAD = ReadMessage(text="")


@dataclass(frozen=True, kw_only=True)
class Matter:
    """One message and where it stands, as read from the store and the channel."""

    row: InboxRow
    conversation: ConversationRow
    case: CaseRow | None
    message: ReadMessage
    facts: Mapping[str, str] = field(default_factory=dict)
    """What the case knows already."""
    live: bool = False
    """Whether the user is watching, so that one question after another can be asked."""
    impostor: Sighting | None = None
    """Its author poses as us to our users."""
    known: bool = False
    """Its author has talked with us before, or has a case. Told of messages that do not speak to us."""
    may_subscribe: bool = False
    """Whether the user can ask for notices by saying so."""
    over_cap: bool = False
    """It came over the channel's caps: it is kept for a person, and nobody else is asked about it."""


@dataclass(frozen=True, kw_only=True)
class Thought:
    """The outcome of thinking. `commands` is empty when nothing is to be said."""

    matter: Matter
    """With the message as it may be kept: a one-time code in it is masked."""
    language: str
    reading: Reading
    commands: Sequence[Command]
    outcome: str
    """How the message is accounted for unless carrying out the commands says otherwise."""
    question: ReadMessage | None = None
    """What was answered if not this message: the question that waited for a proof. `reading` is then of it."""
    unheard: bool = False
    """The bot was not asked about it, since it came over a cap."""


def begin(connection: Connection, row: InboxRow, conversation: ConversationRow) -> Matter:
    """With its case. The message itself is not read yet: the channel is asked for its words afterwards."""
    if conversation.case_id is None:
        return Matter(row=row, conversation=conversation, case=None, message=_UNREAD)
    facts = repository.facts_of(connection, conversation.case_id) if conversation.owner == BOT else {}
    case = repository.get(connection, conversation.case_id)
    return Matter(row=row, conversation=conversation, case=case, message=_UNREAD, facts=facts)


def words_of(matter: Matter) -> str:
    """What is to be understood. A first mail may say it all in its subject; a reply carries an old subject on."""
    message = matter.message
    if message.complaint is not None:
        return message.complaint.words
    if matter.row.seq == 1 and message.subject:
        return f"{message.subject}\n{message.text}"
    return message.text
