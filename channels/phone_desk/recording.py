"""From what was keyed in to a stored complaint: its files, then `accept`, and only then may anybody read "saved"."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime

from channels.contract import ChannelContext, InboundMessage
from channels.faults import NotStored
from channels.live_contract import Upload, UploadLimits
from channels.phone_desk.reading import digest, written
from channels.record_contract import KeyedIn

CHANNEL = "phone_desk"


class Recording:
    """`channels.record_contract.Recorder`."""

    def __init__(self, max_files: int, limits: UploadLimits, context: ChannelContext) -> None:
        self._max_files = max_files
        self._limits = limits
        self._accept = context.accept
        self._uploads = context.uploads
        self._transcript = context.transcript
        self._in_hand = 0
        self._idle = asyncio.Event()
        self._idle.set()
        self._shut = False

    @property
    def max_files(self) -> int:
        return self._max_files

    @property
    def max_file_bytes(self) -> int:
        return self._limits.file_bytes

    async def stop(self) -> None:
        """Takes nothing more, and waits for what is in hand."""
        self._shut = True
        await self._idle.wait()

    async def keep(self, key: str, filename: str, size: int, pieces: AsyncIterator[bytes]) -> Upload:
        begun = await self._uploads.begin(key, filename, size, self._limits)
        return await self._uploads.append(key, begun.id, 0, pieces, self._limits)

    async def find(self, key: str, upload_id: str) -> Upload:
        return await self._uploads.find(key, upload_id)

    async def record(self, key: str, told: KeyedIn, upload_ids: Sequence[str]) -> int:
        async with self._held():
            files = await self._uploads.claim(key, upload_ids, key) if upload_ids else ()
            raw = written(told, files)
            accepted = await self._accept(_inbound(key, key, raw, told, files))
            if accepted.duplicate:
                known = await self._transcript.receipt(key)
                if known is None or known.raw_sha256 != digest(raw):
                    # What somebody corrects after going back is not thrown away.
                    accepted = await self._accept(_inbound(key, f"{key}.{digest(raw)[:32]}", raw, told, files))
            return accepted.conversation_id

    @asynccontextmanager
    async def _held(self) -> AsyncIterator[None]:
        if self._shut:
            raise NotStored("the desk is being stopped")
        self._in_hand += 1
        self._idle.clear()
        try:
            yield
        finally:
            self._in_hand -= 1
            if not self._in_hand:
                self._idle.set()


def _inbound(key: str, external_id: str, raw: bytes, told: KeyedIn, files: Sequence[Upload]) -> InboundMessage:
    """Received when it reached us: from that moment the clocks of the case run."""
    described = [
        {"id": file.id, "name": file.filename, "size": file.size, "sha256": file.sha256, "type": file.content_type}
        for file in files
    ]
    keyed_in = {"by": told.keyed_in_by, "at": datetime.now(UTC).isoformat()}
    return InboundMessage(
        channel=CHANNEL,
        external_id=external_id,
        conversation_key=key,
        sender=key,
        raw=raw,
        received_at=told.at,
        envelope={"files": described, "keyed_in": keyed_in},
        language=told.language,
    )
