"""Proving who writes, before Rasa hears of it: reads what stands, asks the exchange, and proposes the next step.

Nothing is written here, and no transaction is open while the exchange is asked.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from sqlalchemy import Connection

from actions.commands import Command, Say
from bot.clock import Clock
from bot.identity import repository
from bot.identity.codes import Codes
from bot.identity.directory import Directory, Registered, Unreachable
from bot.identity.policy import Limits, MaySend, Verdict, judge_code, may_send, proof_holds, same_address
from bot.identity.reading import CLAIM_CHARACTERS, MASK, Claim, Said, read, wants_proof, without_code
from bot.identity.repository import CodeRow, DialogueRow
from bot.identity.steps import (
    Accept,
    AskAccount,
    CountGuesses,
    CountTry,
    Leave,
    SendCode,
    Tell,
    VoidCode,
    locked,
    over,
    too_many,
)
from bot.repository.conversations import ConversationRow
from bot.repository.inbox import InboxRow
from bot.store.store import Store
from channels.contract import ReadMessage
from escalation.queue import BOT


@dataclass(frozen=True, kw_only=True)
class Resume:
    """The question that waited, to be asked again now that the account is known."""

    text: str
    account: dict[str, str]
    own: bool = False
    """It came with the code itself: nobody has heard it before, so it must not go unanswered."""


@dataclass(frozen=True, kw_only=True)
class Proving:
    """What is to be done about a message that belongs to proving who writes."""

    commands: Sequence[Command]
    masked: str | None = None
    """The text as it may be kept and as the bot may hear it; None when nothing has to be hidden."""
    masked_subject: str | None = None
    resume: Resume | None = None
    goes_on: bool = False
    """The message is about something else: the bot is asked as always, after the commands."""


@dataclass(frozen=True, kw_only=True)
class _State:
    dialogue: DialogueRow | None
    code: CodeRow | None
    sends: Sequence[datetime]
    questions: Sequence[tuple[int, str]]
    waiting: str | None


class Identity:
    """`step` is asked about every message before the bot is; most of them cost no query."""

    def __init__(self, *, store: Store, directory: Directory, codes: Codes, limits: Limits, clock: Clock) -> None:
        self._store = store
        self._directory = directory
        self._codes = codes
        self._limits = limits
        self._clock = clock

    async def step(
        self, conversation: ConversationRow, row: InboxRow, message: ReadMessage, language: str
    ) -> Proving | None:
        """None when the message has nothing to do with identity."""
        now = self._clock()
        subject = message.subject if row.seq == 1 else ""
        begun = conversation.proving_until is not None and now < conversation.proving_until
        if not begun and not wants_proof(message.text, message.payload, subject):
            return None
        said = read(message.text, message.payload, subject)
        state = await self._store.read(lambda connection: _state(connection, conversation.id, row.seq, now))
        if (code := self._live_code(said, state.code, now)) is not None:
            said = replace(said, code=code, masked=without_code(message.text, code))
            found = await self._code(conversation, said, state, now)
            return replace(found, masked_subject=without_code(message.subject, code))
        proving = await self._other(conversation, said, state, language, now)
        return _counted(conversation, said, state.code, self._limits, proving, now)

    async def _other(
        self, conversation: ConversationRow, said: Said, state: _State, language: str, now: datetime
    ) -> Proving | None:
        """A message without the code that was sent."""
        if said.starts:
            started = await self._start(conversation, said, state, language, now)
            return replace(started, goes_on=not said.whole)
        if state.dialogue is not None and state.dialogue.stage == "account":
            return await self._account(conversation, said, state, language, now)
        if state.code is not None and said.code is not None:
            return await self._code(conversation, said, state, now)
        if state.dialogue is not None and said.never_mind:
            return Proving(commands=(Leave(say=Say(key="identity.left")),))
        return None

    async def _start(
        self, conversation: ConversationRow, said: Said, state: _State, language: str, now: datetime
    ) -> Proving:
        if proof_holds(conversation.account, now):
            return _tell(Say(key="identity.already"))
        if may_send(state.sends, (), self._limits, now) is MaySend.CONVERSATION_FULL:
            return _tell(too_many(self._limits))
        waiting = _question(state.questions)
        if said.claim is not None:
            return await self._send(said.claim, waiting, language)
        return Proving(commands=(AskAccount(waiting=waiting, say=Say(key="identity.which_account")),))

    async def _account(
        self, conversation: ConversationRow, said: Said, state: _State, language: str, now: datetime
    ) -> Proving | None:
        assert state.dialogue is not None
        if said.never_mind:
            return Proving(commands=(Leave(say=Say(key="identity.left")),))
        if said.claim is not None and (said.whole or conversation.owner != BOT):
            sending = await self._send(said.claim, state.dialogue.waiting_inbox_id, language)
            return replace(sending, goes_on=not said.whole)
        if conversation.owner != BOT:
            return None
        return Proving(commands=(Leave(),), goes_on=True)

    def _live_code(self, said: Said, row: CodeRow | None, now: datetime) -> str | None:
        """Six digits may be a UID or an amount; those that were sent a moment ago are not, and are never shown."""
        if row is None or row.state != "live" or now >= row.expires_at:
            return None
        groups = sorted(said.groups)
        matching = (g for g in groups if self._codes.matches(g, row.nonce, row.conversation_id, row.uid, row.address))
        return next(matching, None)

    async def _send(self, claim: Claim, waiting: int | None, language: str) -> Proving:
        try:
            registered = await self._directory.find(claim)
        except Unreachable:
            say = Say(key="identity.exchange_silent", buttons=("person",))
            return Proving(commands=(AskAccount(waiting=waiting, say=say),))
        step = SendCode(
            claim=claim,
            registered=registered,
            waiting=waiting,
            language=language,
            codes=self._codes,
            limits=self._limits,
        )
        return Proving(commands=(step,))

    async def _code(self, conversation: ConversationRow, said: Said, state: _State, now: datetime) -> Proving:
        row, typed = state.code, said.code
        assert row is not None
        assert typed is not None
        if row.conversation_id != conversation.id:
            return _typed(said, Tell(say=Say(key="identity.wrong_place")))
        others = len(said.groups - {typed})
        if row.state == "live" and now < row.expires_at and row.tries + others >= self._limits.tries:
            return _typed(said, CountGuesses(code_id=row.id, guesses=others, limits=self._limits), Tell(say=locked()))
        matches = self._codes.matches(typed, row.nonce, row.conversation_id, row.uid, row.address)
        verdict = judge_code(
            state=row.state,
            tries=row.tries,
            expires_at=row.expires_at,
            matches=matches,
            limits=self._limits,
            now=now,
        )
        if verdict is Verdict.RIGHT:
            return await self._right(conversation, row, said, state, now)
        if verdict is Verdict.OVER:
            return _typed(said, Tell(say=over()))
        if row.state == "locked":
            return _typed(said, Tell(say=locked()))
        return _typed(said, CountTry(code_id=row.id, limits=self._limits, guesses=others + 1))

    async def _right(
        self, conversation: ConversationRow, row: CodeRow, said: Said, state: _State, now: datetime
    ) -> Proving:
        """Asked only for a right code: how long a wrong one takes says nothing about the account."""
        assert row.uid is not None
        try:
            registered = await self._directory.find(Claim("uid", row.uid))
        except Unreachable:
            return _typed(said, Tell(say=Say(key="identity.exchange_silent_code")))
        if registered is None or not same_address(registered.email, row.address):
            return _typed(said, VoidCode(code_id=row.id))
        resume = self._resume(conversation, registered, said, state)
        accept = Accept(code_id=row.id, registered=registered, limits=self._limits, answers=resume is not None)
        return replace(_typed(said, accept), resume=resume, goes_on=said.beside and resume is None)

    def _resume(
        self, conversation: ConversationRow, registered: Registered, said: Said, state: _State
    ) -> Resume | None:
        text = "\n".join(filter(None, [state.waiting, said.masked if said.beside else None]))
        if not text or conversation.owner != BOT:
            return None
        account = {"uid": registered.uid, "name": registered.name, "proven_by": "one-time code"}
        return Resume(text=text, account=account, own=said.beside)


def _state(connection: Connection, conversation_id: int, seq: int, now: datetime) -> _State:
    dialogue = repository.dialogue(connection, conversation_id)
    if dialogue is not None and dialogue.until <= now:
        dialogue = None
    waiting = None if dialogue is None else dialogue.waiting_inbox_id
    return _State(
        dialogue=dialogue,
        code=repository.newest_code(connection, conversation_id),
        sends=repository.sends_of_conversation(connection, conversation_id, now),
        questions=repository.questions_before(connection, conversation_id, seq),
        waiting=None if waiting is None else repository.question(connection, waiting),
    )


def _question(questions: Sequence[tuple[int, str]]) -> int | None:
    """The newest message that asked for something, past those that belong to proving who writes."""
    for inbox_id, text in questions:
        said = read(text)
        names_account = said.claim is not None and len(text) <= CLAIM_CHARACTERS
        if MASK not in text and not (said.starts or said.never_mind or said.code or names_account):
            return inbox_id
    return None


def _typed(said: Said, *commands: Command) -> Proving:
    """A code was typed; what was said beside it is the bot's or the agent's to answer."""
    return Proving(commands=commands, masked=said.masked, goes_on=said.beside)


def _counted(
    conversation: ConversationRow,
    said: Said,
    row: CodeRow | None,
    limits: Limits,
    proving: Proving | None,
    now: datetime,
) -> Proving | None:
    """Every six digits that were compared with a live code count, or a message of many would be as many free tries."""
    compared = row is not None and row.conversation_id == conversation.id and row.state == "live"
    if not compared or not said.groups or (proving is not None and proving.masked is not None):
        return proving
    assert row is not None
    if now >= row.expires_at:
        return proving
    count = CountGuesses(code_id=row.id, guesses=len(said.groups), limits=limits)
    if proving is None:
        return Proving(commands=(count,), goes_on=True)
    return replace(proving, commands=(count, *proving.commands))


def _tell(say: Say) -> Proving:
    return Proving(commands=(Tell(say=say),))
