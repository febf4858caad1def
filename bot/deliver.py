"""Outbox row -> channel, in order per conversation, with back-off. Ownership is checked again right before sending."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

import structlog
from sqlalchemy import Connection

from bot.clock import Clock
from bot.hub import OUTBOX, QUEUE, Hub, conversation_topic
from bot.metrics import attempted, delivered, step
from bot.repository import conversations
from bot.repository import outbox as rows
from bot.repository.conversations import ConversationRow
from bot.repository.outbox import Held, OutboxRow
from bot.store.store import Store
from bot.tokens import new_token
from channels.contract import Author, Channel, OutboundMessage
from channels.faults import ByHand, NeedsPerson, OutcomeUnknown, Rejected, RetryLater
from escalation import repository
from escalation.broadcast.recall import Drop, Recall, Wait
from escalation.queue import ANNOUNCER

log = structlog.get_logger()
FIRST_RETRY_SECONDS = 2.0
LONGEST_RETRY_SECONDS = 3600.0
LONGEST_WISH = timedelta(hours=12)
"""A peer's own "try again after" is believed up to this long."""
INTERRUPTED = "interrupted while it was being sent"
GIVE_UP_AFTER = timedelta(days=5)
"""As long as a mail server keeps a message in its queue (RFC 5321 section 4.5.4.1)."""


@dataclass(frozen=True, kw_only=True)
class Errand:
    """One row and its conversation. With a token it is claimed for us; without, there is nothing to send."""

    token: str
    row: OutboxRow
    conversation: ConversationRow
    case_number: str | None
    changed: bool = True
    """False when the row was left as it was: somebody else has it in hand, or it was settled before."""


def back_off(attempts: int, spread: Callable[[], float] = random.random) -> timedelta:
    """2 s, 4 s, 8 s ... at most an hour, plus up to a quarter so that a thousand rows do not come back at once."""
    seconds = min(FIRST_RETRY_SECONDS * 2 ** min(attempts, 20), LONGEST_RETRY_SECONDS)
    return timedelta(seconds=seconds * (1 + spread() / 4))


