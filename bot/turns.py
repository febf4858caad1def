"""Keeps turns going: claims conversations with waiting messages, renews leases while the work lasts."""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import timedelta
from functools import partial

import structlog
from sqlalchemy import Connection

from bot.clock import Clock, pause_until
from bot.finish import LeaseLost
from bot.inbox import Claim
from bot.repository import conversations
from bot.repository import inbox as inbox_rows
from bot.repository.conversations import Lease
from bot.store.store import Store
from bot.tokens import new_token
from bot.turn import Turner
from channels.faults import NotStored

log = structlog.get_logger()
ROOM = 8
"""Claims in hand, as a multiple of those that are worked on at a time: enough that nobody waits for the next scan,
few enough that memory has a bound and other processes get their share."""


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
        """What is in hand."""
        self._begun: set[Claim] = set()
        """That of it which has got a slot."""
        self._stopping = False
        self._more = False
        """More waits than we have taken."""
        self._free = asyncio.Event()
        self._returning: set[asyncio.Task[None]] = set()

    def has_room(self) -> bool:
        """Whether another claim may be taken with an accept; else the message is left to a scan, here or elsewhere.

        A refusal is remembered: our own scan follows as soon as there is room.
        """
        room = not self._stopping and len(self._work) < self._width * ROOM
        self._more = self._more or not room
        return room

    def start(self, claim: Claim) -> None:
        """Begins the work of a claim just taken, or gives it back at once when there is no room for it."""
        if not self.has_room():
            task = asyncio.create_task(self._give_back([claim]))
            self._returning.add(task)
            task.add_done_callback(self._returning.discard)
            return
        self._work[claim] = asyncio.create_task(self._run_claim(claim))

    async def run(self) -> None:
        """Looks for conversations that nobody works on: retries that are due, and what a dead worker left.

        At once after a full load, as soon as half of it is done; and when the next of them is known to come free.
        """
        while True:
            self._free.clear()
            pause = self._scan_seconds
            try:
                pause = await self._claim_waiting()
            except NotStored as error:
                log.error("turns_wait", reason=error.reason)
            try:
                async with asyncio.timeout(pause):
                    await self._free.wait()
            except TimeoutError:
                continue

    async def keep_leases(self) -> None:
        """The heartbeat: a third of the lease apart, so that two lost beats do no harm.

        What has waited for a slot from one beat to the next is given back: another process may have one.
        """
        waited: set[Claim] = set()
        while True:
            await asyncio.sleep(self._lease.total_seconds() / 3)
            try:
                await self._give_back(self._without_slot() & waited)
                if self._work:
                    await self._store.write(partial(self._renew, _tokens(self._work)))
            except NotStored as error:
                log.error("lease_not_renewed", reason=error.reason)
            waited = self._without_slot()

    async def drain(self, seconds: float) -> None:
        """Takes nothing more, gives back what has not begun, and waits for the turns in hand.

        What is not done in time is broken off and given back too: nothing of it is committed, and nobody died of it.
        """
        self._stopping = True
        try:
            async with asyncio.timeout(seconds):
                await self._give_back(self._without_slot())
                if underway := [*self._work.values(), *self._returning]:
                    await asyncio.wait(underway)
        except TimeoutError:
            log.warning("turns_broken_off", conversations=len(self._work))
            await self._give_back(list(self._work))

    async def _claim_waiting(self) -> float:
        """Begins what we have room for. How many seconds later to look again."""
        free = self._width - len(self._work)
        if free <= 0 or self._stopping:
            return self._scan_seconds
        waiting, pause = await self._store.read(partial(self._look, free))
        self._more = len(waiting) >= free
        ours = {claim.conversation_id for claim in self._work}
        # What is ours already has a heartbeat that is late; taking it again would be a second worker.
        tokens = {conversation_id: new_token() for conversation_id in waiting if conversation_id not in ours}
        if tokens:
            for conversation_id in await self._store.write(partial(self._take, tokens)):
                self.start(Claim(conversation_id, tokens[conversation_id]))
        return pause

    def _look(self, limit: int, connection: Connection) -> tuple[Sequence[int], float]:
        """What waits, and how many seconds later there may be more."""
        now = self._clock()
        waiting = conversations.claimable(connection, now, limit)
        free = conversations.next_free(connection, now, now + timedelta(seconds=self._scan_seconds))
        return waiting, pause_until(free, now, most=self._scan_seconds)

    def _renew(self, claims: Mapping[str, int], connection: Connection) -> None:
        conversations.renew_leases(connection, claims, self._clock() + self._lease)

    def _take(self, tokens: Mapping[int, str], connection: Connection) -> Iterable[int]:
        now = self._clock()
        leases = conversations.take_leases(connection, tokens, now, now + self._lease)
        for conversation_id, lease in leases.items():
            # The last worker died over this message; one that kills every worker must end up parked.
            row = inbox_rows.oldest_unfinished(connection, conversation_id) if lease is Lease.INHERITED else None
            if row is not None:
                inbox_rows.count_death(connection, row.id)
        return tuple(leases)

    def _without_slot(self) -> set[Claim]:
        return self._work.keys() - self._begun

    async def _give_back(self, claims: Collection[Claim]) -> None:
        """Breaks the work off, if it has begun, and lets the leases go in one statement."""
        if not claims:
            return
        self._more = True
        tasks = [task for claim in claims if (task := self._work.get(claim)) is not None]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        for claim in claims:
            self._ended(claim)  # a task that never ran a step does not do it itself
        try:
            await self._store.write(partial(conversations.release_leases, claims=_tokens(claims)))
        except NotStored as error:
            log.error("leases_not_released", count=len(claims), reason=error.reason)

    async def _run_claim(self, claim: Claim) -> None:
        if self._slots.locked():
            claim = replace(claim, first=None)  # by the time it has a slot, its case may be another
        try:
            async with self._slots:
                self._begun.add(claim)
                await self._turner.work(claim)
        except LeaseLost:
            log.info("lease_lost", conversation_id=claim.conversation_id)
        except NotStored as error:
            log.error("turn_waits", conversation_id=claim.conversation_id, reason=error.reason)
        except Exception as error:
            await self._note_failure(claim, error)
        finally:
            self._ended(claim)

    def _ended(self, claim: Claim) -> None:
        self._work.pop(claim, None)
        self._begun.discard(claim)
        if self._more and len(self._work) * 2 <= self._width:
            self._free.set()

    async def _note_failure(self, claim: Claim, error: Exception) -> None:
        try:
            await self._turner.note_failure(claim, error)
        except NotStored as fault:
            log.error("turn_waits", conversation_id=claim.conversation_id, reason=fault.reason)


def _tokens(claims: Iterable[Claim]) -> Mapping[str, int]:
    """Conversations by token: of one whose lease we lost and took again there are two claims."""
    return {claim.token: claim.conversation_id for claim in claims}
