"""Accounts that pose as us and answer our users: agents are told, where the user is; the account hears nothing, unless
it is known to be a user of ours, whatever it is called.

Who is called like us is found by the channel (`channels.public_contract.Posing`). Only the desk knows whether those who
are answered are our users: a fan or a newspaper called so that answers none of them is no impostor.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar, override

from sqlalchemy import Connection

from actions.commands import Say
from bot.repository import conversations, inbox
from bot.repository.conversations import ConversationRow
from channels.public_contract import Posing
from escalation import queue, repository
from escalation.desk_command import DeskCommand
from escalation.setting_aside import close_if_nobodys

IMPOSTOR = "impostor"
"""The kind of note in the conversation of a user whom such an account answered. Its data: `conversation_id` (of the
account), `who`, `link`, `reasons`."""
POSES = "poses"
"""The kind of note in the account's own conversation."""


@dataclass(frozen=True, kw_only=True)
class Sighting:
    """An account that is called like us wrote something."""

    posing: Posing
    answered: Sequence[int] = ()
    """The conversations of our users whom it answers or names."""
    seen_before: bool = False
    is_known: bool = False
    """Its author is bound to a person or has a case: agents are told, and it is answered like any other."""

    @property
    def is_impostor(self) -> bool:
        """It answers a user of ours, or somebody in a talk about us, or has done so before under such a name."""
        return bool(self.answered) or self.posing.before_us or self.seen_before

    @property
    def is_open(self) -> bool:
        """Whom it answers is not known here, or not yet: two posts of one moment are stored side by side."""
        return bool(self.posing.answers) and not self.answered


def look(connection: Connection, conversation: ConversationRow, posing: Posing) -> Sighting:
    found = (conversations.find(connection, conversation.channel, key) for key in posing.answers)
    return Sighting(
        posing=posing,
        answered=[each.id for each in found if each is not None and inbox.wrote_to_us(connection, each.id)],
        seen_before=bool(repository.notes_of_kind(connection, conversation.id, POSES)),
        is_known=conversation.person_id is not None or conversation.case_id is not None,
    )


@dataclass(frozen=True, kw_only=True)
class FlagImpostor(DeskCommand):
    """Tells the agents of those whom it answered, once for each of them. Nobody else is told anything."""

    name: ClassVar[str] = "flag_impostor"
    sighting: Sighting

    @override
    def carry_out(self, connection: Connection, conversation: ConversationRow, now: datetime) -> Iterable[Say]:
        sighting = self.sighting
        posing = sighting.posing
        told = {"who": posing.who, "link": posing.link, "reasons": [posing.reason]}
        if not sighting.seen_before:
            repository.add_note(connection, conversation.id, POSES, at=now, data=told)
        for answered in sighting.answered:
            notes = repository.notes_of_kind(connection, answered, IMPOSTOR)
            if conversation.id not in [note.get("conversation_id") for note in notes]:
                data = {"conversation_id": conversation.id, **told}
                repository.add_note(connection, answered, IMPOSTOR, at=now, data=data)
        if not sighting.is_known:
            queue.answered(connection, conversation.id)
            close_if_nobodys(connection, conversation, now)
        return ()
