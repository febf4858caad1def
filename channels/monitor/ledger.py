"""Whom we have replied to lately: at most once per author in 24 hours, and so many an hour. Durable before a post.

The file is the truth between processes: it is read and written under a lock. Blocking: call it in a thread.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import Enum, auto
from pathlib import Path
from typing import Any

from channels.monitor.durable import Damaged, locked, read_json, write_json

FILE = "replies.json"
DAY = timedelta(hours=24)
HOUR = timedelta(hours=1)


class Verdict(Enum):
    POST = auto()
    """Ours to post: nobody else will for this author and day."""
    POSTED = auto()
    """This very message was posted before."""
    BEGUN = auto()
    """This very message was begun before, and nobody knows how it ended."""
    ANSWERED = auto()
    """A reply to the author was posted, or tried and refused, within a day."""
    FULL = auto()
    """The hour's replies are used up."""


@dataclass(frozen=True)
class Ruling:
    verdict: Verdict
    post_id: str = ""
    """Of the reply, when it was posted."""
    seconds: float = 0.0
    """Until the hour has room again."""


class Ledger:
    def __init__(self, folder: Path, per_hour: int) -> None:
        self._path = folder / FILE
        self._lock = folder / "replies.lock"
        self._per_hour = per_hour

    def claim(self, author_id: str, message_id: str, now: datetime) -> Ruling:
        """Raises OSError, and Damaged: without the file nobody knows whom we have replied to."""
        with locked(self._lock):
            authors = self._recent(now)
            if (known := authors.get(author_id)) is not None:
                return _known(known, message_id)
            within = sorted(at for entry in authors.values() if now - (at := _at(entry)) < HOUR)
            if len(within) >= self._per_hour:
                return Ruling(Verdict.FULL, seconds=max(1.0, (within[-self._per_hour] + HOUR - now).total_seconds()))
            authors[author_id] = {"at": now.timestamp(), "message": message_id, "post": ""}
            write_json(self._path, authors)
            return Ruling(Verdict.POST)

    def posted(self, author_id: str, post_id: str, now: datetime) -> None:
        """Raises OSError and Damaged."""
        with locked(self._lock):
            authors = self._recent(now)
            if author_id in authors:
                authors[author_id]["post"] = post_id
                write_json(self._path, authors)

    def release(self, author_id: str, now: datetime) -> None:
        """It was surely not posted. Raises OSError and Damaged."""
        with locked(self._lock):
            authors = self._recent(now)
            if authors.pop(author_id, None) is not None:
                write_json(self._path, authors)

    def _recent(self, now: datetime) -> dict[str, Any]:
        """An entry of the future (the clock was set back) counts, too."""
        entries = read_json(self._path)
        if not all(isinstance(entry, dict) and isinstance(entry.get("at"), int | float) for entry in entries.values()):
            raise Damaged(FILE)
        return {author: entry for author, entry in entries.items() if now - _at(entry) < DAY}


def _at(entry: dict[str, Any]) -> datetime:
    return datetime.fromtimestamp(entry["at"], UTC)


def _known(entry: dict[str, Any], message_id: str) -> Ruling:
    if entry.get("message") != message_id:
        return Ruling(Verdict.ANSWERED)
    post_id = str(entry.get("post") or "")
    return Ruling(Verdict.POSTED, post_id=post_id) if post_id else Ruling(Verdict.BEGUN)
