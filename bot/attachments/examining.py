"""Looks into files after the commit that named them: type, warnings, contents of archives, a preview."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import structlog

from bot.attachments.announce import announce
from bot.attachments.look import Unexamined
from bot.attachments.previews import Previews
from bot.clock import Clock
from bot.hub import Hub
from bot.repository import file_checks
from bot.repository.file_checks import CheckRow
from bot.store.store import Store
from channels.faults import NotStored

log = structlog.get_logger()
BATCH = 20
CLAIM = timedelta(minutes=2)
"""Longer than a look may take; when the process dies, another look follows after it."""
AGAIN = timedelta(minutes=5)
MOST_ATTEMPTS = 3
UNEXAMINED: Mapping[str, Any] = {"marks": ["unexamined"]}


class Examiner:
    def __init__(self, store: Store, clock: Clock, hub: Hub, previews: Previews, scan_seconds: float) -> None:
        self._store = store
        self._clock = clock
        self._hub = hub
        self._previews = previews
        self._scan_seconds = scan_seconds

    async def run(self) -> None:
        while True:
            try:
                await self.examine_due()
            except NotStored as error:
                log.error("examiner_waits", reason=error.reason)
            await asyncio.sleep(self._scan_seconds)

    async def examine_due(self) -> int:
        """Looks into everything that is due; how many files that were."""
        due = await self._store.read(lambda connection: file_checks.to_examine(connection, self._clock(), BATCH))
        for row in due:
            await self._examine(row)
        return len(due)

    async def _examine(self, row: CheckRow) -> None:
        now = self._clock()
        if not await self._store.write(lambda c: file_checks.claim(c, row.sha256, now, now + CLAIM, "examine")):
            return
        attempts = row.examine_attempts + 1
        try:
            values: dict[str, Any] = {"facts": dict(await self._previews.look(row.sha256)), "examined": True}
        except (Unexamined, OSError) as error:
            log.warning("file_not_examined", sha256=row.sha256, attempts=attempts, fault=type(error).__name__)
            if attempts < MOST_ATTEMPTS:
                values = {"examine_at": self._clock() + AGAIN}
            else:
                values = {"facts": dict(UNEXAMINED), "examined": True}
        values["examine_attempts"] = attempts
        await self._store.write(lambda c: file_checks.change(c, row.sha256, **values))
        await announce(self._store, self._hub, row.sha256)
