"""Outbox row -> channel, in order per conversation, with back-off. Ownership is checked again right before sending."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import structlog
from sqlalchemy import Connection

from bot.clock import Clock
from bot.hub import OUTBOX, QUEUE, Hub, conversation_topic
from bot.inbox import new_token
from bot.repository import conversations
from bot.repository import outbox as rows
from bot.repository.conversations import ConversationRow
from bot.repository.outbox import OutboxRow
from bot.store.store import Store
from channels.contract import Author, Channel, NeedsPerson, OutboundMessage, OutcomeUnknown, Rejected, RetryLater
from escalation import repository

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

    async def send(self, outbox_id: int) -> None:
        """Sends one row if it is still to be sent. Raises NotStored when the store is out of order."""
        errand = await self.store.write(lambda connection: self._claim(connection, outbox_id))
        if errand.token:
            result = await self._try(errand)
            kept = await self.store.write(lambda connection: self._settle(connection, errand, result))
            log.info("delivery", outbox_id=outbox_id, state=result["state"], kept=kept, attempts=errand.row.attempts)
        conversation = errand.conversation
        self.hub.publish(OUTBOX, QUEUE, conversation_topic(conversation.channel, conversation.key))

    async def renew(self, outbox_ids: Sequence[int]) -> None:
        """Keeps the claims of sendings that take long."""
        if outbox_ids:
            until = self.clock() + self.lease
            await self.store.write(lambda connection: rows.renew(connection, outbox_ids, until))

    def _claim(self, connection: Connection, outbox_id: int) -> Errand:
        now = self.clock()
        row, lease_until = rows.lock(connection, outbox_id)
        orphaned = row.state == "sending" and lease_until is not None and lease_until < now
        conversation = conversations.get(connection, row.conversation_id)
        nothing = Errand(token="", row=row, conversation=conversation, case_number=None)
        if row.state != "new" and not orphaned:
            return nothing
        if row.owner_epoch is not None and row.owner_epoch != conversation.owner_epoch:
            rows.change(connection, row.id, state="dropped", error=rows.TOOK_OVER)
            return nothing
        if orphaned and not self._may_repeat(row, conversation):
            rows.change(connection, row.id, state="unknown", error=INTERRUPTED)
            self._tell_agents(connection, row, INTERRUPTED)
            return nothing
        token = new_token()
        rows.change(connection, row.id, state="sending", token=token, lease_until=now + self.lease)
        number = None if conversation.case_id is None else repository.get(connection, conversation.case_id).number
        return Errand(token=token, row=row, conversation=conversation, case_number=number)

    def _may_repeat(self, row: OutboxRow, conversation: ConversationRow) -> bool:
        """After a crash in mid-send an automatic answer is not risked twice; a person's words are (same id)."""
        return row.author == Author.AGENT or self.channels[conversation.channel].capabilities.repeat_harmless

    async def _try(self, errand: Errand) -> dict[str, Any]:
        """How the sending ended, as column values."""
        row = errand.row
        try:
            receipt = await self.channels[errand.conversation.channel].send(_outbound(errand))
        except RetryLater as error:
            return self._later(row, error.reason, error.after_seconds)
        except OutcomeUnknown as error:
            return self._unknown(row, error.reason)
        except NeedsPerson as error:
            return {"state": "parked", "error": error.reason}
        except Rejected as error:
            return {"state": "failed", "error": error.reason}
        except Exception as error:
            log.error("send_broke", outbox_id=row.id, error=type(error).__name__, exc_info=error)
            return self._later(row, type(error).__name__, None)
        return {"state": "sent", "sent_at": self.clock(), "peer_id": receipt.peer_id[:255], "error": None}

    def _unknown(self, row: OutboxRow, reason: str) -> dict[str, Any]:
        """It may have arrived. A person's words go again under the same message id; an automatic answer does not."""
        if row.author == Author.AGENT:
            return self._later(row, reason, None)
        return {"state": "unknown", "error": reason}

    def _later(self, row: OutboxRow, reason: str, after_seconds: float | None) -> dict[str, Any]:
        now = self.clock()
        if now - row.created_at > GIVE_UP_AFTER:
            return {"state": "parked", "error": f"not accepted for {GIVE_UP_AFTER.days} days: {reason}"}
        wait = back_off(row.attempts)
        if after_seconds is not None:
            wait = max(wait, min(timedelta(seconds=after_seconds), LONGEST_WISH))
        return {"state": "new", "attempts": row.attempts + 1, "error": reason, "not_before": now + wait}

    def _settle(self, connection: Connection, errand: Errand, result: Mapping[str, Any]) -> bool:
        if not rows.settle(connection, errand.row.id, errand.token, **result):
            return False
        if result["state"] in ("failed", "parked", "unknown"):
            self._tell_agents(connection, errand.row, result["error"])
        return True

    def _tell_agents(self, connection: Connection, row: OutboxRow, reason: str) -> None:
        note = {"outbox_id": row.id, "reason": reason}
        repository.add_note(connection, row.conversation_id, "not_reached", at=self.clock(), data=note)


def _outbound(errand: Errand) -> OutboundMessage:
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
        case_number=errand.case_number,
        automatic=row.author != Author.AGENT,
        created_at=row.created_at,
    )


class DeliveryRunner:
    """Keeps up to `width` sendings going; woken by the hub, with a scan as backstop."""

    def __init__(self, deliverer: Deliverer, store: Store, clock: Clock, hub: Hub, width: int, scan_seconds: float):
        self._deliverer = deliverer
        self._store = store
        self._clock = clock
        self._hub = hub
        self._width = width
        self._scan_seconds = scan_seconds
        self._sending: dict[int, asyncio.Task[None]] = {}

    async def keep_leases(self) -> None:
        """A slow peer may take longer than a lease: while we wait for it, nobody else may send."""
        while True:
            await asyncio.sleep(self._deliverer.lease.total_seconds() / 3)
            try:
                await self._deliverer.renew(list(self._sending))
            except RetryLater as error:
                log.error("lease_not_renewed", reason=error.reason)

    async def run(self) -> None:
        async with self._hub.watch(OUTBOX) as woken:
            while True:
                await self._start_due()
                try:
                    async with asyncio.timeout(self._scan_seconds):
                        await anext(woken)
                except TimeoutError:
                    continue

    async def drain(self) -> None:
        """Sends what is due now, and waits for the sendings in hand."""
        await self._start_due()
        await asyncio.gather(*self._sending.values(), return_exceptions=True)

    async def _start_due(self) -> None:
        try:
            due = await self._store.read(lambda connection: rows.sendable(connection, self._clock(), self._width * 2))
        except RetryLater as error:
            log.error("deliver_waits", reason=error.reason)
            return
        for outbox_id in due:
            if outbox_id not in self._sending and len(self._sending) < self._width:
                self._sending[outbox_id] = asyncio.create_task(self._send(outbox_id))

    async def _send(self, outbox_id: int) -> None:
        try:
            await self._deliverer.send(outbox_id)
        except RetryLater as error:
            log.error("deliver_waits", outbox_id=outbox_id, reason=error.reason)
        except Exception as error:
            log.error("delivery_broke", outbox_id=outbox_id, exc_info=error)
        finally:
            self._sending.pop(outbox_id, None)
