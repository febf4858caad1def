"""Messages and files over a channel's caps: the user is told once, and a person reads what the bot did not.

The bot goes on with whatever comes within the caps again: a user in a hurry is answered as soon as they slow down, and
nobody has to wait for an agent because of twenty short lines. What was left out is a person's, soon after, whatever the
bot says meanwhile; at once if it reads like a matter for a person.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, ClassVar

from sqlalchemy import Connection

from actions.commands import Command
from bot.repository import conversations, timers
from bot.repository import outbox as outbox_rows
from bot.repository.outbox import Draft
from bot.repository.timers import TimerRow
from channels.contract import Author, Words
from escalation import queue

OVER_CAP_TIMER = "over_cap"
"""Runs from the first message over a cap until a person is asked for. While it runs, the user is not told again."""
REASON = "over_cap"


@dataclass(frozen=True, kw_only=True)
class OverCap(Command):
    """Something was left out, the bot's words or a file. Not listed in `COMMANDS`: the bot cannot send it."""

    name: ClassVar[str] = "over_cap"
    reasons: tuple[str, ...] = (REASON,)
    at_once: bool = False
    brief: Mapping[str, Any] = field(default_factory=dict)


def leave_to_person(
    connection: Connection,
    conversation_id: int,
    *,
    command: OverCap,
    brief: Mapping[str, Any],
    now: datetime,
    wait: timedelta,
    patience: timedelta,
) -> bool:
    """A person sees to it: now, or `wait` after the first of them. True when the user has not been told yet."""
    conversation = conversations.get(connection, conversation_id)
    first = not timers.exists(connection, OVER_CAP_TIMER, str(conversation_id))
    reasons = list(command.reasons)
    if first:
        data = {
            "conversation_id": conversation_id,
            "owner_epoch": conversation.owner_epoch,
            "reasons": reasons,
            "brief": dict(brief),
            "patience_seconds": patience.total_seconds(),
        }
        timers.set_timer(connection, OVER_CAP_TIMER, str(conversation_id), now + wait, data)
    if command.at_once:
        queue.put_in_queue(connection, conversation, reasons=reasons, brief=brief, now=now, patience=patience)
    return first


class BurstIsOver:
    """Hands a conversation to a person for what came over the caps, unless somebody has had it since."""

    def __init__(self, words: Words, live: Callable[[str], bool]) -> None:
        """`live`: whether the users of a channel are watching, and would wonder about silence."""
        self._words = words
        self._live = live

    def __call__(self, connection: Connection, timer: TimerRow, now: datetime) -> None:
        conversation = conversations.lock(connection, int(timer.data["conversation_id"]))
        if conversation.owner != queue.BOT or conversation.owner_epoch != timer.data["owner_epoch"]:
            return
        queue.put_in_queue(
            connection,
            conversation,
            reasons=timer.data["reasons"],
            brief=timer.data["brief"],
            now=now,
            patience=timedelta(seconds=timer.data["patience_seconds"]),
        )
        if self._live(conversation.channel):
            language = conversation.language or "en"
            text = self._words.say("case.person_soon", language)
            origin = f"timer:{timer.kind}:{timer.key}:{timer.due_at.isoformat()}"
            draft = Draft(origin=origin, author=Author.DESK, text=text, language=language)
            outbox_rows.queue(connection, conversation.id, draft, secrets.token_hex(16), now)
