"""From a delivery to stored messages. What the looks for missed things find leads through the same receivers."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable

from channels.contract import Accept
from channels.facebook.events import Batch, Splitter
from channels.facebook.watch import Watch
from channels.monitor.deliveries import Deliveries
from channels.monitor.receive import Receiver

CHANNEL = "facebook"
WEBHOOK = "webhook"


class Intake:
    def __init__(self, page_id: str, own_ids: frozenset[str], accept: Accept, splitter: Splitter, watch: Watch) -> None:
        self._splitter = splitter
        self._watch = watch

        def own(author_id: str, _name: str) -> bool:
            return author_id == page_id or author_id in own_ids

        self.messages = Receiver(CHANNEL, page_id, own, accept)
        self.comments = Receiver(CHANNEL, f"{page_id}:public", own, accept)
        self._odd = Receiver(CHANNEL, f"{page_id}:odd", own, accept)
        self._deliveries = Deliveries(CHANNEL)
        self.refused = self._deliveries.refused
        """What was not stored since the start, by reason, besides what the receivers count."""
        self.start, self.stop = self._deliveries.start, self._deliveries.stop

    async def take(self, body: bytes) -> None:
        """Returns when all that is to be kept is on disk. Raises NotStored; some of it may be stored."""
        batch = self._splitter.batch(body)
        await self._deliveries.stored(lambda: self._store(batch))

    def counts(self) -> dict[str, int]:
        return dict(self.refused + self.messages.refused + self.comments.refused)

    async def _store(self, batch: Batch) -> None:
        """Raises NotStored."""
        self._watch.delivered()
        self.refused.update(batch.ignored)
        await self._all(
            self.messages.take(batch.messages, WEBHOOK),
            self.comments.take(batch.comments, WEBHOOK),
            self._odd.take(batch.odd, WEBHOOK),
        )

    async def _all(self, *works: Awaitable[None]) -> None:
        """Each is finished, whatever becomes of the others. Raises NotStored."""
        outcomes = await asyncio.gather(*works, return_exceptions=True)
        if fault := next((outcome for outcome in outcomes if outcome is not None), None):
            raise fault
