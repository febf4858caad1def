"""What is said when time passes. Each function runs inside the commit that takes its timer away."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlsplit, urlunsplit

from sqlalchemy import Connection

from bot.repository import attention, conversations, timers
from bot.repository import outbox as outbox_rows
from bot.repository.conversations import ConversationRow
from bot.repository.outbox import Draft
from bot.repository.timers import TimerRow
from channels.contract import Author, Words
from escalation import queue, repository
from escalation.letters import open_letter

UNREAD_TIMER = "unread_answer"
ANSWERS = (Author.AGENT, Author.DESK)


class NobodyCame:
    """Tells the user of a conversation that still waits for a person the truth about it."""

    def __init__(self, words: Words, by_hand: Callable[[str], bool] = lambda _channel: False) -> None:
        """`by_hand`: whether what is said in a channel is told or posted by a person."""
        self._words = words
        self._by_hand = by_hand

    def __call__(self, connection: Connection, timer: TimerRow, now: datetime) -> None:
        conversation = conversations.lock(connection, int(timer.data["conversation_id"]))
        if conversation.owner == queue.BOT:
            return
        language = conversation.language or "en"
        ending = "_by_hand" if self._by_hand(conversation.channel) else ""
        if conversation.owner != queue.QUEUE:
            text = self._words.say(f"case.answer_delayed{ending}", language)
        elif conversation.case_id is None:
            text = self._words.say(f"case.nobody_yet{ending}", language)
        else:
            number = repository.get(connection, conversation.case_id).number
            text = self._words.say(f"case.nobody_yet_case{ending}", language, number=number)
        # Not the row's id: SQLite gives the number of a deleted row away again.
        origin = f"timer:{timer.kind}:{timer.key}:{timer.due_at.isoformat()}"
        draft = Draft(origin=origin, author=Author.DESK, text=text, language=language)
        outbox_rows.queue(connection, conversation.id, draft, secrets.token_hex(16), now)


def expect_user(
    connection: Connection,
    conversation_id: int,
    until: datetime,
    *,
    inbox_id: int,
    reasons: Sequence[str],
    brief: Mapping[str, Any],
    patience: timedelta,
) -> None:
    """The bot waits for the user about a case that no person has heard of; at `until` a person does, with `brief`."""
    data = {
        "conversation_id": conversation_id,
        "inbox_id": inbox_id,
        "reasons": list(reasons),
        "brief": dict(brief),
        "patience_seconds": patience.total_seconds(),
    }
    timers.set_timer(connection, queue.SILENCE_TIMER, str(conversation_id), until, data)


class UserFellSilent:
    """Hands a half-told case to a person. A newer message of the user has its own answer, and its own wait."""

    def __init__(self, words: Words, live: Callable[[str], bool]) -> None:
        """`live`: whether the users of a channel are watching, and would wonder about silence."""
        self._words = words
        self._live = live

    def __call__(self, connection: Connection, timer: TimerRow, now: datetime) -> None:
        conversation = conversations.lock(connection, int(timer.data["conversation_id"]))
        if conversation.owner != queue.BOT or attention.wrote_after(
            connection, conversation.id, timer.data["inbox_id"]
        ):
            return
        hand_over(connection, conversation, timer, now, reasons=["user_silent", *timer.data["reasons"]])
        if self._live(conversation.channel):
            say(connection, conversation, timer, now, self._words, "case.person_takes_over")


def hand_over(
    connection: Connection, conversation: ConversationRow, timer: TimerRow, now: datetime, *, reasons: Sequence[str]
) -> None:
    """To the queue, with the brief that the timer has kept and what the bot has said by now."""
    tried = outbox_rows.first_lines_of_bot(connection, conversation.id)
    queue.put_in_queue(
        connection,
        conversation,
        reasons=reasons,
        brief={**timer.data["brief"], "tried": tried},
        now=now,
        patience=timedelta(seconds=timer.data["patience_seconds"]),
    )


def say(
    connection: Connection, conversation: ConversationRow, timer: TimerRow, now: datetime, words: Words, key: str
) -> None:
    """One sentence because of a timer, once whatever happens to the timer's work."""
    language = conversation.language or "en"
    # Not the row's id: SQLite gives the number of a deleted row away again.
    origin = f"timer:{timer.kind}:{timer.key}:{timer.due_at.isoformat()}"
    draft = Draft(origin=origin, author=Author.DESK, text=words.say(key, language), language=language)
    outbox_rows.queue(connection, conversation.id, draft, secrets.token_hex(16), now)


