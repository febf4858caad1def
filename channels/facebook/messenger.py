"""Private answers, part by part, and what became of each: sent, to be tried again, refused or unknown."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from channels.contract import OutboundMessage, SendReceipt
from channels.facebook.buttons import Buttons
from channels.facebook.faults import NotPermitted, Unavailable, WindowClosed
from channels.facebook.graph import Graph
from channels.facebook.ids import ident, person
from channels.facebook.pace import Pace
from channels.facebook.watch import Watch
from channels.faults import NeedsPerson, OutcomeUnknown, Rejected, RetryLater
from channels.monitor.faults import AskedToWait, Fault, Forbidden, NeverLeft, NotTaken, Unauthorized
from channels.monitor.pace import SLOW_SECONDS, ServerClock
from channels.monitor.parts import moment, part
from channels.monitor.state import State
from channels.split import pieces

WINDOW = timedelta(hours=24)
"""After a person's message we may answer for so long (Messenger Platform, "Policy: standard messaging")."""
HUMAN_WINDOW = timedelta(days=7)
"""A person of ours may, with the tag HUMAN_AGENT."""
MARGIN = timedelta(minutes=1)
MAX_CHARACTERS = 2000
"""Of a message's text (Messenger Platform, "Send API"); counted here in UTF-16, so that it is never too long."""
REMEMBERED = 10_000
"""Messages whose sent parts are known."""
TOO_LATE = (
    "the person's last message is more than 24 hours old, and Facebook takes no {whose} answer any more: reach them in "
    "another way, or answer when they write again"
)
TOO_LATE_UNTAGGED = (
    "; the setting human_agent gives people seven days, once Facebook has granted the app the tag HUMAN_AGENT"
)


class Messenger:
    def __init__(
        self, graph: Graph, buttons: Buttons, watch: Watch, state: State, clock: ServerClock, *, human_agent: bool
    ) -> None:
        self._graph = graph
        self._buttons = buttons
        self._watch = watch
        self._state = state
        self._clock = clock
        self._human_agent = human_agent
        self._pace = Pace(clock.monotonic)
        self._held_until = 0.0
        self._parts: OrderedDict[str, list[str]] = OrderedDict()
        """Facebook's ids of the parts that are sent, by our message id."""

    async def send(self, message: OutboundMessage) -> SendReceipt:
        """Parts that this process knows to be sent are not sent again.

        Raises RetryLater, OutcomeUnknown, NeedsPerson or Rejected.
        """
        recipient = person(message.recipient)
        if recipient is None:
            raise Rejected("the conversation has nobody to write to")
        manner = self._manner(message)
        parts, sent = pieces(message.text, MAX_CHARACTERS), self._sent(message.message_id)
        if not sent:
            self._pace.turn(recipient)
        for number in range(len(sent), len(parts)):
            content: dict[str, Any] = {"text": parts[number]}
            replies = self._buttons.quick_replies(message.buttons, recipient)
            if replies and number == len(parts) - 1:
                content["quick_replies"] = replies
            sent.append(await self._one({"recipient": {"id": recipient}, **manner, "message": content}, message))
        return SendReceipt(peer_id=",".join(sent)[:255])

    def _manner(self, message: OutboundMessage) -> Mapping[str, str]:
        """Raises Rejected when the time to answer is over."""
        written = moment(message.thread.get("at"))
        age = self._clock() - written if written is not None else timedelta(0)
        if age < WINDOW - MARGIN:
            return {"messaging_type": "RESPONSE"}
        if not message.automatic and self._human_agent and age < HUMAN_WINDOW - MARGIN:
            return {"messaging_type": "MESSAGE_TAG", "tag": "HUMAN_AGENT"}
        raise self._too_late(message)

    def _too_late(self, message: OutboundMessage) -> Rejected:
        if message.automatic:
            return Rejected(TOO_LATE.format(whose="automatic"))
        if self._human_agent:
            return Rejected(TOO_LATE.format(whose="untimely").replace("24 hours", "seven days"))
        return Rejected(TOO_LATE.format(whose="such") + TOO_LATE_UNTAGGED)

    async def _one(self, content: Mapping[str, Any], message: OutboundMessage) -> str:
        wait = self._held_until - self._clock.monotonic()
        if wait > 0:
            raise RetryLater("Facebook asked to wait", wait)
        try:
            answer = await self._graph.post("me/messages", content)
        except Fault as fault:
            raise self._judged(fault, message) from fault
        self._state.taken()
        self._watch.sent()
        if answer.quota.left == 0:
            self._hold(answer.quota.seconds)
        message_id = ident(part(answer.body, "message_id"))
        if message_id is None:
            raise OutcomeUnknown("Facebook answered something unreadable")
        return message_id

    def _judged(self, fault: Fault, message: OutboundMessage) -> RetryLater | NeedsPerson | Rejected | OutcomeUnknown:
        """Fixed sentences: Facebook's own may repeat what it was sent."""
        match fault:
            case AskedToWait():
                return RetryLater("Facebook asked to wait", self._hold(fault.seconds))
            case Unauthorized():
                self._state.credentials_refused()
                return NeedsPerson("Facebook refuses the page's token: set a new one, then send this again")
            case WindowClosed():
                return self._too_late(message)
            case Unavailable():
                return Rejected("the person takes no messages from the page: they blocked it, or left Facebook")
            case NotPermitted():
                self._watch.forbidden()
                return NeedsPerson("Facebook does not permit the page or the app to send this")
            case Forbidden() | NotTaken():
                return Rejected("Facebook does not take this message")
            case NeverLeft():
                return RetryLater("Facebook could not be reached or has a fault")
            case _:
                return OutcomeUnknown("Facebook fell silent before it confirmed the message")

    def _hold(self, seconds: float | None) -> float:
        """Nothing is sent for so long. Returns the seconds."""
        wait = SLOW_SECONDS if seconds is None else seconds
        self._held_until = max(self._held_until, self._clock.monotonic() + wait)
        return wait

    def _sent(self, message_id: str) -> list[str]:
        parts = self._parts.setdefault(message_id, [])
        self._parts.move_to_end(message_id)
        while len(self._parts) > REMEMBERED:
            self._parts.popitem(last=False)
        return parts
