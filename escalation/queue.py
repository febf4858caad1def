"""Who owns a conversation: bot, queue or an agent, and what follows from a change. All inside the caller's commit."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection

from bot.repository import conversations, outbox, timers
from bot.repository.conversations import ConversationRow
from escalation import repository

BOT = "bot"
QUEUE = "queue"
ANNOUNCER = "broadcast"
"""Of what is a notice to one subscriber: nobody answers in it, no agent sees it, and it never belongs to a case."""
PATIENCE_TIMER = "queue_patience"
SILENCE_TIMER = "user_silent"
"""Rings when a user left a question about a case unanswered, and no person has heard of the case yet."""


def agent_owner(agent_id: int) -> str:
    return f"agent:{agent_id}"


def agent_id(owner: str) -> int:
    """The agent of an owner "agent:<id>"."""
    return int(owner.removeprefix("agent:"))


@dataclass(frozen=True, kw_only=True)
class Patience:
    """After how long in the queue a user hears that nobody has come yet."""

    live: timedelta
    other: timedelta

    def of(self, *, live: bool) -> timedelta:
        return self.live if live else self.other


def put_in_queue(
    connection: Connection,
    conversation: ConversationRow,
    *,
    reasons: Sequence[str],
    brief: Mapping[str, Any],
    now: datetime,
    patience: timedelta,
) -> None:
    """A person is awaited; the bot is silent from this commit on. Nothing happens if a person has it already."""
    if conversation.owner != BOT:
        return
    outbox.drop_late(connection, conversation.id)
    conversations.change_owner(connection, conversation.id, QUEUE, queued_at=now, resolved_at=None)
    timers.cancel(connection, SILENCE_TIMER, str(conversation.id))
    repository.add_note(connection, conversation.id, "queued", at=now, data={"reasons": list(reasons)})
    repository.add_note(connection, conversation.id, "brief", at=now, data=dict(brief))
    expect_answer(connection, conversation.id, now + patience)


def expect_answer(connection: Connection, conversation_id: int, until: datetime) -> None:
    """The user waits for a person, and hears so at `until` unless one answers. A running wait is not begun anew."""
    if not timers.exists(connection, PATIENCE_TIMER, str(conversation_id)):
        data = {"conversation_id": conversation_id}
        timers.set_timer(connection, PATIENCE_TIMER, str(conversation_id), until, data)


def answered(connection: Connection, conversation_id: int) -> None:
    timers.cancel(connection, PATIENCE_TIMER, str(conversation_id))


def give_to(connection: Connection, conversation: ConversationRow, owner: str) -> None:
    """Gives the conversation to the bot or an agent; nobody is awaited any more, and it counts as open."""
    conversations.change_owner(connection, conversation.id, owner, queued_at=None, resolved_at=None)
    outbox.drop_late(connection, conversation.id)
    answered(connection, conversation.id)
    timers.cancel(connection, SILENCE_TIMER, str(conversation.id))
