"""Keeps turns going: claims conversations with waiting messages, renews leases while the work lasts."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from functools import partial

import structlog
from sqlalchemy import Connection

from bot.clock import Clock
from bot.finish import LeaseLost
from bot.inbox import Claim
from bot.repository import conversations
from bot.repository import inbox as inbox_rows
from bot.repository.conversations import Lease
from bot.store.store import Store
from bot.tokens import new_token
from bot.turn import Turner
from channels.contract import NotStored

log = structlog.get_logger()


class TurnRunner:
    """At most `width` conversations at a time; each of them by one worker, on this machine or another."""

    def __init__(
        self, turner: Turner, store: Store, clock: Clock, *, width: int, lease: timedelta, scan_seconds: float
    ):
        self._turner = turner
        self._store = store
        self._clock = clock
        self._lease = lease
        self._scan_seconds = scan_seconds
        self._slots = asyncio.Semaphore(width)
        self._width = width
        self._work: dict[Claim, asyncio.Task[None]] = {}

    def start(self, claim: Claim) -> None:
        """Begins the work of a claim just taken."""
        self._work[claim] = asyncio.create_task(self._run_claim(claim))

    async def run(self) -> None:
        """Looks for conversations that nobody works on: retries that are due, and what a dead worker left."""
        while True:
            try:
                await self._claim_waiting()
            except NotStored as error:
                log.error("turns_wait", reason=error.reason)
            await asyncio.sleep(self._scan_seconds)

    async def keep_leases(self) -> None:
        """The heartbeat: a third of the lease apart, so that two lost beats do no harm."""
        while True:
            await asyncio.sleep(self._lease.total_seconds() / 3)
            tokens = [claim.token for claim in self._work]
            if not tokens:
                continue
            try:
                await self._store.write(partial(self._renew, tokens))
            except NotStored as error:
                log.error("lease_not_renewed", reason=error.reason)

    async def drain(self) -> None:
        """Waits for the turns in hand."""
        await asyncio.gather(*self._work.values(), return_exceptions=True)

    async def _claim_waiting(self) -> None:
        free = self._width - len(self._work)
        if free <= 0:
            return
        waiting = await self._store.read(lambda connection: conversations.claimable(connection, self._clock(), free))
        ours = {claim.conversation_id for claim in self._work}
        for conversation_id in waiting:
            if conversation_id in ours:
                continue  # our own heartbeat is late; taking it again would be a second worker
            claim = Claim(conversation_id, new_token())
            if await self._store.write(partial(self._take, claim)):
                self.start(claim)

    def _renew(self, tokens: list[str], connection: Connection) -> None:
        conversations.renew_leases(connection, tokens, self._clock() + self._lease)

    def _take(self, claim: Claim, connection: Connection) -> bool:
        now = self._clock()
        lease = conversations.take_lease(connection, claim.conversation_id, claim.token, now, now + self._lease)
        if lease is Lease.INHERITED:
            # The last worker died over this message; one that kills every worker must end up parked.
            row = inbox_rows.oldest_unfinished(connection, claim.conversation_id)
            if row is not None:
                inbox_rows.count_death(connection, row.id)
        return lease is not Lease.HELD

    async def _run_claim(self, claim: Claim) -> None:
        try:
            async with self._slots:
                await self._turner.work(claim)
        except LeaseLost:
            log.info("lease_lost", conversation_id=claim.conversation_id)
        except NotStored as error:
            log.error("turn_waits", conversation_id=claim.conversation_id, reason=error.reason)
        except Exception as error:
            await self._note_failure(claim, error)
        finally:
            self._work.pop(claim, None)

    async def _note_failure(self, claim: Claim, error: Exception) -> None:
        try:
            await self._turner.note_failure(claim, error)
        except NotStored as fault:
            log.error("turn_waits", conversation_id=claim.conversation_id, reason=fault.reason)
