"""The one commit that ends a turn: commands, replies, evidence, inbox row and lease together, or nothing of it."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import Connection

from actions.commands import Answer, Command, HandIfSilent, HandToPerson, Say
from bot.clock import Clock
from bot.gaps import Gaps
from bot.inbox import Claim
from bot.matter import Matter, Thought, begin
from bot.repository import closing, conversations
from bot.repository import inbox as inbox_rows
from bot.repository import outbox as outbox_rows
from bot.repository.closing import Close
from bot.repository.conversations import ConversationRow
from bot.repository.inbox import InboxRow
from bot.repository.outbox import Draft
from bot.transcript import news
from channels.contract import Author, Channel, Entry
from escalation import cases, queue, relations
from escalation.carry_out import CarryOut, Done, Facts, Reply
from escalation.desk_command import DeskCommand
from escalation.over_cap import OverCap
from escalation.queue import Patience

WISH_CHARACTERS = 300
EvidenceRow = Mapping[str, object]
LEAVE_IT = (Say, Answer, HandIfSilent)
"""Commands that change nothing about the conversation itself."""


class LeaseLost(Exception):
    """Another worker has the conversation now; what was thought here is thrown away."""


@dataclass(frozen=True, kw_only=True)
class Ending:
    """A message that was thought through, by whom, and the evidence that came with it."""

    claim: Claim
    thought: Thought
    evidence: Sequence[EvidenceRow]


@dataclass(frozen=True, kw_only=True)
class Finished:
    outcome: str
    more: bool
    """True when further messages of the conversation wait and the lease is still held."""
    said: int = 0
    """How many replies there are, now that the commit is made."""
    to_send: bool = False
    """True when they wait in the outbox; else they have arrived."""
    next: Matter | None = None
    """The message after it, where it was read with this commit."""
    news: Sequence[Entry] | None = None
    """All that the conversation has got by this, where its watchers may see it at once; else they look."""


@dataclass(frozen=True, kw_only=True)
class Finish:
    channels: Mapping[str, Channel]
    clock: Clock
    carry_out: CarryOut
    patience: Patience
    gaps: Gaps | None = None
    """Notes what the knowledge base could not answer; None where there is none."""

    def done(self, connection: Connection, endings: Sequence[Ending]) -> Sequence[Finished | Exception]:
        """Ends messages of different conversations. LeaseLost for one that is another worker's by now."""
        held = conversations.lock_many(connection, [ending.claim.conversation_id for ending in endings])
        ours = [e for e in endings if held[e.claim.conversation_id].lease_token == e.claim.token]
        self._learn(connection, ours, held)
        closes = [self._close(connection, ending, held[ending.claim.conversation_id]) for ending in ours]
        inbox_rows.add_evidence(connection, [row for ending in ours for row in ending.evidence])
        waiting = closing.write(connection, closes)
        if waiting is None:
            raise LeaseLost  # one of them was ended before: all is undone, and the writer tries each alone
        # By token and not by conversation: a worker that lost it must not hear what its successor finished.
        tokens = [ending.claim.token for ending in ours]
        following = _following(connection, closes)
        ended = [_finished(close, waiting, following.get(close.conversation.id)) for close in closes]
        finished = dict(zip(tokens, ended, strict=True))
        return [finished.get(ending.claim.token) or LeaseLost() for ending in endings]

    def _learn(self, connection: Connection, endings: Sequence[Ending], held: Mapping[int, ConversationRow]) -> None:
        for ending in endings:
            conversation = held[ending.claim.conversation_id]
            learned = _learned(ending.thought)
            news = {name: value for name, value in learned.items() if getattr(conversation, name) != value}
            conversations.change(connection, conversation.id, **news)

    def _close(self, connection: Connection, ending: Ending, conversation: ConversationRow) -> Close:
        """Carries out what was thought, and says what is left to be written."""
        thought, message = self._settled(connection, ending.thought, conversation), ending.thought.matter.message
        lost_the_race = conversation.owner_epoch != thought.matter.conversation.owner_epoch
        commands = [c for c in thought.commands if not lost_the_race or isinstance(c, DeskCommand)]
        done = self.carry_out(connection, commands, self._facts(connection, thought, commands), self.clock())
        if self.gaps is not None:
            self.gaps.note(connection, thought, commands, lambda began: _wish(connection, thought, began))
        quiet = thought.outcome in ("joined", "automatic")
        answered = not quiet and bool(done.replies if lost_the_race else commands)
        if not all(isinstance(command, LEAVE_IT) for command in commands):
            conversation = conversations.get(connection, conversation.id)
        return Close(
            conversation=conversation,
            row=thought.matter.row,
            state="done",
            outcome=done.outcome if answered else self._unanswered(connection, thought),
            kind=message.kind.value,
            text=message.text,
            language=thought.language,
            note=self._note(thought),
            at=self.clock(),
            at_once=self.channels[conversation.channel].capabilities.immediate,
            drafts=self._drafts(thought, done, conversation.owner_epoch),
        )

    def _settled(self, connection: Connection, thought: Thought, conversation: ConversationRow) -> Thought:
        """First of all, what the message has to do with: a case that it brings is not opened a second time."""
        matter = thought.matter
        if not relations.settle(connection, matter.message, conversation, self.clock()):
            return thought
        case_id = conversations.get(connection, conversation.id).case_id
        return replace(thought, matter=replace(matter, conversation=matter.conversation._replace(case_id=case_id)))

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
        close = Close(conversation=conversation, row=row, state="parked", outcome="parked", at=now)
        if closing.write(connection, [close]) is None:
            raise LeaseLost
        return Finished(outcome="parked", more=conversation.pending > 1)

    def _held(self, connection: Connection, claim: Claim) -> ConversationRow:
        conversation = conversations.lock(connection, claim.conversation_id)
        if conversation.lease_token != claim.token:
            raise LeaseLost
        return conversation

    def _unanswered(self, connection: Connection, thought: Thought) -> str:
        """How a message is accounted for that the bot says nothing to; an open case hears of it."""
        case = thought.matter.case
        if thought.outcome != "automatic":
            live = self.channels[thought.matter.conversation.channel].capabilities.live
            queue.expect_answer(connection, thought.matter.conversation.id, self.clock() + self.patience.of(live=live))
        if thought.outcome != "automatic" and case is not None and case.status == "open":
            cases.add_message(connection, case.id, self.clock())
        return "automatic" if thought.outcome == "automatic" else "joined"

    def _facts(self, connection: Connection, thought: Thought, commands: Sequence[Command]) -> Facts:
        conversation = thought.matter.conversation
        channel = self.channels[conversation.channel]
        capabilities = channel.capabilities
        handing = next((each for each in commands if isinstance(each, HandToPerson | HandIfSilent | OverCap)), None)
        return Facts(
            conversation=conversation,
            inbox_id=thought.matter.row.id,
            language=thought.language,
            live=capabilities.live,
            buttons=capabilities.buttons,
            brief={} if handing is None else _brief(connection, thought, handing),
            public=channel.is_public(conversation.key),
            by_hand=capabilities.keyed_in,
        )

    def _note(self, thought: Thought) -> str | None:
        note = thought.matter.message.note
        if not thought.unheard:
            return note
        return " ".join(filter(None, (self.carry_out.unheard(thought.language), note)))

    def _drafts(self, thought: Thought, done: Done, epoch: int) -> Sequence[Draft]:
        one = self.channels[thought.matter.conversation.channel].capabilities.one_reply
        return [
            Draft(
                origin=f"inbox:{thought.matter.row.id}:{ordinal}",
                author=reply.author,
                text=reply.text,
                language=thought.language,
                buttons=reply.buttons,
                owner_epoch=epoch if reply.author is Author.BOT else None,
            )
            for ordinal, reply in enumerate(_merged(done.replies) if one else done.replies)
        ]


