"""How far each feed has been read, and which stretches of time nobody read: durable, in one small file."""

from __future__ import annotations

import asyncio
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import structlog

from channels.monitor.durable import Damaged, read_json, write_json
from channels.monitor.parts import whole
from channels.monitor.positions import Scale

FILE = "feeds.json"
QUIET_SECONDS = 3600.0
"""A mark that moved by time alone, not by posts, is written down this often."""
MANY_GAPS = 20
SHOWN = timedelta(days=7)
"""How long after its end a gap is shown to operators."""

log = structlog.get_logger()


class Marks:
    """Everything up to a feed's mark is stored. Marks only move forward."""

    def __init__(self, folder: Path, scale: Scale) -> None:
        self._path = folder / FILE
        self.scale = scale
        self._feeds: dict[str, int] = {}
        self._written: dict[str, int] = {}
        self._gaps: list[tuple[str, int, int]] = []
        self.damaged = False
        """The file could not be read at the start and was put aside."""

    async def load(self) -> None:
        """Raises OSError. A damaged file is put aside: what is read again is recognised."""
        try:
            kept = await asyncio.to_thread(read_json, self._path)
        except Damaged:
            log.error("feed_marks_damaged", channel=self._path.parent.name)
            await asyncio.to_thread(self._path.rename, self._path.with_suffix(".damaged"))
            self.damaged, kept = True, {}
        feeds = kept.get("feeds")
        marks = {name: whole(mark) for name, mark in feeds.items()} if isinstance(feeds, dict) else {}
        self._feeds = {name: mark for name, mark in marks.items() if mark is not None}
        self._written = dict(self._feeds)
        gaps = kept.get("gaps")
        self._gaps = [gap for each in (gaps if isinstance(gaps, list) else []) if (gap := _gap(each))]

    def get(self, feed: str) -> int | None:
        return self._feeds.get(feed)

    async def move(self, feed: str, mark: int, *, quiet: bool = False) -> None:
        """`quiet`: losing this step would only cost another look. Raises OSError."""
        if mark <= self._feeds.get(feed, -1):
            return
        self._feeds[feed] = mark
        step = self.scale.time(mark) - self.scale.time(self._written.get(feed, 0))
        if not quiet or step > timedelta(seconds=QUIET_SECONDS):
            await self._write()

    async def missing(self, feed: str, after: int, until: int) -> None:
        """Nobody read what was posted in between, and nobody can any more. Raises OSError."""
        begin, end = (self.scale.time(position).isoformat() for position in (after, until))
        log.error("feed_gap", channel=self._path.parent.name, feed=feed, after=begin, until=end)
        self._gaps = [*self._gaps, (feed, after, until)][-MANY_GAPS:]
        await self._write()

    def gaps(self, now: datetime) -> list[tuple[str, datetime, datetime]]:
        """Those whose end is at most 14 days ago: the seven days that X can be searched back, and `SHOWN`."""
        time, oldest = self.scale.time, self.scale.at(now - SHOWN - timedelta(days=7))
        return [(feed, time(after), time(until)) for feed, after, until in self._gaps if until >= oldest]

    async def _write(self) -> None:
        feeds = dict(self._feeds)
        gaps = [[feed, str(after), str(until)] for feed, after, until in self._gaps]
        value = {"feeds": {feed: str(mark) for feed, mark in feeds.items()}, "gaps": gaps}
        await asyncio.to_thread(write_json, self._path, value)
        self._written = feeds


def _gap(value: Any) -> tuple[str, int, int] | None:
    if not isinstance(value, list) or len(value) != 3 or not isinstance(value[0], str):
        return None
    after, until = whole(value[1]), whole(value[2])
    return None if after is None or until is None else (value[0], after, until)