@dataclass(frozen=True, kw_only=True)
class Deliverer:
    store: Store
    channels: Mapping[str, Channel]
    clock: Clock
    hub: Hub
    lease: timedelta
    recall: Recall | None = None
    """Asked before a broadcast leaves; None where there are none."""

    async def send(self, outbox_id: int) -> None:
        """Sends one row if it is still to be sent. Raises NotStored when the store is out of order."""
        with step("claim"):
            errand = await self.store.write_together(self._claim, outbox_id)
        if errand.token:
            await self._carry(errand)
        if errand.changed:  # else whoever looks again because of it would find the same, and announce it again
            self._announce(errand.conversation)

    async def _carry(self, errand: Errand) -> None:
        with step("send"):
            result = await self._try(errand)
        with step("settle"):
            kept = await self.store.write_together(self._settle, (errand, result))
        delivered(result["state"])
        row = errand.row
        if result["state"] not in ("sent", "not_posted") or not kept:
            log.info("delivery", outbox_id=row.id, state=result["state"], kept=kept, attempts=row.attempts)

    def _announce(self, conversation: ConversationRow) -> None:
        """Where notices are shown beside a chat, whoever watches the chat hears of them."""
        key = conversation.recipient if conversation.owner == ANNOUNCER else conversation.key
        self.hub.publish(OUTBOX, QUEUE, conversation_topic(conversation.channel, key))

    async def renew(self, outbox_ids: Sequence[int]) -> None:
        """Keeps the claims of sendings that take long."""
        if outbox_ids:
            until = self.clock() + self.lease
            await self.store.write(lambda connection: rows.renew(connection, outbox_ids, until))

    def _claim(self, connection: Connection, outbox_ids: Sequence[int]) -> Sequence[Errand]:
        """An errand per row, in their order; without a token where there is nothing to send."""
        now = self.clock()
        found = rows.lock_many(connection, outbox_ids)
        of = conversations.get_many(connection, [found[outbox_id].row.conversation_id for outbox_id in outbox_ids])
        errands = [
            self._judge(connection, found[outbox_id], of[found[outbox_id].row.conversation_id], now)
            for outbox_id in outbox_ids
        ]
        until = now + self.lease
        claimed = [errand for errand in errands if errand.token]
        rows.claim(connection, [(errand.row.id, errand.token) for errand in claimed], until)
        return errands

    def _judge(self, connection: Connection, held: Held, conversation: ConversationRow, now: datetime) -> Errand:
        row = held.row
        orphaned = held.orphaned(now)
        nothing = Errand(token="", row=row, conversation=conversation, case_number=None)
        if row.state != "new" and not orphaned:
            return replace(nothing, changed=False)
        late = row.owner_epoch is not None and row.owner_epoch != conversation.owner_epoch
        if late and not orphaned:
            rows.change(connection, row.id, state="dropped", error=rows.TOOK_OVER)
            return nothing
        if late and self._may_repeat(row, conversation):
            # It was shown from its claim on: what the user may have seen is not taken out of their transcript.
            rows.change(connection, row.id, state="sent", sent_at=now, error=INTERRUPTED)
            return nothing
        if orphaned and not self._may_repeat(row, conversation):
            rows.change(connection, row.id, state="unknown", error=INTERRUPTED)
            self._tell_agents(connection, row, conversation, INTERRUPTED)
            return nothing
        if row.state == "new" and self._called_back(connection, row, conversation, now):
            return nothing
        number = None if conversation.case_id is None else repository.get(connection, conversation.case_id).number
        return Errand(token=new_token(), row=row, conversation=conversation, case_number=number)

    def _called_back(
        self, connection: Connection, row: OutboxRow, conversation: ConversationRow, now: datetime
    ) -> bool:
        """A broadcast whose subscriber left, or that was stopped, or that would come in the night."""
        match None if self.recall is None else self.recall(connection, conversation, row.id, now):
            case Drop(reason):
                rows.change(connection, row.id, state="dropped", error=reason)
            case Wait(until):
                rows.change(connection, row.id, not_before=until)
            case None:
                return False
        return True

    def _may_repeat(self, row: OutboxRow, conversation: ConversationRow) -> bool:
        """After a crash in mid-send an automatic answer is not risked twice; a person's words are (same id)."""
        return row.author == Author.AGENT or self.channels[conversation.channel].capabilities.repeat_harmless

    async def _try(self, errand: Errand) -> dict[str, Any]:
        """How the sending ended, as column values."""
        row = errand.row
        try:
            leave = "" if self.recall is None else self.recall.leave_link(errand.conversation)
            receipt = await self.channels[errand.conversation.channel].send(_outbound(errand, leave))
        except RetryLater as error:
            return self._later(row, error.reason, error.after_seconds)
        except OutcomeUnknown as error:
            return self._unknown(row, error.reason)
        except ByHand:
            return {"state": "by_hand", "error": None}
        except NeedsPerson as error:
            return {"state": "parked", "error": error.reason}
        except Rejected as error:
            return {"state": "failed", "error": error.reason}
        except Exception as error:
            log.error("send_broke", outbox_id=row.id, error=type(error).__name__, exc_info=error)
            return self._later(row, type(error).__name__, None)
        if not receipt.posted:
            return {"state": "not_posted", "error": receipt.peer_id}
        return {"state": "sent", "sent_at": self.clock(), "peer_id": receipt.peer_id[:255], "error": None}

    def _unknown(self, row: OutboxRow, reason: str) -> dict[str, Any]:
        """It may have arrived. A person's words go again under the same message id; an automatic answer does not."""
        if row.author == Author.AGENT:
            return self._later(row, reason, None)
        return {"state": "unknown", "error": reason}

    def _later(self, row: OutboxRow, reason: str, after_seconds: float | None) -> dict[str, Any]:
        now = self.clock()
        if now - (row.tried_since or row.created_at) > GIVE_UP_AFTER:
            return {"state": "parked", "error": f"not accepted for {GIVE_UP_AFTER.days} days: {reason}"}
        attempted("delivery")
        wait = back_off(row.attempts)
        if after_seconds is not None:
            wait = max(wait, min(timedelta(seconds=after_seconds), LONGEST_WISH))
        return {"state": "new", "attempts": row.attempts + 1, "error": reason, "not_before": now + wait}

    def _settle(self, connection: Connection, settled: Sequence[tuple[Errand, Mapping[str, Any]]]) -> Sequence[bool]:
        """Writes down how sendings ended; False for one whose claim was not ours any more."""
        found = rows.lock_many(connection, [errand.row.id for errand, _ in settled])
        ours = [
            (errand, result)
            for errand, result in settled
            if found[errand.row.id].token == errand.token and found[errand.row.id].row.state == "sending"
        ]
        rows.settle(connection, [(errand.row, result) for errand, result in ours])
        for errand, result in ours:
            if result["state"] in ("failed", "parked", "unknown"):
                self._tell_agents(connection, errand.row, errand.conversation, result["error"])
        kept = {errand.row.id for errand, _ in ours}
        return [errand.row.id in kept for errand, _ in settled]

    def _tell_agents(self, connection: Connection, row: OutboxRow, conversation: ConversationRow, reason: str) -> None:
        if conversation.owner == ANNOUNCER:  # its own page tells: nobody has to do anything about one of thousands
            rows.change(connection, row.id, settled_at=self.clock())
            return
        note = {"outbox_id": row.id, "reason": reason}
        repository.add_note(connection, row.conversation_id, "not_reached", at=self.clock(), data=note)


def _outbound(errand: Errand, unsubscribe: str) -> OutboundMessage:
    row, conversation = errand.row, errand.conversation
    return OutboundMessage(
        outbox_id=row.id,
        message_id=row.message_id,
        conversation_id=conversation.id,
        conversation_key=conversation.key,
        recipient=conversation.recipient,
        seq=row.seq,
        author=Author(row.author),
        author_name=row.author_name,
        text=row.text,
        language=row.language,
        buttons=[(name, title) for name, title in row.buttons],
        thread=conversation.thread,
        subject=conversation.subject,
        unsubscribe=unsubscribe,
        case_number=errand.case_number,
        automatic=row.author != Author.AGENT,
        created_at=row.created_at,
    )
