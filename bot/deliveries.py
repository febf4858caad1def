"""Keeps sendings going: rows in the order of their conversations, a few at a time."""

from __future__ import annotations

import asyncio

import structlog

from bot.clock import Clock
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
                await self._start_due()
                try:
                    async with asyncio.timeout(self._scan_seconds):
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
