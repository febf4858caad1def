"""Keeps sendings going: rows in the order of their conversations, a few at a time, and what a turn has just said."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Sequence
from typing import Any

import structlog

from bot.clock import Clock
from bot.deliver import Deliverer, Errand
from bot.hub import OUTBOX, Hub
from bot.repository import outbox as rows
from bot.store.store import Store
from channels.contract import RetryLater

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

    async def drain(self) -> None:
        """Sends what is due now, and waits for the sendings in hand."""
        await self._start_due()
        await asyncio.gather(*self._sending.values(), return_exceptions=True)

    def carry(self, errands: Sequence[Errand]) -> None:
        """Sends what a turn has just said and claimed, without a look at the outbox."""
        if errands:
            self._begin([errand.row.id for errand in errands], self._deliverer.carry(errands))

    async def _start_due(self) -> None:
        try:
            due = await self._store.read(lambda connection: rows.sendable(connection, self._clock(), self._width * 2))
        except RetryLater as error:
            log.error("deliver_waits", reason=error.reason)
            return
        for outbox_id in due:
            if outbox_id not in self._sending and len(self._sending) < self._width:
                self._begin([outbox_id], self._deliverer.send(outbox_id))

    def _begin(self, outbox_ids: Sequence[int], work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(self._send(outbox_ids, work))
        self._sending.update(dict.fromkeys(outbox_ids, task))

    async def _send(self, outbox_ids: Sequence[int], work: Coroutine[Any, Any, None]) -> None:
        try:
            await work
        except RetryLater as error:
            log.error("deliver_waits", outbox_ids=outbox_ids, reason=error.reason)
        except Exception as error:
            log.error("delivery_broke", outbox_ids=outbox_ids, exc_info=error)
        finally:
            for outbox_id in outbox_ids:
                self._sending.pop(outbox_id, None)
