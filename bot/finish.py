"""The one commit that ends a turn: commands, replies, evidence, inbox row and lease together, or nothing of it."""

from __future__ import annotations

import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import Connection

from bot.clock import Clock
from bot.inbox import Claim
from bot.repository import conversations
from bot.repository import inbox as inbox_rows
from bot.repository import outbox as outbox_rows
from bot.repository.conversations import ConversationRow
from bot.repository.inbox import InboxRow
from bot.repository.outbox import Draft
from bot.thinking import Thought
from channels.contract import Author, Channel
from escalation import cases, queue
from escalation.carry_out import CarryOut, Done, Facts, Reply
from escalation.queue import Patience

WISH_CHARACTERS = 300
TRIED_LINES = 5
EvidenceRow = Mapping[str, object]


class LeaseLost(Exception):
    """Another worker has the conversation now; what was thought here is thrown away."""


@dataclass(frozen=True, kw_only=True)
class Finished:
    outcome: str
    more: bool
    """True when further messages of the conversation wait and the lease is still held."""


@dataclass(frozen=True, kw_only=True)
class Finish:
    channels: Mapping[str, Channel]
    clock: Clock
    carry_out: CarryOut
    patience: Patience

    def done(self, connection: Connection, claim: Claim, thought: Thought, evidence: Sequence[EvidenceRow]) -> Finished:
        """Ends a message that was thought through. Raises LeaseLost."""
        conversation = self._held(connection, claim)
        row, message = thought.matter.row, thought.matter.message
        lost_the_race = conversation.owner_epoch != thought.matter.conversation.owner_epoch
        conversations.change(connection, conversation.id, **_learned(thought))
        commands = () if lost_the_race else thought.commands
        done = self.carry_out(connection, commands, self._facts(connection, thought), self.clock())
        outcome = done.outcome if commands else self._unanswered(connection, thought)
        inbox_rows.add_evidence(connection, evidence)
        self._queue(connection, thought, done)
        ended = inbox_rows.finish(
            connection,
            row,
            state="done",
            outcome=outcome,
            kind=message.kind.value,
            text=message.text,
            language=thought.language,
            note=message.note,
            finished_at=self.clock(),
        )
        if not ended:
            raise LeaseLost
        return Finished(outcome=outcome, more=self._keep_or_release(connection, conversation, claim))

    def parked(self, connection: Connection, claim: Claim, row: InboxRow) -> Finished:
        """No machine can go on with this message: a person sees it, and the conversation goes on. Raises LeaseLost."""
        conversation = self._held(connection, claim)
        now = self.clock()
        queue.put_in_queue(
            connection,
            conversation,
            reasons=("parked",),
            brief={"inbox_id": row.id, "reasons": ["parked"]},
            now=now,
            patience=self.patience.of(live=self.channels[row.channel].capabilities.live),
        )
        if not inbox_rows.finish(connection, row, state="parked", outcome="parked", finished_at=now):
            raise LeaseLost
        return Finished(outcome="parked", more=self._keep_or_release(connection, conversation, claim))

    def _held(self, connection: Connection, claim: Claim) -> ConversationRow:
        conversation = conversations.lock(connection, claim.conversation_id)
        if conversation.lease_token != claim.token:
            raise LeaseLost
        return conversation

    def _keep_or_release(self, connection: Connection, before: ConversationRow, claim: Claim) -> bool:
        if before.pending > 1:
            return True
        conversations.release_lease(connection, claim.conversation_id, claim.token)
        return False

    def _unanswered(self, connection: Connection, thought: Thought) -> str:
        """How a message is accounted for that the bot says nothing to; an open case hears of it."""
        case = thought.matter.case
        if thought.outcome != "automatic":
            live = self.channels[thought.matter.conversation.channel].capabilities.live
            queue.expect_answer(connection, thought.matter.conversation.id, self.clock() + self.patience.of(live=live))
        if thought.outcome != "automatic" and case is not None and case.status == "open":
            cases.add_message(connection, case.id, self.clock())
        return "automatic" if thought.outcome == "automatic" else "joined"

    def _facts(self, connection: Connection, thought: Thought) -> Facts:
        conversation = thought.matter.conversation
        capabilities = self.channels[conversation.channel].capabilities
        known = thought.reading.as_metadata()
        message = thought.matter.message
        return Facts(
            conversation=conversation,
            inbox_id=thought.matter.row.id,
            language=thought.language,
            live=capabilities.live,
            buttons=capabilities.buttons,
            brief={
                "wish": f"{message.subject}\n{message.text}".strip()[:WISH_CHARACTERS],
                "tried": outbox_rows.first_lines_of_bot(connection, conversation.id, TRIED_LINES),
                "account": conversation.account,
                "entities": known["entities"],
                "reasons": known["signals"]["reasons"],
                "severity": known["signals"]["severity"],
                "inbox_id": thought.matter.row.id,
            },
        )

    def _queue(self, connection: Connection, thought: Thought, done: Done) -> None:
        conversation = thought.matter.conversation
        one = self.channels[conversation.channel].capabilities.one_reply
        epoch = conversations.get(connection, conversation.id).owner_epoch
        for ordinal, reply in enumerate(_merged(done.replies) if one else done.replies):
            draft = Draft(
                origin=f"inbox:{thought.matter.row.id}:{ordinal}",
                author=reply.author,
                text=reply.text,
                language=thought.language,
                buttons=reply.buttons,
                owner_epoch=epoch if reply.author is Author.BOT else None,
            )
            outbox_rows.queue(connection, conversation.id, draft, secrets.token_hex(16), self.clock())


def _learned(thought: Thought) -> dict[str, object]:
    """What the conversation remembers of its newest message. An automatic one teaches nothing."""
    message = thought.matter.message
    if thought.outcome == "automatic":
        return {}
    learned: dict[str, object] = {"language": thought.language, "resolved_at": None}
    if message.thread:
        learned["thread"] = dict(message.thread)
    if message.subject and not thought.matter.conversation.subject:
        learned["subject"] = message.subject
    return learned


def _merged(replies: Sequence[Reply]) -> Sequence[Reply]:
    """All replies of one turn as one message; it counts as the desk's as soon as one of them is."""
    if not replies:
        return ()
    author = Author.DESK if any(reply.author is Author.DESK for reply in replies) else Author.BOT
    return (Reply(text="\n\n".join(reply.text for reply in replies), author=author),)
