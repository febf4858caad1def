"""What an agent does with a conversation: take over, reply, note, hand back, resolve, open a case.

Every method is one commit. While an agent owns a conversation nobody else may speak in it.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Connection

from bot.clock import Clock
from bot.hub import OUTBOX, QUEUE, Hub, conversation_topic
from bot.identity.repository import open_dialogue
from bot.repository import conversations
from bot.repository import outbox as outbox_rows
from bot.repository.conversations import ConversationRow
from bot.repository.outbox import Draft
from bot.store.store import Store
from channels.contract import Author, Capabilities, Words
from escalation import cases, queue, reminders, repository
from escalation.cases import Opening, Promise
from escalation.correcting import Taught, teach
from escalation.merging import bring_together
from escalation.numbers import normalised

MAX_REPLY_CHARACTERS = 20_000
MAY_TAKE_FROM_OTHERS = ("supervisor", "admin")


class AlreadyTaken(Exception):
    """Another agent has the conversation; `by` is the owner ("agent:<id>")."""

    def __init__(self, by: str) -> None:
        super().__init__(f"the conversation is with {by}")
        self.by = by


class TooLong(ValueError):
    """The channel does not carry a message of this length."""

    def __init__(self, limit: int) -> None:
        super().__init__(f"a reply here has at most {limit} characters")
        self.limit = limit


class NoSuchCase(Exception):
    """No case has this number; it may be mistyped (the check character tells)."""


class NobodyToAsk(Exception):
    """What is said in this conversation is told or posted by agents: no code can be sent and brought back there."""


class NotYours(Exception):
    """Only the agent who has taken the conversation over may do this."""


@dataclass(frozen=True, kw_only=True)
class AgentRef:
    id: int
    name: str
    role: str

    @property
    def owner(self) -> str:
        return queue.agent_owner(self.id)


class Handling:
    def __init__(
        self,
        store: Store,
        clock: Clock,
        hub: Hub,
        words: Words,
        promise: Promise,
        capabilities: Callable[[str], Capabilities],
        remind_after: timedelta,
    ) -> None:
        self._store = store
        self._clock = clock
        self._hub = hub
        self._words = words
        self._promise = promise
        self._capabilities = capabilities
        self._remind_after = remind_after

    async def take_over(self, agent: AgentRef, conversation_id: int) -> None:
        """Raises AlreadyTaken when another agent has it, is still at work, and this one is no supervisor."""
        await self._do(conversation_id, lambda *at: self._take(agent, *at))

    async def reply(self, agent: AgentRef, conversation_id: int, text: str, nonce: str) -> int:
        """Queues the agent's words; their outbox id. The same nonce twice is one reply. Raises NotYours, ValueError."""
        words = text.strip()
        if not words:
            raise ValueError("a reply needs words")
        return await self._do(conversation_id, lambda *at: self._reply(agent, words, nonce, *at))

    async def add_note(self, agent: AgentRef, conversation_id: int, text: str) -> None:
        """Raises ValueError when empty."""
        words = text.strip()
        if not words or len(words) > MAX_REPLY_CHARACTERS:
            raise ValueError(f"a note has between 1 and {MAX_REPLY_CHARACTERS} characters")

        def add(connection: Connection, conversation: ConversationRow, now: datetime) -> None:
            repository.add_note(connection, conversation.id, "note", at=now, agent_id=agent.id, text=words)

        await self._do(conversation_id, add)

    async def ask_proof(self, agent: AgentRef, conversation_id: int) -> None:
        """Asks the user to prove who they are; the outcome is shown between messages. Raises NotYours, NobodyToAsk."""
        await self._do(conversation_id, lambda *at: self._ask_proof(agent, *at))

    async def hand_back(self, agent: AgentRef, conversation_id: int) -> None:
        """The bot may speak again. Raises NotYours."""
        await self._do(conversation_id, lambda *at: self._hand_back(agent, *at))

    async def resolve(self, agent: AgentRef, conversation_id: int) -> None:
        """The matter is settled; the user can reopen it by writing. Raises NotYours."""
        await self._do(conversation_id, lambda *at: self._resolve(agent, *at))

    async def open_case(self, agent: AgentRef, conversation_id: int, label: str, severity: str) -> str:
        """Makes a case of the conversation; its number. Raises NotYours."""
        return await self._do(conversation_id, lambda *at: self._open_case(agent, label, severity, *at))

    async def join_case(self, agent: AgentRef, conversation_id: int, written: str) -> str:
        """Makes the conversation part of a case that exists; its number. Raises NotYours, NoSuchCase."""
        number = normalised(written)
        if number is None:
            raise NoSuchCase(written)
        return await self._do(conversation_id, lambda *at: self._join_case(agent, number, *at))

    async def teach(self, agent: AgentRef, conversation_id: int, taught: Taught) -> None:
        """Says what a message was really about; the case, if any, changes its class. Whoever may take the conversation
        over may do this, without doing so. Raises AlreadyTaken, NothingToTeach."""
        await self._do(conversation_id, lambda *at: self._teach(agent, taught, *at))

    async def _do[T](self, conversation_id: int, act: Callable[[Connection, ConversationRow, datetime], T]) -> T:
        def operation(connection: Connection) -> tuple[T, ConversationRow]:
            conversation = conversations.lock(connection, conversation_id)
            return act(connection, conversation, self._clock()), conversation

        value, conversation = await self._store.write(operation)
        self._hub.publish(QUEUE, OUTBOX, conversation_topic(conversation.channel, conversation.key))
        return value

    def _take(self, agent: AgentRef, connection: Connection, conversation: ConversationRow, now: datetime) -> None:
        if conversation.owner == agent.owner:
            return
        self._insist_on_access(agent, connection, conversation)
        queue.give_to(connection, conversation, agent.owner)
        repository.add_note(connection, conversation.id, "taken", at=now, agent_id=agent.id)
        if self._capabilities(conversation.channel).live:
            self._tell(connection, conversation, now, "case.agent_joined", name=agent.name)
        if conversation.case_id is not None:
            repository.add_event(connection, conversation.case_id, "taken_over", actor=agent.owner, at=now, public=True)

    def _reply(
        self,
        agent: AgentRef,
        text: str,
        nonce: str,
        connection: Connection,
        conversation: ConversationRow,
        now: datetime,
    ) -> int:
        self._insist(agent, conversation)
        origin = f"agent:{agent.id}:{conversation.id}:{nonce}"
        if (known := outbox_rows.find_origin(connection, origin)) is not None:
            return known
        if len(text) > (limit := self._capabilities(conversation.channel).max_characters):
            raise TooLong(limit)
        queue.answered(connection, conversation.id)
        draft = Draft(
            origin=origin,
            author=Author.AGENT,
            author_name=agent.name,
            agent_id=agent.id,
            text=text,
            language=conversation.language or "en",
        )
        outbox_id = outbox_rows.queue(connection, conversation.id, draft, secrets.token_hex(16), now)
        self._expect_reading(connection, conversation, now)
        if conversation.case_id is not None:
            repository.change(connection, conversation.case_id, awaited="user")
            repository.add_event(connection, conversation.case_id, "answered", actor=agent.owner, at=now, public=True)
        return outbox_id

    def _ask_proof(self, agent: AgentRef, connection: Connection, conversation: ConversationRow, now: datetime) -> None:
        self._insist(agent, conversation)
        if self._capabilities(conversation.channel).keyed_in:
            raise NobodyToAsk
        open_dialogue(connection, conversation.id, "account", now, asked_by=agent.owner)
        repository.add_note(connection, conversation.id, "proof_asked", at=now, agent_id=agent.id)
        self._tell(connection, conversation, now, "identity.asked_by_agent", name=agent.name)
        self._expect_reading(connection, conversation, now)

    def _hand_back(self, agent: AgentRef, connection: Connection, conversation: ConversationRow, now: datetime) -> None:
        self._insist(agent, conversation)
        queue.give_to(connection, conversation, queue.BOT)
        repository.add_note(connection, conversation.id, "handed_back", at=now, agent_id=agent.id)
        if self._capabilities(conversation.channel).live:
            self._tell(connection, conversation, now, "case.handed_back")

    def _resolve(self, agent: AgentRef, connection: Connection, conversation: ConversationRow, now: datetime) -> None:
        self._insist(agent, conversation)
        queue.give_to(connection, conversation, queue.BOT)
        conversations.change(connection, conversation.id, resolved_at=now)
        repository.add_note(connection, conversation.id, "resolved", at=now, agent_id=agent.id)
        if conversation.case_id is not None:
            cases.resolve(connection, conversation.case_id, agent.owner, now)
        self._tell(connection, conversation, now, "case.resolved_by_agent")
        self._expect_reading(connection, conversation, now)

    def _open_case(
        self,
        agent: AgentRef,
        label: str,
        severity: str,
        connection: Connection,
        conversation: ConversationRow,
        now: datetime,
    ) -> str:
        self._insist(agent, conversation)
        opening = Opening(
            label=label,
            severity=severity,
            reasons=("agent",),
            language=conversation.language or "en",
            actor=agent.owner,
            facts={},
        )
        case, new = cases.open_or_join(connection, conversation, opening, self._promise, now)
        if new:
            self._tell(connection, conversation, now, "case.opened_by_agent", number=case.number)
            self._expect_reading(connection, conversation, now)
        return case.number

    def _join_case(
        self, agent: AgentRef, number: str, connection: Connection, conversation: ConversationRow, now: datetime
    ) -> str:
        self._insist(agent, conversation)
        case = repository.find(connection, number)
        if case is None:
            raise NoSuchCase(number)
        if conversation.case_id == case.id:
            return case.number
        if case.status != "open":
            cases.reopen(connection, case, agent.owner, now)
        bring_together(connection, case, conversation.id, agent.owner, now)
        return case.number

    def _expect_reading(self, connection: Connection, conversation: ConversationRow, now: datetime) -> None:
        """Who watches may have left; who is written to on another channel finds the answer there."""
        capabilities = self._capabilities(conversation.channel)
        if capabilities.live and not capabilities.announces:
            reminders.expect_reading(connection, conversation.id, now + self._remind_after)

    def _teach(
        self, agent: AgentRef, taught: Taught, connection: Connection, conversation: ConversationRow, now: datetime
    ) -> None:
        self._insist_on_access(agent, connection, conversation)
        teach(connection, conversation, agent.id, taught, now)

    def _insist_on_access(self, agent: AgentRef, connection: Connection, conversation: ConversationRow) -> None:
        of_colleague = conversation.owner not in (queue.BOT, queue.QUEUE, agent.owner)
        if not of_colleague or agent.role in MAY_TAKE_FROM_OTHERS:
            return
        if repository.is_at_work(connection, queue.agent_id(conversation.owner)):
            raise AlreadyTaken(conversation.owner)

    def _insist(self, agent: AgentRef, conversation: ConversationRow) -> None:
        if conversation.owner != agent.owner:
            raise NotYours

    def _tell(
        self, connection: Connection, conversation: ConversationRow, now: datetime, key: str, **values: str
    ) -> None:
        """A notice of the desk itself, in the user's language."""
        language = conversation.language or "en"
        draft = Draft(
            origin=f"notice:{secrets.token_hex(16)}",
            author=Author.DESK,
            text=self._words.say(key, language, **values),
            language=language,
        )
        outbox_rows.queue(connection, conversation.id, draft, secrets.token_hex(16), now)
