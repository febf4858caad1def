"""Where a conversation stands in proving who writes, read once per message."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection

from bot.identity import repository
from bot.identity.reading import asks
from bot.identity.repository import CodeRow, DialogueRow, Written
from bot.repository.inbox import InboxRow

QUESTIONS_BACK = 5
"""This many messages back the question is looked for that made somebody prove who they are."""


@dataclass(frozen=True, kw_only=True)
class Standing:
    dialogue: DialogueRow | None
    code: CodeRow | None
    """The newest code of this conversation, whatever has become of it."""
    sends: Sequence[datetime]
    question: int | None
    """The inbox id of the newest message before this one that asked for something."""
    waiting: str | None
    """The question that is answered after the proof."""

    def awaits_code(self, at: datetime) -> bool:
        """Whether a code that was sent can still be typed, or given up."""
        return self.dialogue is not None and self.code is not None and self.code.live(at)


def standing(connection: Connection, conversation_id: int, row: InboxRow, now: datetime) -> Standing:
    """As of when the message came; codes are counted as of now."""
    dialogue = repository.dialogue(connection, conversation_id)
    if dialogue is not None and dialogue.until <= row.received_at:
        dialogue = None
    waiting = None if dialogue is None else dialogue.waiting_inbox_id
    return Standing(
        dialogue=dialogue,
        code=repository.newest_code(connection, conversation_id),
        sends=repository.sends_of_conversation(connection, conversation_id, now),
        question=_question(repository.written_before(connection, conversation_id, row.seq, QUESTIONS_BACK)),
        waiting=None if waiting is None else repository.written(connection, waiting).words,
    )


def _question(written: Sequence[Written]) -> int | None:
    """The newest that asked for something: no pressed button, and nothing that belongs to proving who writes."""
    return next((each.inbox_id for each in written if not each.pressed and asks(each.text, each.subject)), None)
