"""The public reply: one fixed sentence with a link to the live chat, or nothing. No other word of ours is posted."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import structlog

from channels.contract import OutboundMessage, SendReceipt, Words
from channels.faults import NeedsPerson, OutcomeUnknown, Rejected, RetryLater
from channels.monitor.answers import Posted
from channels.monitor.durable import Damaged
from channels.monitor.faults import AskedToWait, Fault, Forbidden, NeverLeft, NotTaken, Unauthorized
from channels.monitor.ledger import FILE, Ledger, Ruling, Verdict
from channels.monitor.pace import Pace, ServerClock
from channels.monitor.state import State

LANGUAGES = ("en", "zh", "zh-Hant")
LONGER_IN_HANT = 6
"""繁體 is written from 简体 and at most so much longer: to know that it fits, its tables need not be loaded."""
LONGEST_TOKEN = "#" + "x" * 63
"""What the link of an author is longer than the plain one, at most."""
PERSON = (
    "{network} is public: words of a person are not posted there, and private messages are not connected. Continue in "
    "the live chat, to which the author was given a link ({link}), or by e-mail once the author has named an address."
)
ANSWERED_TODAY = "not posted: a reply to this author was posted or tried within 24 hours"
NOT_ADDRESSED = "not posted: the author did not address us"
SWITCHED_OFF = "not posted: replies are switched off"

log = structlog.get_logger()


class Templates:
    """The sentence `<channel>.reply` in each language. Raises ValueError when one would be too long for a post."""

    def __init__(
        self, words: Words, channel: str, public_url: str, size: Callable[[str], int], most_characters: int
    ) -> None:
        """`size`: how many characters of a post a text takes, as the network counts them."""
        self.link = f"{public_url}/chat"
        self._words = words
        self._key = f"{channel}.reply"
        for language in ("en", "zh"):
            longest = self.text(language, f"{self.link}?lang=zh-Hant{LONGEST_TOKEN}")
            if size(longest) + LONGER_IN_HANT > most_characters:
                raise ValueError(f"{self._key} in {language} is longer than the {most_characters} characters of a post")

    def language(self, wished: str) -> str:
        return wished if wished in LANGUAGES else "en"

    def text(self, language: str, link: str) -> str:
        return self._words.say(self._key, self.language(language), link=link)


type LinkFor = Callable[[str, str], Awaitable[str]]
"""(conversation key, language) -> where its author goes on: `channels.live_contract.Invitations.link`."""


class Sender:
    def __init__(
        self,
        channel: str,
        network: str,
        check: Callable[[OutboundMessage], None],
        post: Callable[[OutboundMessage, str], Awaitable[Posted]],
        templates: Templates,
        link_for: LinkFor,
        ledger: Ledger,
        pace: Pace,
        state: State,
        clock: ServerClock,
        *,
        replies: bool,
    ) -> None:
        """`check` raises Rejected when there is nobody or nothing to reply to; `post` takes the sentence to the
        network and raises Fault."""
        self._channel = channel
        self._network = network
        self._check = check
        self._to_network = post
        self._templates = templates
        self._link_for = link_for
        self._ledger = ledger
        self._pace = pace
        self._state = state
        self._clock = clock
        self._replies = replies

    async def send(self, message: OutboundMessage) -> SendReceipt:
        """Raises RetryLater, OutcomeUnknown, NeedsPerson or Rejected. A receipt says when nothing was posted."""
        if not message.automatic:
            raise NeedsPerson(PERSON.format(network=self._network, link=self._templates.link))
        self._check(message)
        if not self._replies:
            return SendReceipt(peer_id=SWITCHED_OFF, posted=False)
        if message.thread.get("addressed") != "yes":
            return SendReceipt(peer_id=NOT_ADDRESSED, posted=False)
        return await self._claimed(message)

    async def _claimed(self, message: OutboundMessage) -> SendReceipt:
        link = await self._link_for(message.conversation_key, self._templates.language(message.language))
        ruling = await self._ask(message)
        match ruling.verdict:
            case Verdict.POSTED:
                return SendReceipt(peer_id=ruling.post_id)
            case Verdict.ANSWERED:
                return SendReceipt(peer_id=ANSWERED_TODAY, posted=False)
            case Verdict.BEGUN:
                raise OutcomeUnknown(f"the reply was begun before, and {self._network} did not say what became of it")
            case Verdict.FULL:
                raise RetryLater("the replies of this hour are used up", ruling.seconds)
            case Verdict.POST:
                return await self._post(message, link)

    async def _ask(self, message: OutboundMessage) -> Ruling:
        wait = self._pace.due - self._clock.monotonic()
        if self._pace.waits_for_quota:
            raise RetryLater(f"{self._network} takes no replies before its quota is new", wait)
        try:
            return await asyncio.to_thread(
                self._ledger.claim, message.recipient, message.message_id, self._clock.wall()
            )
        except Damaged as error:
            raise NeedsPerson(
                f"the list of replies ({self._channel}/{FILE} in the data folder) is damaged: "
                "put it aside, and replies go on"
            ) from error
        except OSError as error:
            raise RetryLater("the list of replies cannot be read or written") from error

    async def _post(self, message: OutboundMessage, link: str) -> SendReceipt:
        """Everybody sees the link: by itself it opens nothing, whoever follows it (docs/decisions/0023)."""
        author = message.recipient
        try:
            posted = await self._to_network(message, self._templates.text(message.language, link))
        except Fault as fault:
            log.warning("reply_failed", channel=self._channel, fault=fault.name)
            raise await self._judged(fault, author) from fault
        self._pace.answered(posted.quota, more=True)
        self._state.taken()
        if posted.post_id is None:
            raise OutcomeUnknown(f"{self._network} answered something unreadable")
        await self._write(self._ledger.posted, author, posted.post_id, self._clock.wall())
        return SendReceipt(peer_id=posted.post_id)

    async def _judged(self, fault: Fault, author: str) -> RetryLater | Rejected | OutcomeUnknown:
        """The author's day is given back only when surely nothing was posted and it makes sense to try again."""
        if isinstance(fault, AskedToWait | NeverLeft | Unauthorized):
            await self._write(self._ledger.release, author, self._clock.wall())
        match fault:
            case AskedToWait():
                self._pace.failed(fault)
                return RetryLater(f"{self._network} asked to wait", self._pace.due - self._clock.monotonic())
            case NeverLeft():
                return RetryLater(f"{self._network} could not be reached")
            case Unauthorized():
                self._state.credentials_refused()
                return RetryLater(f"{self._network} refuses our credentials")
            case Forbidden() | NotTaken():
                return Rejected(
                    f"{self._network} does not take a reply to this post: it is gone, closed to us, or too alike to "
                    "others"
                )
            case _:
                return OutcomeUnknown(f"{self._network} did not confirm the reply")

    async def _write(self, how: Callable[..., None], *what: object) -> None:
        """The claim stands already: if this fails, the author hears nothing more today, and nobody hears twice."""
        try:
            await asyncio.to_thread(how, *what)
        except (OSError, Damaged) as error:
            log.error("replies_not_written", channel=self._channel, fault=type(error).__name__)
