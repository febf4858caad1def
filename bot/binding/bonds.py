"""What using an invitation changes: two conversations become one person's. Inside the caller's commit."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection

from actions.commands import Say
from bot.binding import repository
from bot.binding.policy import BY_CODE, BY_INVITATION, Lives
from bot.binding.repository import CODE, PRIVATE, PUBLIC, InvitationRow
from bot.binding.tokens import Tokens
from bot.repository import conversations
from bot.repository import outbox as outbox_rows
from bot.repository.conversations import ConversationRow
from bot.repository.outbox import Draft
from channels.contract import Author, Words
from escalation import repository as case_rows
from escalation.repository import CaseRow
from escalation.uniting import OfSomebodyElse, take_in, unite

Title = Callable[[str, str], str]
"""(channel, language) -> what users call the channel."""


@dataclass(frozen=True, kw_only=True)
class Bonds:
    tokens: Tokens
    lives: Lives
    words: Words
    title: Title
    link_of: Callable[[str, int], str]
    """(number, version) of a case -> its tracking link."""

    def follow(self, connection: Connection, row: InvitationRow, here: ConversationRow, now: datetime) -> Say:
        """Somebody came with this invitation to `here`, and wants it. What is to be said to them."""
        if not row.live(now) or row.purpose == CODE or row.conversation_id == here.id:
            return Say(key="binding.dead")
        if row.purpose == PUBLIC:
            return self._show_code(connection, row, here, now)
        return self._bind(connection, row, here, BY_INVITATION, now)

    def bring_back(self, connection: Connection, row: InvitationRow, came_at: datetime, now: datetime) -> None:
        """The author of the public conversation posted the code: whoever was shown it hears what follows.
        A desk that is late does not make a code too old; a newer code does."""
        if row.used_by is not None or row.for_id is None:
            return
        here = conversations.lock(connection, row.for_id)
        in_time = row.live(came_at)
        said = self._bind(connection, row, here, BY_CODE, now) if in_time else Say(key="binding.late")
        self.tell(connection, here, said, f"bound:{row.id}", now)

    def tell(self, connection: Connection, there: ConversationRow, said: Say, origin: str, now: datetime) -> None:
        """Says it in another conversation than the one whose turn it is."""
        language = there.language or "en"
        text = self.words.say(said.key, language, **said.values)
        draft = Draft(origin=origin, author=Author.DESK, text=text, language=language)
        outbox_rows.queue(connection, there.id, draft, secrets.token_hex(16), now)

    def _show_code(self, connection: Connection, row: InvitationRow, here: ConversationRow, now: datetime) -> Say:
        """A public link proves nothing about who follows it: the author has to bring a code back."""
        assert row.conversation_id is not None
        code, public = self.tokens.new_code(), conversations.get(connection, row.conversation_id)
        repository.end_codes(connection, here.id, public.id, now)
        repository.add(
            connection,
            self.tokens.of_code(code, public.id),
            CODE,
            now,
            now + self.lives.code,
            conversation_id=public.id,
            for_id=here.id,
        )
        values = {"code": code, "minutes": self.lives.code_minutes, **self._named(public, here)}
        return Say(key="binding.code", values=values)

    def _bind(self, connection: Connection, row: InvitationRow, here: ConversationRow, how: str, now: datetime) -> Say:
        there = None if row.conversation_id is None else conversations.lock(connection, row.conversation_id)
        try:
            case = self._made_one(connection, row, here, there, how, now)
        except OfSomebodyElse:
            return Say(key="binding.somebody_else")
        if not repository.use(connection, row.id, here.id, now):
            raise AlreadyUsed
        if there is not None and row.purpose == PRIVATE:
            self.tell(
                connection, there, Say(key="binding.continued", values=self._named(here, there)), f"told:{row.id}", now
            )
        return self._bound(there, here, case)

    def _made_one(
        self,
        connection: Connection,
        row: InvitationRow,
        here: ConversationRow,
        there: ConversationRow | None,
        how: str,
        now: datetime,
    ) -> CaseRow | None:
        if there is not None:
            return unite(connection, here, there, how, now)
        assert row.case_id is not None
        return take_in(connection, case_rows.get(connection, row.case_id), here, how, now)

    def _bound(self, there: ConversationRow | None, here: ConversationRow, case: CaseRow | None) -> Say:
        named = {} if case is None else {"number": case.number, "link": self.link_of(case.number, case.link_version)}
        if there is None:
            return Say(key="binding.follows", values=named)
        key = "binding.bound" if case is None else "binding.bound_case"
        return Say(key=key, values={**self._named(there, here), **named})

    def _named(self, channel_of: ConversationRow, reader: ConversationRow) -> Mapping[str, str]:
        return {"channel": self.title(channel_of.channel, reader.language or "en")}


class AlreadyUsed(RuntimeError):
    """Somebody else was first between reading and the commit: all is undone, and looked at again."""
