"""A tracking link is asked for again by somebody who knows the number: it goes to the owner's contact, or nowhere.

Who asks learns nothing: the request writes one timer whatever the number, and all else happens when that rings.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Connection

from bot.repository import conversations, timers
from bot.repository import outbox as outbox_rows
from bot.repository.conversations import ConversationRow
from bot.repository.outbox import Draft
from bot.repository.timers import TimerRow
from channels.contract import Author, Channel, Words
from escalation import repository
from escalation.letters import open_letter
from escalation.links import TrackingLinks
from escalation.merging import MERGED
from escalation.repository import CaseRow

LOST_LINK_TIMER = "lost_link"
SENT = "link_sent"
"""The event of a case whose owner was sent the link."""
PAUSE = timedelta(minutes=10)
"""Between two of them: a stranger cannot fill the owner's mailbox."""


def ask_for_link(connection: Connection, number: str, now: datetime) -> None:
    """The same work for every number, whether or not there is such a case."""
    timers.set_timer(connection, LOST_LINK_TIMER, number, now, {"number": number})


@dataclass(frozen=True, kw_only=True)
class LostLink:
    words: Words
    links: TrackingLinks
    letters: Callable[[], str | None]
    """The channel that can write to an e-mail address; None when there is none."""
    channel_of: Callable[[str], Channel]

    def __call__(self, connection: Connection, timer: TimerRow, now: datetime) -> None:
        case = repository.find(connection, str(timer.data["number"]))
        if case is None or case.status == MERGED:
            return
        before = repository.last_event(connection, case.id, SENT)
        if before is None or now - before >= PAUSE:
            self._send(connection, case, f"lostlink:{case.id}:{secrets.token_hex(8)}", now)

    def _send(self, connection: Connection, case: CaseRow, origin: str, now: datetime) -> None:
        rows = conversations.get_many(connection, repository.conversations_of(connection, case.id)).values()
        own = sorted((row for row in rows if not case.is_of_another(row.person_id)), key=lambda row: -row.id)
        address, channel = _registered(case, own), self.letters()
        there = next((row for row in own if self._reaches(row)), None)
        if address is not None and channel is not None:
            self._write(connection, case, channel, address, origin, now)
        elif there is not None:
            self._answer(connection, case, there, origin, now)
        else:
            return
        repository.add_event(connection, case.id, SENT, actor="desk", at=now, public=False)

    def _reaches(self, row: ConversationRow) -> bool:
        """What is said there comes to its owner by itself, and to nobody else: a mailbox, a Telegram chat. A page of
        ours that was left does not, and who still has it gets the link by asking there."""
        channel = self.channel_of(row.channel)
        return not channel.is_public(row.key) and not channel.capabilities.immediate

    def _write(
        self, connection: Connection, case: CaseRow, channel: str, address: str, origin: str, now: datetime
    ) -> None:
        open_letter(
            connection,
            channel=channel,
            address=address,
            language=case.language,
            subject=self.words.say("binding.lost_subject", case.language),
            text=self._text(case),
            origin=origin,
            case_id=case.id,
            now=now,
        )

    def _answer(
        self, connection: Connection, case: CaseRow, there: ConversationRow, origin: str, now: datetime
    ) -> None:
        draft = Draft(origin=origin, author=Author.DESK, text=self._text(case), language=case.language)
        outbox_rows.queue(connection, there.id, draft, secrets.token_hex(16), now)

    def _text(self, case: CaseRow) -> str:
        link = self.links.url(case.number, case.link_version)
        return self.words.say("binding.lost", case.language, number=case.number, link=link)


def _registered(case: CaseRow, own: Iterable[ConversationRow]) -> str | None:
    """The address registered with the account that was proven for this case."""
    accounts = (row.account or {} for row in own if case.person_id is not None and row.person_id == case.person_id)
    return next((account["email"] for account in accounts if account.get("email")), None)
