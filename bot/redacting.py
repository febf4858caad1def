"""Takes the secrets out of a message before anything is done with it, and has the one who sent them warned.

This is the border: behind it nobody needs a secret or sees one, neither Rasa nor the agents nor the transcript. Only
the original bytes keep it.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import ClassVar, override

from sqlalchemy import Connection

from actions.commands import Say
from bot.repository.conversations import ConversationRow
from bot.understanding.reading import Reading
from bot.understanding.secrets import KINDS, redact
from bot.understanding.signals import Severity
from channels.contract import ReadMessage
from escalation.desk_command import DeskCommand
from escalation.repository import add_note

REASON = "secret_shared"
TAKEN_BY_THIEVES = frozenset({"seed_phrase", "private_key"})
"""Whoever tells us one of these has been asked for it by somebody: a matter for a person, whatever the text says."""
WARNINGS = {
    "seed_phrase": "secret.wallet",
    "private_key": "secret.wallet",
    "api_secret": "secret.api",
    "card_number": "secret.card",
    "password": "secret.password",
    "one_time_code": "secret.code",
}


@dataclass(frozen=True, kw_only=True)
class WarnOfSecrets(DeskCommand):
    """Says what to do about the secrets that were sent, and leaves a line for the agents."""

    name: ClassVar[str] = "warn_of_secrets"
    kinds: Sequence[str]

    @override
    def carry_out(self, connection: Connection, conversation: ConversationRow, now: datetime) -> Iterable[Say]:
        add_note(connection, conversation.id, REASON, at=now, data={"reasons": list(self.kinds)})
        return [Say(key=key) for key in dict.fromkeys(WARNINGS[kind] for kind in self.kinds)]


def without_secrets(message: ReadMessage) -> tuple[ReadMessage, Sequence[str]]:
    """The message as it may be seen, and the kinds of secrets that were in it, gravest first."""
    text, subject = redact(message.text), redact(message.subject)
    names = [redact(file.filename) for file in message.attachments]
    told = {} if message.complaint is None else {name: redact(fact) for name, fact in message.complaint.facts.items()}
    words = redact("" if message.complaint is None else message.complaint.words)
    kinds = {kind for redacted in (text, subject, words, *names, *told.values()) for kind in redacted.kinds}
    if not kinds:
        return message, ()
    bare = replace(
        message,
        text=text.text,
        subject=subject.text,
        attachments=tuple(
            replace(file, filename=name.text) for file, name in zip(message.attachments, names, strict=True)
        ),
        complaint=message.complaint
        and replace(
            message.complaint, words=words.text, facts={name: redacted.text for name, redacted in told.items()}
        ),
        thread={key: subject.text if value == message.subject else value for key, value in message.thread.items()},
    )
    return bare, tuple(kind for kind in KINDS if kind in kinds)


def marked(reading: Reading, kinds: Sequence[str]) -> Reading:
    """The reading of a message whose sender gave away what empties a wallet: it needs a case and a person."""
    if TAKEN_BY_THIEVES.isdisjoint(kinds):
        return reading
    signals = reading.signals
    grave: Severity = "critical" if signals.severity == "critical" else "high"
    signals = replace(signals, escalate=True, severity=grave, reasons=(*signals.reasons, REASON))
    return replace(reading, signals=signals)