def expect_reading(connection: Connection, conversation_id: int, until: datetime) -> None:
    """An answer is on its way to somebody who may have left: they hear of it by e-mail at `until` unless they read it.

    A wait that runs is not begun anew, and of what is unread already they hear once. The caller holds the
    conversation (`conversations.lock`): whether a wait runs is decided by one after the other.
    """
    if timers.exists(connection, UNREAD_TIMER, str(conversation_id)):
        return
    if attention.marks(connection, conversation_id).reminded_seq > _read(connection, conversation_id):
        return
    data = {"conversation_id": conversation_id}
    timers.set_timer(connection, UNREAD_TIMER, str(conversation_id), until, data)


def note_reading(connection: Connection, conversation_id: int) -> None:
    """The user has read on: no reminder when nothing is left. The caller holds the conversation, as above."""
    if timers.exists(connection, UNREAD_TIMER, str(conversation_id)) and not _unread(connection, conversation_id):
        timers.cancel(connection, UNREAD_TIMER, str(conversation_id))


def _read(connection: Connection, conversation_id: int) -> int:
    """Up to where the user has read: what was on their screen, and whatever stands before their own words."""
    seen = attention.marks(connection, conversation_id).user_seq
    return max(seen, attention.newest_of_user(connection, conversation_id))


def _unread(connection: Connection, conversation_id: int) -> int:
    """The number of the newest answer if it is unread, else 0."""
    newest = attention.newest_for_user(connection, conversation_id, [author.value for author in ANSWERS])
    return newest if newest > _read(connection, conversation_id) else 0


@dataclass(frozen=True, kw_only=True)
class UnreadReminder:
    """Tells somebody who has left the chat, by e-mail and once, that an answer is waiting there."""

    words: Words
    patience: timedelta
    letters: Callable[[], str | None]
    """The channel that can write to an e-mail address; None when there is none."""
    door: Callable[[str], str]
    """Where a channel is found again, by its name."""

    def __call__(self, connection: Connection, timer: TimerRow, now: datetime) -> None:
        conversation = conversations.lock(connection, int(timer.data["conversation_id"]))
        unread = _unread(connection, conversation.id)
        # Only an address that proof of identity brought: what somebody typed may be another person's.
        address, channel = (conversation.account or {}).get("email"), self.letters()
        if not unread or not address or channel is None:
            return
        if attention.USER in attention.present(connection, conversation.channel, conversation.key, now):
            timers.set_timer(connection, UNREAD_TIMER, timer.key, now + self.patience, timer.data)
            return
        attention.raise_marks(connection, conversation.id, reminded_seq=unread)
        self._write(connection, conversation, channel, address, f"unread:{conversation.id}:{unread}", now)
        repository.add_note(connection, conversation.id, "reminded", at=now)

    def _write(
        self,
        connection: Connection,
        conversation: ConversationRow,
        channel: str,
        address: str,
        origin: str,
        now: datetime,
    ) -> None:
        """Without a word of the answer: a mailbox is read by others than its owner."""
        language = conversation.language or "en"
        values = {"link": _in_language(self.door(conversation.channel), language)}
        key = "case.unread_text"
        if conversation.case_id is not None:
            key, values["number"] = "case.unread_text_case", repository.get(connection, conversation.case_id).number
        open_letter(
            connection,
            channel=channel,
            address=address,
            language=language,
            subject=self.words.say("case.unread_subject", language),
            text=self.words.say(key, language, **values),
            origin=origin,
            case_id=conversation.case_id,
            now=now,
        )


def _in_language(door: str, language: str) -> str:
    """A page of ours opens in the letter's language; an address that is no page stays as it is."""
    parts = urlsplit(door)
    if parts.scheme not in ("http", "https"):
        return door
    return urlunsplit(parts._replace(query="&".join(filter(None, (parts.query, f"lang={language}")))))