def _following(connection: Connection, closes: Sequence[Close]) -> Mapping[int, Matter]:
    """What is to be done next, by conversation: read for all together, which spares each a thread and a connection.
    Where there is a case it is left to the turn: reading cases one by one would hold up the others' commit."""
    ids = [close.conversation.id for close in closes if close.conversation.pending > 1]
    if not ids:
        return {}
    now = conversations.get_many(connection, ids)
    rows = inbox_rows.oldest_unfinished_many(connection, [each.id for each in now.values() if each.case_id is None])
    return {row.conversation_id: begin(connection, row, now[row.conversation_id]) for row in rows}


def _finished(close: Close, waiting: Collection[int], following: Matter | None) -> Finished:
    conversation = close.conversation
    to_send = conversation.id in waiting
    # What an earlier life of the message has said already is not in `drafts`, and who is told of this message alone
    # would not look for one that came meanwhile.
    whole = not close.row.attempts and not close.row.deaths and conversation.pending <= 1
    return Finished(
        outcome=close.outcome,
        more=conversation.pending > 1,
        next=following,
        said=len(close.drafts),
        to_send=to_send,
        news=news(close) if close.at_once and whole and not to_send else None,
    )


def _brief(
    connection: Connection, thought: Thought, handing: HandToPerson | HandIfSilent | OverCap
) -> Mapping[str, Any]:
    """For the person who takes over: what the user wants, what the bot said, what is known, what it gathered. What
    the bot said to a user who is waited for is looked up when a person takes over (`escalation/reminders.py`)."""
    known, gathered = thought.reading.as_metadata(), handing.brief
    conversation = thought.matter.conversation
    at_once = not isinstance(handing, HandIfSilent)
    return {
        "wish": _wish(connection, thought, gathered.get("began"))[:WISH_CHARACTERS],
        "tried": outbox_rows.first_lines_of_bot(connection, conversation.id) if at_once else (),
        "account": conversation.account,
        "entities": known["entities"],
        "reasons": known["signals"]["reasons"],
        "severity": known["signals"]["severity"],
        "inbox_id": thought.matter.row.id,
        **{name: value for name, value in gathered.items() if name != "began" and value},
    }


def _wish(connection: Connection, thought: Thought, began: Any) -> str:
    """The words that brought the matter up; the newest ones may be no more than the answer to a question."""
    if isinstance(began, int) and began != thought.matter.row.id:
        first = inbox_rows.get(connection, began)
        if first is not None and first.conversation_id == thought.matter.conversation.id and first.text:
            return first.text
    message = thought.question or thought.matter.message
    if message.complaint is not None:
        return message.complaint.words
    return f"{message.subject}\n{message.text}".strip()


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
