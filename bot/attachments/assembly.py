"""Puts together what looks after people's files; the composition root keeps it as one part."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass

from bot.attachments.examining import Examiner
from bot.attachments.previews import Previews
from bot.attachments.scanner import Scanner
from bot.attachments.scanning import Scans
from bot.clock import Clock
from bot.files import Files
from bot.hub import Hub
from bot.settings import Settings
from bot.store.store import Store


@dataclass(frozen=True, kw_only=True)
class FileCare:
    previews: Previews
    examiner: Examiner
    scans: Scans | None
    """None when no virus scanner is configured."""

    @property
    def scanning(self) -> bool:
        return self.scans is not None

    @property
    def scanner_up(self) -> Callable[[], bool] | None:
        """None when no virus scanner is configured."""
        return None if self.scans is None else self.scans.up

    @property
    def troubles(self) -> Mapping[str, Callable[[], str | None]]:
        return {} if self.scans is None else {"scanner": self.scans.trouble}

    @property
    def loops(self) -> Mapping[str, Callable[[], Awaitable[None]]]:
        scanning = {} if self.scans is None else {"file scans": self.scans.run}
        return {"file examiner": self.examiner.run, **scanning}


def build(settings: Settings, store: Store, clock: Clock, hub: Hub, evidence: Files) -> FileCare:
    previews, every = Previews(settings.data_dir / "previews", evidence), settings.work.scan_seconds
    return FileCare(
        previews=previews,
        examiner=Examiner(store, clock, hub, previews, every),
        scans=_scans(settings, store, clock, hub, evidence),
    )


def _scans(settings: Settings, store: Store, clock: Clock, hub: Hub, evidence: Files) -> Scans | None:
    if (address := settings.files.scanner) is None:
        return None
    seconds = settings.files.scan_seconds
    scanner = Scanner(*address, seconds)
    every = settings.work.scan_seconds
    return Scans(store, clock, hub, evidence, scanner, seconds=seconds, scan_seconds=every)
