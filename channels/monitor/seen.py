"""The posts that are stored, in one small file: what is known of them tells an edit from a second complaint.

The file is the truth between processes: it is read and written under a lock. Blocking: call it in a thread.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import structlog

from channels.monitor.durable import Damaged, locked, read_json, write_json
from channels.monitor.posts import Post

FILE = "seen.json"
MOST = 5_000
"""Posts; beyond, the oldest are let go, and an edit of one of them counts as a post of its own."""
KEPT = timedelta(days=30)
DELETED = "deleted"
HIDDEN = "hidden"
"""The network has the post and shows it no longer to us."""
PATIENCE = 4
"""A post is asked for again at most after a fourth of its age: most edits and deletions come early."""

log = structlog.get_logger()


@dataclass(frozen=True, kw_only=True)
class Seen:
    """A stored post with all its versions."""

    first: str
    author_id: str
    language: str
    at: datetime
    """When its first version was stored."""
    asked: datetime
    """When the network was last asked for it."""
    versions: Sequence[str]
    """The oldest first; DELETED and HIDDEN stand among them when that was recorded."""


class SeenPosts:
    def __init__(self, folder: Path, now: Callable[[], datetime]) -> None:
        self._path = folder / FILE
        self._lock = folder / "seen.lock"
        self._now = now
        self.damaged = False
        """The file could not be read and was put aside."""

    def changed(self, posts: Iterable[Post]) -> set[str]:
        """Ids of those that are later versions of others, which are stored or come before them. Raises OSError."""
        with locked(self._lock):
            kept = self._read()
        versions = {first: set(entry["versions"]) for first, entry in kept.items()}
        changed = set()
        for post in posts:
            known = versions.setdefault(post.original, set())
            if _written(known) and post.edition not in known:
                changed.add(post.id)
            known.add(post.edition)
        return changed

    def add(self, posts: Iterable[Post]) -> None:
        """They are stored now. Raises OSError."""
        now = self._now().timestamp()
        with locked(self._lock):
            kept = self._read()
            before = sum(len(entry["versions"]) for entry in kept.values())
            for post in posts:
                new: dict[str, Any] = {
                    "author": post.author_id,
                    "language": post.language,
                    "at": now,
                    "asked": now,
                    "versions": [],
                }
                versions = kept.setdefault(post.original, new)["versions"]
                # Under the original's own id nothing further is stored: that version is still to come.
                if post.edition not in versions and (not _written(versions) or post.id != post.original):
                    versions.append(post.edition)
            if sum(len(entry["versions"]) for entry in kept.values()) > before:
                self._write(kept)

    def having(self, version: str) -> Seen | None:
        """The stored post that has this version. Raises OSError."""
        with locked(self._lock):
            kept = self._read()
        return next((_seen(first, entry) for first, entry in kept.items() if version in entry["versions"]), None)

    def due(self, age: timedelta, every: timedelta, most: int) -> list[Seen]:
        """Those not older than `age` that were not asked for lately, the longest waiting first. Raises OSError."""
        now = self._now()
        with locked(self._lock):
            kept = self._read()
        known = [_seen(first, entry) for first, entry in kept.items()]
        waiting = [
            seen
            for seen in known
            if DELETED not in seen.versions
            and (old := abs(now - seen.at)) <= age  # the clock may have been set back
            and abs(now - seen.asked) >= max(every, old / PATIENCE)
        ]
        return sorted(waiting, key=lambda seen: seen.asked)[:most]

    def asked(self, seen: Iterable[Seen]) -> None:
        """Raises OSError."""
        now = self._now().timestamp()
        with locked(self._lock):
            kept = self._read()
            for each in seen:
                if each.first in kept:
                    kept[each.first]["asked"] = now
            self._write(kept)

    def _read(self) -> dict[str, Any]:
        """A damaged file is put aside: what is read again is recognised by its id."""
        try:
            kept = read_json(self._path)
            if not all(_is_whole(entry) for entry in kept.values()):
                raise Damaged(FILE)
        except Damaged:
            log.error("seen_posts_damaged", channel=self._path.parent.name)
            self._path.rename(self._path.with_suffix(".damaged"))
            self.damaged, kept = True, {}
        return kept

    def _write(self, kept: dict[str, Any]) -> None:
        oldest = (self._now() - KEPT).timestamp()
        recent = sorted((item for item in kept.items() if item[1]["at"] >= oldest), key=lambda item: -item[1]["at"])
        write_json(self._path, dict(recent[:MOST]))


def _is_whole(entry: Any) -> bool:
    return (
        isinstance(entry, dict)
        and all(isinstance(entry.get(name), int | float) for name in ("at", "asked"))
        and isinstance(entry.get("author"), str)
        and isinstance(entry.get("versions"), list)
        and all(isinstance(version, str) for version in entry["versions"])
    )


def _written(versions: Iterable[str]) -> set[str]:
    """By the author: a network may tell of a removal before it tells of the post."""
    return set(versions) - {DELETED, HIDDEN}


def _seen(first: str, entry: dict[str, Any]) -> Seen:
    return Seen(
        first=first,
        author_id=entry["author"],
        language=str(entry.get("language") or "en"),
        at=datetime.fromtimestamp(entry["at"], UTC),
        asked=datetime.fromtimestamp(entry["asked"], UTC),
        versions=tuple(entry["versions"]),
    )
