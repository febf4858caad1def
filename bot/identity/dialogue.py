"""Proving who writes, before Rasa hears of it: reads what stands, asks the exchange, and proposes the next step.

Nothing is written here, and no transaction is open while the exchange is asked.
"""

from __future__ import annotations

from dataclasses import replace

from actions.commands import Say
from bot.clock import Clock
from bot.identity.claims import Claim
from bot.identity.codes import Codes
from bot.identity.covering import Cover, LetterWords
from bot.identity.directory import Directory, Unreachable
from bot.identity.judging import Judge
from bot.identity.policy import Limits, MaySend, may_send, proof_holds
from bot.identity.proposal import Proving, tell
from bot.identity.reading import Said, read, wants_proof
from bot.identity.standing import Standing, standing
from bot.identity.steps import AskAccount, Leave, SendCode, too_many
from bot.repository.conversations import ConversationRow
from bot.repository.inbox import InboxRow
from bot.store.store import Store
from channels.contract import Kind, ReadMessage
from escalation.queue import BOT


class Identity:
    """`step` is asked about every message before the bot is; most of them cost no query."""

    def __init__(
        self,
        *,
        store: Store,
        directory: Directory,
        codes: Codes,
        limits: Limits,
        clock: Clock,
        letter: LetterWords,
    ) -> None:
        self._store = store
        self._directory = directory
        self._codes = codes
        self._limits = limits
        self._clock = clock
        self._letter = letter
        self._judge = Judge(directory=directory, codes=codes, limits=limits)
        self._cover = Cover(codes=codes, letter=letter)

    async def step(
        self, conversation: ConversationRow, row: InboxRow, message: ReadMessage, language: str
    ) -> Proving | None:
        """None when the message has nothing to do with identity. What no person wrote is only searched for a code."""
        at, now = row.received_at, self._clock()
        subject = message.subject if row.seq == 1 else ""
        begun = conversation.proving_until is not None and at < conversation.proving_until
        if not begun and not wants_proof(message.text, message.payload, subject):
            return self._cover.over(conversation.id, message, None, None)
        known = await self._store.read(lambda connection: standing(connection, conversation.id, row, now))
        proving = None
        if message.kind is Kind.MESSAGE:
            said = read(self._letter.without(message.text), message.payload, subject)
            said = self._judge.find_code(message.text, said, known.code)
            proving = await self._proving(conversation, row, said, known, language)
            proving = self._judge.counted(conversation, known.code, said, at, proving)
        return self._cover.over(conversation.id, message, known.code, proving)

    async def _proving(
        self, conversation: ConversationRow, row: InboxRow, said: Said, known: Standing, language: str
    ) -> Proving | None:
        at = row.received_at
        if known.code is not None and self._judge.is_sent(said, known.code):
            return await self._judge.judge(conversation, known.code, said, known, at)
        if said.starts:
            return await self._start(conversation, row, said, known, language)
        if known.dialogue is not None and known.dialogue.stage == "account":
            return await self._account(conversation, row, said, known, language)
        if known.awaits_code(at) and said.claim is not None and said.offered and said.labelled:
            return await self._send(said, said.claim, row, known, language)
        if known.code is not None and said.code is not None and (said.whole or known.code.live(at)):
            return await self._judge.judge(conversation, known.code, said, known, at)
        if known.awaits_code(at) and said.never_mind:
            return _left()
        return None

    async def _start(
        self, conversation: ConversationRow, row: InboxRow, said: Said, known: Standing, language: str
    ) -> Proving:
        now = self._clock()
        if proof_holds(conversation.account, now):
            return replace(tell(Say(key="identity.already")), goes_on=not said.whole)
        if may_send(known.sends, (), self._limits, now) is MaySend.CONVERSATION_FULL:
            return replace(tell(too_many(self._limits)), goes_on=not said.whole)
        if said.claim is not None:
            return await self._send(said, said.claim, row, known, language)
        ask = AskAccount(waiting=_waiting(row, said, known), say=Say(key="identity.which_account"))
        return Proving(commands=(ask,), goes_on=not said.whole)

    async def _account(
        self, conversation: ConversationRow, row: InboxRow, said: Said, known: Standing, language: str
    ) -> Proving | None:
        """An agent goes on waiting for the account while other things are talked about; the bot gives it up."""
        assert known.dialogue is not None
        if said.never_mind:
            return _left()
        agent_waits = conversation.owner != BOT or known.dialogue.by_agent
        if said.claim is not None and (said.offered or agent_waits):
            return await self._send(said, said.claim, row, known, language)
        return None if agent_waits else Proving(commands=(Leave(),), goes_on=True)

    async def _send(self, said: Said, claim: Claim, row: InboxRow, known: Standing, language: str) -> Proving:
        waiting = _waiting(row, said, known)
        try:
            registered = await self._directory.find(claim)
        except Unreachable:
            say = Say(key="identity.exchange_silent", buttons=("person",))
            return Proving(commands=(AskAccount(waiting=waiting, say=say),), goes_on=not said.whole)
        step = SendCode(
            claim=claim,
            registered=registered,
            waiting=waiting,
            language=language,
            codes=self._codes,
            limits=self._limits,
        )
        return Proving(commands=(step,), goes_on=not said.whole)


def _left() -> Proving:
    return Proving(commands=(Leave(say=Say(key="identity.left")),))


def _waiting(row: InboxRow, said: Said, known: Standing) -> int | None:
    """Which question is answered after the proof: the one that came with the wish, else the one before it."""
    if not said.starts and known.dialogue is not None and known.dialogue.waiting_inbox_id is not None:
        return known.dialogue.waiting_inbox_id
    if not said.whole:
        return row.id
    return known.question if said.starts else None
