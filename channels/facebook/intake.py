"""From a delivery to stored messages. What the looks for missed things find leads through the same receivers."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Awaitable

import structlog

from channels.contract import Accept
from channels.facebook.events import Splitter
from channels.facebook.watch import Watch
from channels.faults import NotStored
from channels.monitor.receive import Receiver

CHANNEL = "facebook"
WEBHOOK = "webhook"
ANSWER_SECONDS = 15.0
"""Then a delivery counts as not stored; a commit that comes later is recognised when it comes again."""
STOP_SECONDS = 4.5
RETRY_SECONDS = 5.0
"""When to come again after a fault of ours that named no time."""

log = structlog.get_logger()


class Intake:
    def __init__(self, page_id: str, own_ids: frozenset[str], accept: Accept, splitter: Splitter, watch: Watch) -> None:
        self._splitter = splitter
        self._watch = watch

        def own(author_id: str, _name: str) -> bool:
            return author_id == page_id or author_id in own_ids

        self.messages = Receiver(CHANNEL, page_id, own, accept)
        self.comments = Receiver(CHANNEL, f"{page_id}:public", own, accept)
        self._odd = Receiver(CHANNEL, f"{page_id}:odd", own, accept)
        self._in_hand: set[asyncio.Task[None]] = set()
        self._stopping = False
        self.refused: Counter[str] = Counter()
        """What was not stored since the start, by reason, besides what the receivers count."""

    def start(self) -> None:
        self._stopping = False

    async def take(self, body: bytes) -> None:
        """Returns when all that is to be kept is on disk. Raises NotStored; some of it may be stored."""
        if self._stopping:
            raise NotStored("the channel is being stopped", RETRY_SECONDS)
        batch = self._splitter.batch(body)
        self._watch.webhook_came()
        self.refused.update(batch.ignored)
        await self._finished(
            self._all(
                self.messages.take(batch.messages, WEBHOOK),
                self.comments.take(batch.comments, WEBHOOK),
                self._odd.take(batch.odd, WEBHOOK),
            )
        )

    async def stop(self) -> None:
        """Takes no more, and waits until what is being stored is stored or refused."""
        self._stopping = True
        if self._in_hand:
            _, left = await asyncio.wait(self._in_hand, timeout=STOP_SECONDS)
            if left:
                log.warning("facebook_stop_incomplete", storing=len(left))

    def counts(self) -> dict[str, int]:
        return dict(self.refused + self.messages.refused + self.comments.refused)

    async def _all(self, *works: Awaitable[None]) -> None:
        """Each is finished, whatever becomes of the others. Raises NotStored."""
        outcomes = await asyncio.gather(*works, return_exceptions=True)
        if fault := next((outcome for outcome in outcomes if outcome is not None), None):
            raise fault

    async def _finished(self, work: Awaitable[None]) -> None:
        """A task of its own, so that a peer that hangs up cannot interrupt the commit. Raises NotStored."""
        task = asyncio.ensure_future(work)
        self._in_hand.add(task)
        task.add_done_callback(self._done)
        try:
            await asyncio.wait_for(asyncio.shield(task), ANSWER_SECONDS)
        except NotStored:
            self.refused["not_stored"] += 1
            raise
        except TimeoutError as error:
            self.refused["not_stored"] += 1
            raise NotStored("the delivery could not be stored in time", RETRY_SECONDS) from error

    def _done(self, task: asyncio.Task[None]) -> None:
        self._in_hand.discard(task)
        if not task.cancelled() and (fault := task.exception()):
            log.warning("facebook_not_stored", fault=type(fault).__name__)
