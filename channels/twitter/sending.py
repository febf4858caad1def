"""The public reply: one fixed sentence with a link to the live chat, or nothing. No other word of ours is posted."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Set

import structlog

from channels.contract import (
    NeedsPerson,
    OutboundMessage,
    OutcomeUnknown,
    Rejected,
    RetryLater,
    SendReceipt,
    Words,
)
from channels.twitter.api import Api
from channels.twitter.durable import Damaged
from channels.twitter.faults import AskedToWait, Fault, Forbidden, NeverLeft, NotTaken, Unauthorized
from channels.twitter.ids import whole
from channels.twitter.ledger import Ledger, Ruling, Verdict
from channels.twitter.pace import Pace, ServerClock
from channels.twitter.posts import part
from channels.twitter.state import State
from channels.twitter.weight import MAX_WEIGHT, weight

LANGUAGES = ("en", "zh")
PERSON = (
    "X is public: words of a person are not posted there, and private messages are not connected. Continue in the live "
    "chat, to which the author was given a link ({link}), or by e-mail once the author has named an address."
)
ANSWERED_TODAY = "not posted: a reply to this author was posted or tried within 24 hours"
NOT_ADDRESSED = "not posted: the author did not address us"
SWITCHED_OFF = "not posted: replies are switched off"

log = structlog.get_logger()


class Templates:
    """The sentence in each language. Raises ValueError when one would be too long for a post."""

    def __init__(self, words: Words, public_url: str) -> None:
        self.link = f"{public_url}/chat"
        links = {language: f"{self.link}?lang={language}" for language in LANGUAGES}
        self._texts = {language: words.say("twitter.reply", language, link=links[language]) for language in LANGUAGES}
        for language, text in self._texts.items():
            if weight(text) > MAX_WEIGHT:
                raise ValueError(f"twitter.reply in {language} is longer than the {MAX_WEIGHT} characters of a post")

    def text(self, language: str) -> str:
        return self._texts.get(language, self._texts["en"])


class Sender:
    def __init__(
        self,
        api: Callable[[], Api],
        account_id: str,
        own_usernames: Set[str],
        templates: Templates,
        ledger: Ledger,
        pace: Pace,
        state: State,
        clock: ServerClock,
        *,
        replies: bool,
    ) -> None:
        self._api = api
        self._account_id = account_id
        self._own_usernames = own_usernames
        self._templates = templates
        self._ledger = ledger
        self._pace = pace
        self._state = state
        self._clock = clock
        self._replies = replies

    async def send(self, message: OutboundMessage) -> SendReceipt:
        """Raises RetryLater, OutcomeUnknown, NeedsPerson or Rejected. A receipt says when nothing was posted."""
        if not message.automatic:
            raise NeedsPerson(PERSON.format(link=self._templates.link))
        username = message.thread.get("username", "").casefold()
        if message.recipient == self._account_id or username in self._own_usernames:
            raise Rejected("this is an account of ours: nobody replies to themselves")
        post_id = message.thread.get("post_id", "")
        if whole(message.recipient) is None or whole(post_id) is None:
            raise Rejected("the conversation has no post to reply to")
        if not self._replies:
            return SendReceipt(peer_id=SWITCHED_OFF)
        if message.thread.get("addressed") != "yes":
            return SendReceipt(peer_id=NOT_ADDRESSED)
        return await self._claimed(message, post_id)

    async def _claimed(self, message: OutboundMessage, post_id: str) -> SendReceipt:
        ruling = await self._ask(message)
        match ruling.verdict:
            case Verdict.POSTED:
                return SendReceipt(peer_id=ruling.post_id)
            case Verdict.ANSWERED:
                return SendReceipt(peer_id=ANSWERED_TODAY)
            case Verdict.BEGUN:
                raise OutcomeUnknown("the reply was begun before, and X did not say what became of it")
            case Verdict.FULL:
                raise RetryLater("the replies of this hour are used up", ruling.seconds)
            case Verdict.POST:
                return await self._post(message, post_id)

    async def _ask(self, message: OutboundMessage) -> Ruling:
        wait = self._pace.due - self._clock.monotonic()
        if self._pace.waits_for_quota:
            raise RetryLater("X takes no replies before its quota is new", wait)
        try:
            return await asyncio.to_thread(
                self._ledger.claim, message.recipient, message.message_id, self._clock.wall()
            )
        except Damaged as error:
            raise NeedsPerson(
                "the list of replies (twitter/replies.json in the data folder) is damaged: "
                "put it aside, and replies go on"
            ) from error
        except OSError as error:
            raise RetryLater("the list of replies cannot be read or written") from error

    async def _post(self, message: OutboundMessage, post_id: str) -> SendReceipt:
        author = message.recipient
        try:
            answer = await self._api().reply(self._templates.text(message.language), post_id)
        except Fault as fault:
            log.warning("x_reply_failed", fault=fault.name)
            raise await self._judged(fault, author) from fault
        self._pace.answered(answer.quota, more=True)
        self._state.taken()
        reply_id = whole(part(answer.body, "data", "id"))
        if reply_id is None:
            raise OutcomeUnknown("X answered something unreadable")
        await self._write(self._ledger.posted, author, str(reply_id), self._clock.wall())
        return SendReceipt(peer_id=str(reply_id))

    async def _judged(self, fault: Fault, author: str) -> RetryLater | Rejected | OutcomeUnknown:
        """The author's day is given back only when surely nothing was posted and it makes sense to try again."""
        if isinstance(fault, AskedToWait | NeverLeft | Unauthorized):
            await self._write(self._ledger.release, author, self._clock.wall())
        match fault:
            case AskedToWait():
                self._pace.failed(fault)
                return RetryLater("X asked to wait", self._pace.due - self._clock.monotonic())
            case NeverLeft():
                return RetryLater("X could not be reached")
            case Unauthorized():
                self._state.credentials_refused()
                return RetryLater("X refuses our credentials")
            case Forbidden() | NotTaken():
                return Rejected(
                    "X does not take a reply to this post: it is gone, closed to us, or too alike to others"
                )
            case _:
                return OutcomeUnknown("X did not confirm the reply")

    async def _write(self, how: Callable[..., None], *what: object) -> None:
        """The claim stands already: if this fails, the author hears nothing more today, and nobody hears twice."""
        try:
            await asyncio.to_thread(how, *what)
        except (OSError, Damaged) as error:
            log.error("x_ledger_not_written", fault=type(error).__name__)
