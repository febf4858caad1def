"""What is said when time passes. Each function runs inside the commit that takes its timer away."""

from __future__ import annotations

import secrets
from datetime import datetime

from sqlalchemy import Connection

from bot.repository import conversations
from bot.repository import outbox as outbox_rows
from bot.repository.outbox import Draft
from bot.repository.timers import TimerRow
from channels.contract import Author, Words
from escalation import queue, repository


class NobodyCame:
    """Tells the user of a conversation that still waits for a person the truth about it."""

    def __init__(self, words: Words) -> None:
        self._words = words

    def __call__(self, connection: Connection, timer: TimerRow, now: datetime) -> None:
        conversation = conversations.lock(connection, int(timer.data["conversation_id"]))
        if conversation.owner == queue.BOT:
            return
        language = conversation.language or "en"
        if conversation.owner != queue.QUEUE:
            text = self._words.say("case.answer_delayed", language)
        elif conversation.case_id is None:
            text = self._words.say("case.nobody_yet", language)
        else:
            number = repository.get(connection, conversation.case_id).number
            text = self._words.say("case.nobody_yet_case", language, number=number)
        # Not the row's id: SQLite gives the number of a deleted row away again.
        origin = f"timer:{timer.kind}:{timer.key}:{timer.due_at.isoformat()}"
        draft = Draft(origin=origin, author=Author.DESK, text=text, language=language)
        outbox_rows.queue(connection, conversation.id, draft, secrets.token_hex(16), now)
