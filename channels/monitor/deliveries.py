"""What a network delivers to a webhook of ours: bodies within bounds, stored before 200, finished before a stop."""

from __future__ import annotations

import asyncio
import math
from collections import Counter
from collections.abc import Awaitable, Callable

import structlog
from starlette.requests import Request
from starlette.responses import Response

from channels.faults import NotStored

ANSWER_SECONDS = 15.0
"""Then a delivery counts as not stored; a commit that comes later is recognised when it comes again."""
STOP_SECONDS = 4.5
RETRY_SECONDS = 5.0
"""When to come again after a fault of ours that named no time."""

log = structlog.get_logger()


class Deliveries:
    """Those of one channel that are just being stored."""

    def __init__(self, channel: str) -> None:
        self._channel = channel
        self._in_hand: set[asyncio.Task[None]] = set()
        self._stopping = False
        self.refused: Counter[str] = Counter()
        """What was not taken since the start, by reason."""

    def start(self) -> None:
        self._stopping = False

    async def stored(self, store: Callable[[], Awaitable[None]]) -> None:
        """Runs `store` as a task of its own, so that a peer that hangs up cannot interrupt the commit. Raises
        NotStored."""
        if self._stopping:
            raise NotStored("the channel is being stopped", RETRY_SECONDS)
        task = asyncio.ensure_future(store())
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
        except OSError as error:
            self.refused["not_stored"] += 1
            raise NotStored(f"what is kept beside it could not be stored ({type(error).__name__})") from error

    async def stop(self) -> None:
        """Takes no more, and waits until what is being stored is stored or refused."""
        self._stopping = True
        if self._in_hand:
            _, left = await asyncio.wait(self._in_hand, timeout=STOP_SECONDS)
            if left:
                log.warning("deliveries_stop_incomplete", channel=self._channel, storing=len(left))

    def _done(self, task: asyncio.Task[None]) -> None:
        self._in_hand.discard(task)
        if not task.cancelled() and (fault := task.exception()):
            log.warning("delivery_not_stored", channel=self._channel, fault=type(fault).__name__)


async def body_of(request: Request, most: int) -> bytes | None:
    """None when it has more than `most` bytes. Raises ClientDisconnect."""
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > most:
            return None
    return bytes(body)


def later(fault: NotStored) -> Response:
    """503, and when to come again (RFC 9110 section 10.2.3)."""
    seconds = math.ceil(fault.after_seconds or RETRY_SECONDS)
    return Response(status_code=503, headers={"Retry-After": str(seconds)})
