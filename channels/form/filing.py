"""From a form to a stored complaint: its files, then `accept`, and only then may anybody read "saved"."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from channels.contract import Accept, InboundMessage, Transcript
from channels.faults import NotStored
from channels.form.fields import Fault, Filled
from channels.form.reading import digest, written
from channels.form.settings import FormSettings
from channels.live_contract import Receipt, Upload, UploadRefused, Uploads
from channels.web.body import Body

CHANNEL = "form"


@dataclass(frozen=True, kw_only=True)
class Files:
    """What is here of the files of a form, and why others are not."""

    here: Sequence[Upload]
    faults: Sequence[Fault]


class Filing:
    def __init__(self, settings: FormSettings, accept: Accept, uploads: Uploads, transcript: Transcript) -> None:
        self._settings = settings
        self._accept = accept
        self._uploads = uploads
        self._transcript = transcript
        self._in_hand = 0
        self._idle = asyncio.Event()
        self._idle.set()
        self._shut = False

    async def stop(self) -> None:
        """Takes no more forms, and waits for those in hand."""
        self._shut = True
        await self._idle.wait()

    @property
    def is_shut(self) -> bool:
        return self._shut

    async def take_files(self, key: str, body: Body) -> Files:
        """Keeps what came with the form and finds what came ahead of it. Raises NotStored."""
        here: list[Upload] = []
        faults: list[Fault] = []
        wanted = tuple(dict.fromkeys(body.uploads))
        if len(wanted) + len(body.files) > self._settings.max_files:
            faults.append(Fault(key="fault_too_many"))
        room = self._settings.max_files
        for one in [*wanted, *body.files][:room]:
            try:
                here.append(await self._file(key, one))
            except UploadRefused as refused:
                faults.append(Fault(key=f"error_{refused.fault.value}", field="files"))
        return Files(here=here, faults=tuple(dict.fromkeys(faults)))

    async def _file(self, key: str, given: Any) -> Upload:
        if isinstance(given, str):
            return await self._uploads.find(key, given)
        limits = self._settings.upload_limits
        begun = await self._uploads.begin(key, given.name, given.size, limits)
        return await self._uploads.append(key, begun.id, 0, given.pieces(), limits)

    async def store(self, key: str, filled: Filled, language: str, files: Sequence[Upload]) -> None:
        """Returns when the complaint is durable. Raises NotStored, and UploadRefused when a file is missing.

        A form is one message, however often it is sent. Only when something else stands in it is it another one, of
        the same conversation: what somebody corrects after going back is not thrown away.
        """
        async with self._held():
            claimed = await self._uploads.claim(key, [file.id for file in files], key) if files else ()
            raw = written(filled, language, claimed)
            message = _inbound(key, key, raw, language, claimed)
            accepted = await self._accept(message)
            if not accepted.duplicate:
                return
            known = await self._transcript.receipt(key)
            if known is None or known.raw_sha256 != digest(raw):
                await self._accept(_inbound(key, f"{key}.{digest(raw)[:32]}", raw, language, claimed))

    async def receipt(self, key: str, seconds: float) -> Receipt | None:
        """What became of the form; waits up to `seconds` for its case number."""
        async with self._transcript.changes(key) as changes:
            found = await self._transcript.receipt(key)
            try:
                async with asyncio.timeout(seconds):
                    while found is not None and not found.number:
                        await anext(changes)
                        found = await self._transcript.receipt(key)
            except TimeoutError:
                pass
        return found

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


def _inbound(key: str, external_id: str, raw: bytes, language: str, files: Sequence[Upload]) -> InboundMessage:
    return InboundMessage(
        channel=CHANNEL,
        external_id=external_id,
        conversation_key=key,
        sender=key,
        raw=raw,
        received_at=datetime.now(UTC),
        envelope={"files": [_described(file) for file in files]},
        language=language,
    )


def _described(file: Upload) -> dict[str, object]:
    return {
        "id": file.id,
        "name": file.filename,
        "size": file.size,
        "sha256": file.sha256,
        "type": file.content_type,
    }
