"""The letter with the code: written when its timer rings, and blank again once nobody needs it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Connection

from bot.identity import repository
from bot.identity.codes import Codes
from bot.identity.policy import WINDOW, Limits, masked_address
from bot.identity.steps import FORGET_TIMER, minutes
from bot.repository import conversations, timers
from bot.repository.timers import TimerRow
from channels.contract import Words
from escalation.letters import open_letter
from escalation.repository import add_note

ON_ITS_WAY = timedelta(minutes=1)
"""A letter that is being sent right now is looked at again after this."""
MAY_HAVE_ARRIVED = ("sent", "unknown")
"""States of a letter of which nobody can say that it did not leave."""


@dataclass(frozen=True, kw_only=True)
class WriteLetter:
    """Rings once per code that was asked for. Nobody is written to when there is no account."""

    words: Words
    codes: Codes
    limits: Limits
    exchange: Mapping[str, str]
    channel: Callable[[], str | None]
    """The name of the channel that reaches e-mail addresses."""

    def __call__(self, connection: Connection, timer: TimerRow, now: datetime) -> None:
        row = repository.code(connection, int(timer.data["code_id"]))
        channel = self.channel()
        if row.uid is None or row.state != "live" or now >= row.expires_at or channel is None:
            return
        exchange = self.exchange[row.language]
        code = self.codes.code(row.nonce, row.conversation_id, row.uid, row.address)
        letter_id = open_letter(
            connection,
            channel=channel,
            address=row.address,
            language=row.language,
            subject=self.words.say("identity.letter_subject", row.language, exchange=exchange),
            text=self.words.say(
                "identity.letter", row.language, code=code, minutes=minutes(self.limits), exchange=exchange
            ),
            origin=f"code:{row.id}:{row.nonce}",
            now=now,
            sealed=True,
        )
        letter = repository.letter_conversation(connection, letter_id)
        # A code that is sent back to it is noticed.
        conversations.change(connection, letter, proving_until=row.created_at + WINDOW)
        repository.change_code(connection, row.id, letter_id=letter_id, letter_conversation_id=letter)


def forget_code(connection: Connection, timer: TimerRow, now: datetime) -> None:
    """The code has run out: its words are taken from the outbox, sent or not. Agents hear of one that never left.

    The row stays as it is, for a message that came in time and has not been worked on yet.
    """
    row = repository.code(connection, int(timer.data["code_id"]))
    left = None if row.letter_id is None else repository.letter_state(connection, row.letter_id)
    if row.letter_id is not None and not repository.blank_letter(connection, row.letter_id, now):
        timers.set_timer(connection, FORGET_TIMER, str(row.id), now + ON_ITS_WAY, timer.data)
    elif row.uid is not None and row.state != "used" and left not in MAY_HAVE_ARRIVED:
        reasons = [masked_address(row.address), f"UID {row.uid}"]
        add_note(connection, row.conversation_id, "code_not_delivered", at=now, data={"reasons": reasons})
