"""A code was typed: is it the one that was sent, and what follows from it?"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime

from actions.commands import Say
from bot.identity.claims import Claim
from bot.identity.codes import Codes
from bot.identity.covering import is_code
from bot.identity.digits import masked
from bot.identity.directory import Directory, Registered, Unreachable
from bot.identity.policy import BY_CODE, Limits, Verdict, judge_code, locks, same_address
from bot.identity.proposal import Proving, Resume, typed
from bot.identity.reading import Said
from bot.identity.repository import CodeRow
from bot.identity.standing import Standing
from bot.identity.steps import Accept, CountGuesses, CountTry, Tell, VoidCode, locked, over
from bot.repository.conversations import ConversationRow
from escalation.queue import BOT


@dataclass(frozen=True, kw_only=True)
class Judge:
    directory: Directory
    codes: Codes
    limits: Limits

    def find_code(self, text: str, said: Said, row: CodeRow | None) -> Said:
        """Six digits may be an amount; those that were sent are a code wherever they stand."""
        if row is None:
            return said
        code = next((each for each in sorted(said.groups) if is_code(self.codes, row, each)), None)
        return said if code is None else replace(said, code=code, masked=masked(text, code))

    def is_sent(self, said: Said, row: CodeRow | None) -> bool:
        return row is not None and said.code is not None and is_code(self.codes, row, said.code)

    async def judge(
        self, conversation: ConversationRow, row: CodeRow, said: Said, standing: Standing, at: datetime
    ) -> Proving:
        """`at` is when the message came: a desk that is late does not make a code too old."""
        if row.conversation_id != conversation.id:
            return typed(said, Tell(say=Say(key="identity.wrong_place")))
        matches = self.is_sent(said, row)
        others = len(said.groups - {said.code})
        verdict = judge_code(state=row.state, expires_at=row.expires_at, matches=matches, at=at)
        match verdict:
            case Verdict.OVER:
                return typed(said, Tell(say=over()))
            case Verdict.LOCKED:
                return typed(said, Tell(say=locked()))
            case Verdict.WRONG:
                return typed(said, CountTry(code_id=row.id, limits=self.limits, guesses=others + 1))
        if locks(row.tries + others, self.limits):
            return typed(said, CountGuesses(code_id=row.id, guesses=others, limits=self.limits), Tell(say=locked()))
        return await self._right(conversation, row, said, standing)

    async def _right(self, conversation: ConversationRow, row: CodeRow, said: Said, standing: Standing) -> Proving:
        """Asked only for a right code: how long a wrong one takes says nothing about the account."""
        assert row.uid is not None
        try:
            registered = await self.directory.find(Claim("uid", row.uid))
        except Unreachable:
            return typed(said, Tell(say=Say(key="identity.exchange_silent_code")))
        if registered is None or not same_address(registered.email, row.address):
            return typed(said, VoidCode(code_id=row.id))
        resume = _resume(conversation, registered, said, standing.waiting)
        accept = Accept(code_id=row.id, registered=registered, limits=self.limits, answers=resume is not None)
        return replace(typed(said, accept), resume=resume, goes_on=not said.whole and resume is None)

    def counted(
        self, conversation: ConversationRow, row: CodeRow | None, said: Said, at: datetime, proving: Proving | None
    ) -> Proving | None:
        """Every six digits that were compared with a live code count, or one message would be many free tries."""
        compared = row is not None and row.conversation_id == conversation.id and row.live(at)
        if row is None or not compared or not said.groups or (proving is not None and proving.masked is not None):
            return proving
        count = CountGuesses(code_id=row.id, guesses=len(said.groups), limits=self.limits)
        if proving is None:
            return Proving(commands=(count,), goes_on=True)
        return replace(proving, commands=(count, *proving.commands))


def _resume(conversation: ConversationRow, registered: Registered, said: Said, waiting: str | None) -> Resume | None:
    text = "\n".join(filter(None, [waiting, None if said.whole else said.masked]))
    if not text or conversation.owner != BOT:
        return None
    account = {"uid": registered.uid, "name": registered.name, "proven_by": BY_CODE}
    return Resume(text=text, account=account, own=not said.whole)
