"""Words that an agent tells or posts, and calls that an agent keys in: what no machine does for us."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import ClassVar, override

from sqlalchemy import Connection

from actions.commands import Say
from bot.clock import Clock
from bot.hub import OUTBOX, QUEUE, Hub, conversation_topic
from bot.repository import conversations
from bot.repository import outbox as outbox_rows
from bot.repository.conversations import ConversationRow
from bot.store.store import Store
from escalation import cases, repository
from escalation.desk_command import DeskCommand
from escalation.handling import AgentRef
from escalation.merging import MERGED, bring_together

WAITING = "by_hand"
"""The state of such words in the outbox."""


class How(StrEnum):
    """The kind of the note, and of the event of the case, that stays of it."""

    TOLD = "told"
    POSTED = "posted"


class NotWaiting(Exception):
    """These words do not wait for a person (any more): somebody was faster, or they go by e-mail now."""


@dataclass(frozen=True, kw_only=True)
class Telling:
    store: Store
    clock: Clock
    hub: Hub

    async def settle(self, agent: AgentRef, outbox_id: int, how: How) -> int:
        """An agent has told or posted it: only now it counts as sent, with who and when. The id of the conversation.
        Raises NotWaiting."""

        def operation(connection: Connection) -> ConversationRow:
            return _settle(connection, agent, outbox_id, how, self.clock())

        conversation = await self.store.write(operation)
        self.hub.publish(QUEUE, OUTBOX, conversation_topic(conversation.channel, conversation.key))
        return conversation.id


def _settle(connection: Connection, agent: AgentRef, outbox_id: int, how: How, now: datetime) -> ConversationRow:
    """The conversation first and the message after it, as everywhere: two orders would be a deadlock."""
    conversation_id = outbox_rows.conversation_of(connection, outbox_id)
    if conversation_id is None:
        raise NotWaiting
    conversation = conversations.lock(connection, conversation_id)
    if outbox_rows.lock_many(connection, [outbox_id])[outbox_id].row.state != WAITING:
        raise NotWaiting
    outbox_rows.change(connection, outbox_id, state="sent", sent_at=now, peer_id=f"{how}:{agent.owner}")
    data = {"outbox_id": outbox_id}
    repository.add_note(connection, conversation.id, how, at=now, agent_id=agent.id, data=data)
    if conversation.case_id is not None:
        repository.add_event(connection, conversation.case_id, how, actor=agent.owner, at=now, public=False, data=data)
    return conversation


@dataclass(frozen=True, kw_only=True)
class JoinCase(DeskCommand):
    """An agent made sure that a caller is the person whose case this is: the conversation becomes part of it."""

    name: ClassVar[str] = "join_case"
    number: str
    actor: str

    @override
    def carry_out(self, connection: Connection, conversation: ConversationRow, now: datetime) -> Iterable[Say]:
        case = repository.find(connection, self.number)
        if case is None or case.status == MERGED or conversation.case_id is not None:
            return ()
        if case.status != "open":
            cases.reopen(connection, case, self.actor, now)
        bring_together(connection, case, conversation.id, self.actor, now)
        return ()
