"""Has every file scanned, after the commit that named it. While the scanner is down files wait, and none is lost.

A scanner that is gone is no file's fault: nothing is counted, and it is asked again with a growing pause. A file over
which a scanner that lives says nothing is tried a few times, then marked; a day later it is shown to it once more, for
the scanner's limits may be others by then.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import timedelta
from time import monotonic
from typing import Any

import structlog

from bot.attachments.announce import announce
from bot.attachments.scanner import NotScanned, Scanner, ScannerDown
from bot.clock import Clock
from bot.files import Files
from bot.hub import Hub
from bot.metrics import scanned
from bot.repository import file_checks
from bot.repository.file_checks import CheckRow
from bot.store.store import Store
from channels.faults import NotStored

log = structlog.get_logger()
BATCH = 20
MOST_ATTEMPTS = 5
PING_SECONDS = 10.0
"""How soon a scanner that is gone is noticed while no file comes."""
FIRST_PAUSE, LONGEST_PAUSE = 1.0, 60.0
"""Seconds until one that is down is asked again."""
FIRST_RETRY = timedelta(seconds=30)
FAILED_AGAIN = timedelta(hours=24)
DOWN = "the virus scanner does not answer; files wait unscanned and cannot be opened"


class Scans:
    """`seconds`: what the scanner is given for one file."""

    def __init__(
        self,
        store: Store,
        clock: Clock,
        hub: Hub,
        evidence: Files,
        scanner: Scanner,
        *,
        seconds: float,
        scan_seconds: float,
        elapsed: Callable[[], float] = monotonic,
    ) -> None:
        self._store = store
        self._clock = clock
        self._hub = hub
        self._evidence = evidence
        self._scanner = scanner
        self._claim = timedelta(seconds=seconds * 2 + 30)
        self._scan_seconds = scan_seconds
        self._elapsed = elapsed
        self._pause = 0.0
        self._ask_at = 0.0
        self.down = False

    def up(self) -> bool:
        return not self.down

    def trouble(self) -> str | None:
        return DOWN if self.down else None

    async def run(self) -> None:
        while True:
            try:
                await self.scan_due()
            except NotStored as error:
                log.error("scans_wait", reason=error.reason)
            await asyncio.sleep(self._scan_seconds)

    async def scan_due(self) -> int:
        """Scans what is due; how many files were judged."""
        if self._elapsed() < self._ask_at and self.down:
            return 0
        due = await self._store.read(lambda connection: file_checks.to_scan(connection, self._clock(), BATCH))
        try:
            if self.down or (not due and self._elapsed() >= self._ask_at):
                await self._scanner.ping()
                self._lives()
            return sum([await self._scan(row) for row in due])
        except ScannerDown:
            self._is_gone()
            return 0

    def _lives(self) -> None:
        if self.down:
            log.info("scanner_back")
        self.down, self._pause = False, 0.0
        self._ask_at = self._elapsed() + PING_SECONDS

    def _is_gone(self) -> None:
        if not self.down:
            log.error("scanner_down")
        scanned("down")
        self.down = True
        self._pause = min(self._pause * 2 or FIRST_PAUSE, LONGEST_PAUSE)
        self._ask_at = self._elapsed() + self._pause

    async def _scan(self, row: CheckRow) -> bool:
        """Whether it was judged. Raises ScannerDown; the file then waits for its next turn."""
        now = self._clock()
        if not await self._store.write(lambda c: file_checks.claim(c, row.sha256, now, now + self._claim, "scan")):
            return False
        try:
            values = await self._judged(row)
        except ScannerDown:
            await self._store.write(lambda c: file_checks.change(c, row.sha256, scan_at=now))
            raise
        await self._store.write(lambda c: file_checks.change(c, row.sha256, **values))
        await announce(self._store, self._hub, row.sha256)
        return "scan" in values

    async def _judged(self, row: CheckRow) -> dict[str, Any]:
        """What is to be written. Raises ScannerDown."""
        attempts = row.scan_attempts + 1
        try:
            verdict = await self._scanner.scan(self._evidence.path(row.sha256))
        except (NotScanned, OSError) as fault:
            final = isinstance(fault, NotScanned) and fault.final
            reason = fault.reason if isinstance(fault, NotScanned) else "the file cannot be read"
            log.warning("file_not_scanned", sha256=row.sha256, attempts=attempts, reason=reason)
            scanned("failed")
            if final or attempts >= MOST_ATTEMPTS:
                again = self._clock() + FAILED_AGAIN
                return {**self._ended("failed", reason, attempts), "scan_at": again}
            return {"scan_at": self._clock() + FIRST_RETRY * 2 ** (attempts - 1), "scan_attempts": attempts}
        state = "infected" if verdict.infected else "clean"
        scanned(state)
        if verdict.infected:
            log.warning("file_infected", sha256=row.sha256)
        return self._ended(state, verdict.finding, attempts)

    def _ended(self, state: str, finding: str, attempts: int) -> dict[str, Any]:
        return {"scan": state, "finding": finding, "scan_attempts": attempts, "scanned_at": self._clock()}
