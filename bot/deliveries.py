"""Keeps sendings going: rows in the order of their conversations, a few at a time."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import timedelta

import structlog
from sqlalchemy import Connection

from bot.clock import Clock, pause_until
from bot.deliver import Deliverer
from bot.hub import OUTBOX, Hub
from bot.repository import outbox as rows
from bot.store.store import Store
from channels.faults import RetryLater

log = structlog.get_logger()


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
                pause = await self._start_due()
                try:
                    async with asyncio.timeout(pause):
                        await anext(woken)
                except TimeoutError:
                    continue

    async def drain(self, seconds: float) -> None:
        """Begins nothing that only waits in the outbox; waits for the sendings in hand.

        One that takes longer keeps its claim: it may arrive yet, and whoever takes it over then knows the rule.
        """
        try:
            async with asyncio.timeout(seconds):
                while self._sending:
                    await asyncio.wait(set(self._sending.values()))
        except TimeoutError:
            log.warning("sendings_broken_off", count=len(self._sending))

    async def _start_due(self) -> float:
        """Begins what there is room for. How many seconds later to look again."""
        try:
            due, pause = await self._store.read(self._look)
        except RetryLater as error:
            log.error("deliver_waits", reason=error.reason)
            return self._scan_seconds
        for outbox_id in due:
            if outbox_id not in self._sending and len(self._sending) < self._width:
                self._sending[outbox_id] = asyncio.create_task(self._send(outbox_id))
        return pause

    def _look(self, connection: Connection) -> tuple[Sequence[int], float]:
        """What is due, and how many seconds later what a dead sender left may be."""
        now = self._clock()
        orphaned = rows.next_orphan(connection, now, now + timedelta(seconds=self._scan_seconds))
        due = rows.sendable(connection, now, self._width * 2)
        return due, pause_until(orphaned, now, most=self._scan_seconds)

    async def _send(self, outbox_id: int) -> None:
        try:
            await self._deliverer.send(outbox_id)
        except RetryLater as error:
            log.error("deliver_waits", outbox_id=outbox_id, reason=error.reason)
        except Exception as error:
            log.error("delivery_broke", outbox_id=outbox_id, exc_info=error)
        finally:
            self._sending.pop(outbox_id, None)
