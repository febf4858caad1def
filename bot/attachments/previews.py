"""Small pictures of pictures, drawn by us: kept beside the evidence, made again when they are gone."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from bot.attachments.look import Unexamined, look_into
from bot.files import Files, write_whole

AT_ONCE = 2


class Previews:
    """One look answers both what a file is and how it looks."""

    def __init__(self, folder: Path, evidence: Files) -> None:
        self._folder = folder
        self._evidence = evidence
        self._looking = asyncio.Semaphore(AT_ONCE)
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)

    async def look(self, digest: str) -> Mapping[str, Any]:
        """What the file is; its picture, if it has one, is kept. Raises Unexamined, OSError."""
        async with self._looking:
            facts, picture = await look_into(self._evidence.path(digest))
        if picture:
            await asyncio.to_thread(self._keep, digest, picture)
        return facts

    async def of(self, digest: str) -> bytes | None:
        """A PNG; None when there is none, or none can be made now."""
        try:
            return await asyncio.to_thread(self._path(digest).read_bytes)
        except OSError:
            pass
        try:  # a back-up does not hold it
            await self.look(digest)
            return await asyncio.to_thread(self._path(digest).read_bytes)
        except (Unexamined, OSError):
            return None

    def _keep(self, digest: str, picture: bytes) -> None:
        self._path(digest).parent.mkdir(exist_ok=True, mode=0o700)
        write_whole(self._path(digest), picture)

    def _path(self, digest: str) -> Path:
        return self._folder / digest[:2] / f"{digest}.png"
