"""Messages and files over a channel's caps: the user is told once, and a person reads what the bot did not.

The bot goes on with whatever comes within the caps again: a user in a hurry is answered as soon as they slow down, and
nobody has to wait for an agent because of twenty short lines. What was left out is a person's, soon after, whatever the
bot says meanwhile; at once if it reads like a matter for a person.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, ClassVar

from sqlalchemy import Connection

from actions.commands import Command
from bot.repository import conversations, timers
from bot.repository.timers import TimerRow
from channels.contract import Channel, Words
from escalation import queue
from escalation.reminders import hand_over, say

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
    conversation, reasons = conversations.get(connection, conversation_id), list(command.reasons)
    if command.at_once:
        queue.put_in_queue(connection, conversation, reasons=reasons, brief=brief, now=now, patience=patience)
        conversation = conversations.get(connection, conversation_id)
    running = timers.find(connection, OVER_CAP_TIMER, str(conversation_id))
    # One that began under another owner rings for nobody: whoever had the conversation has read what came before.
    first = running is None or running.data["owner_epoch"] != conversation.owner_epoch
    if first:
        data = {
            "conversation_id": conversation_id,
            "owner_epoch": conversation.owner_epoch,
            "reasons": reasons,
            "brief": dict(brief),
            "patience_seconds": patience.total_seconds(),
        }
        timers.set_timer(connection, OVER_CAP_TIMER, str(conversation_id), now + wait, data)
    return first


class BurstIsOver:
    """Hands a conversation to a person for what came over the caps, unless somebody has had it since."""

    def __init__(self, words: Words, channels: Mapping[str, Channel]) -> None:
        self._words = words
        self._channels = channels

    def __call__(self, connection: Connection, timer: TimerRow, now: datetime) -> None:
        conversation = conversations.lock(connection, int(timer.data["conversation_id"]))
        if conversation.owner != queue.BOT or conversation.owner_epoch != timer.data["owner_epoch"]:
            return
        hand_over(connection, conversation, timer, now, reasons=timer.data["reasons"])
        channel = self._channels[conversation.channel]
        # Users who are watching would wonder about silence; in public nobody is told.
        if channel.capabilities.live and not channel.is_public(conversation.key):
            say(connection, conversation, timer, now, self._words, "case.person_soon")
