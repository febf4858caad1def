"""Files that come in pieces ahead of their message: kept on disk across restarts, given to one message, or thrown away.

A piece counts when its bytes are synced and then its length committed; what a crash or a fault leaves beyond that is
cut off and sent again. A complete file waits in the folder of uploads and moves into the evidence store when a message
names it, so that what nobody names can be thrown away.
"""

from __future__ import annotations

import asyncio
import errno
import secrets
from collections.abc import AsyncIterator, Coroutine, Sequence
from contextlib import suppress
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import structlog
from sqlalchemy import Connection

from bot import filenames, upload_room
from bot.clock import Clock
from bot.files import Files, sync_folder
from bot.partial import Busy, Partial
from bot.repository import file_checks, timers
from bot.repository import uploads as rows
from bot.repository.timers import TimerRow
from bot.repository.uploads import UploadRow
from bot.store.store import Store
from bot.understanding.secrets import redact
from channels.faults import NotStored
from channels.live_contract import Upload, UploadFault, UploadLimits, UploadRefused

log = structlog.get_logger()
LIFE = timedelta(hours=24)
"""How long a complete file waits for its message."""
STALL = timedelta(minutes=10)
"""How long an incomplete one waits for its next piece: a file that does not come must keep no room from the others."""
PIECE_BYTES = 1024 * 1024
"""After so many bytes what came is made safe, and it is what one upload holds in memory."""
EXPIRY_TIMER = "upload_expiry"


class ChannelUploads:
    """`channels.live_contract.Uploads` of one channel."""

    def __init__(
        self, channel: str, store: Store, folder: Path, evidence: Files, clock: Clock, *, scanning: bool = False
    ) -> None:
        """`scanning`: a virus scanner is configured, and no file is handed out before its word."""
        self._channel = channel
        self._store = store
        self._folder = folder
        self._evidence = evidence
        self._clock = clock
        self._scanning = scanning
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)

    async def begin(self, conversation_key: str, filename: str, size: int, limits: UploadLimits) -> Upload:
        if size <= 0:
            raise UploadRefused(UploadFault.EMPTY)
        if size > limits.file_bytes:
            raise UploadRefused(UploadFault.TOO_LARGE)
        await asyncio.to_thread(upload_room.insist_on_disk, self._folder, size, limits)
        upload_id, name, now = secrets.token_hex(16), redact(filenames.clean(filename)).text, self._clock()

        def add(connection: Connection) -> UploadRow:
            upload_room.insist_on_share(connection, self._channel, conversation_key, size, limits, now)
            upload_room.insist_on_room(connection, size, limits)
            rows.add(
                connection,
                id=upload_id,
                channel=self._channel,
                conversation_key=conversation_key,
                filename=name,
                size=size,
                created_at=now,
                expires_at=now + STALL,
            )
            timers.set_timer(connection, EXPIRY_TIMER, upload_id, now + STALL, {})
            return self._known(connection, conversation_key, upload_id)

        return _shown(await self._store.write(add))

    async def find(self, conversation_key: str, upload_id: str) -> Upload:
        return _shown(await self._row(conversation_key, upload_id))

    async def append(
        self, conversation_key: str, upload_id: str, offset: int, pieces: AsyncIterator[bytes], limits: UploadLimits
    ) -> Upload:
        row = await self._unused(conversation_key, upload_id)  # nobody opens a file by a made-up name
        try:
            with Partial(self._folder / upload_id, new=row.received == 0) as file:
                # Read again under the file's lock: another request may have just written, or a message have taken it.
                row = await self._unused(conversation_key, upload_id)
                if offset != row.received:
                    raise UploadRefused(UploadFault.OFFSET)
                return _shown(await self._write(row, file, pieces, limits))
        except Busy as error:
            raise UploadRefused(UploadFault.BUSY) from error
        except OSError as error:
            if error.errno in (errno.ENOSPC, errno.EDQUOT):
                raise UploadRefused(UploadFault.NO_ROOM) from error
            raise NotStored(f"the file could not be written ({error.strerror})") from error

    async def drop(self, conversation_key: str, upload_id: str) -> None:
        await self._row(conversation_key, upload_id)
        # Its timer stays: it removes the file, should we not come to it.
        if not await self._store.write(lambda connection: rows.drop_unused(connection, upload_id)):
            raise UploadRefused(UploadFault.USED)
        await asyncio.to_thread((self._folder / upload_id).unlink, missing_ok=True)

    async def claim(self, conversation_key: str, upload_ids: Sequence[str], external_id: str) -> Sequence[Upload]:
        claimed = await self._store.write(
            lambda connection: [self._claim(connection, conversation_key, one, external_id) for one in upload_ids]
        )
        try:
            await asyncio.to_thread(self._move, claimed)
        except OSError as error:
            raise NotStored(f"the file could not be moved into the evidence store ({error.strerror})") from error
        except _Lost as error:
            lost = error.row
            await self._store.write(lambda connection: self._give_back(connection, claimed, external_id, lost))
            raise UploadRefused(UploadFault.GONE) from error
        return [_shown(row) for row in claimed]

    async def path(self, conversation_key: str, upload_id: str) -> Path:
        row = await self._row(conversation_key, upload_id)
        if row.sha256 is None:
            raise UploadRefused(UploadFault.INCOMPLETE)
        await self._insist_on_harmless(row.sha256)
        # Evidence first: what is there is named by its content.
        for path in (self._evidence.path(row.sha256), self._folder / upload_id):
            if await asyncio.to_thread(path.exists):
                return path
        raise UploadRefused(UploadFault.GONE)

    async def _insist_on_harmless(self, digest: str) -> None:
        """Also its sender gets nothing back that nobody has scanned: who has the session need not be who sent it."""
        check = await self._store.read(lambda connection: file_checks.find(connection, digest))
        if (bar := file_checks.barred(check, scanning=self._scanning)) is not None:
            raise UploadRefused(UploadFault.INFECTED if bar == "infected" else UploadFault.UNSCANNED)

    async def _row(self, key: str, upload_id: str) -> UploadRow:
        return await self._store.read(lambda connection: self._known(connection, key, upload_id))

    async def _unused(self, key: str, upload_id: str) -> UploadRow:
        row = await self._row(key, upload_id)
        if row.used_by is not None:
            raise UploadRefused(UploadFault.USED)
        return row

    def _known(self, connection: Connection, key: str, upload_id: str) -> UploadRow:
        row = rows.find(connection, self._channel, key, upload_id)
        if row is None:
            raise UploadRefused(UploadFault.GONE)
        return row

    async def _write(
        self, row: UploadRow, file: Partial, pieces: AsyncIterator[bytes], limits: UploadLimits
    ) -> UploadRow:
        """When the line breaks, the bytes that came are made safe first: it costs nothing. Bytes whose keeping failed
        are not tried again: how far the file came is then for the row to say, and the sender asks it."""
        held = bytearray()
        received = row.received
        try:
            async for piece in pieces:
                if received + len(held) + len(piece) > row.size:
                    raise UploadRefused(UploadFault.TOO_LARGE)
                held += piece
                if len(held) >= PIECE_BYTES:
                    data, held = bytes(held), bytearray()
                    received = await _to_the_end(self._keep(row, file, received, data, limits))
        finally:
            if held:
                await _to_the_end(self._keep(row, file, received, bytes(held), limits))
        return await self._row(row.conversation_key, row.id)

    async def _keep(self, row: UploadRow, file: Partial, received: int, data: bytes, limits: UploadLimits) -> int:
        """Syncs, then commits; the new length. With the last byte comes the file's hash."""
        await self._insist_on_room(len(data), limits)
        await asyncio.to_thread(file.put, received, data)
        length = received + len(data)
        found = await asyncio.to_thread(file.description, length) if length == row.size else {}
        until = self._clock() + (LIFE if found else STALL)

        def note(connection: Connection) -> None:
            rows.change(connection, row.id, received=length, expires_at=until, **found)
            if found:  # until then the timer looks by itself how far the row's time has moved on
                timers.set_timer(connection, EXPIRY_TIMER, row.id, until, {})

        await self._store.write(note)
        return length

    async def _insist_on_room(self, size: int, limits: UploadLimits) -> None:
        """For each piece anew: what `begin` found free was promised to nobody."""
        await asyncio.to_thread(upload_room.insist_on_disk, self._folder, size, limits)
        await self._store.read(lambda connection: upload_room.insist_on_room(connection, size, limits))

    def _claim(self, connection: Connection, key: str, upload_id: str, external_id: str) -> UploadRow:
        row = self._known(connection, key, upload_id)
        if row.sha256 is None:
            raise UploadRefused(UploadFault.INCOMPLETE)
        if not rows.use(connection, upload_id, external_id):
            raise UploadRefused(UploadFault.USED)
        timers.cancel(connection, EXPIRY_TIMER, upload_id)
        return row

    def _move(self, claimed: Sequence[UploadRow]) -> None:
        """A repetition finds the files moved already. A file that is not what its row says is not there."""
        for row in claimed:
            path = self._folder / row.id
            if row.sha256 is not None and (kept := self._evidence.path(row.sha256)).exists():
                sync_folder(kept.parent)  # an earlier attempt may have ended before that
                path.unlink(missing_ok=True)
            elif not path.exists():
                log.error("upload_file_missing", upload_id=row.id)
                raise _Lost(row)
            elif self._evidence.put_file(path).sha256 != row.sha256:
                log.error("upload_file_changed", upload_id=row.id)
                raise _Lost(row)

    def _give_back(
        self, connection: Connection, claimed: Sequence[UploadRow], external_id: str, lost: UploadRow
    ) -> None:
        """The files of a message that was refused wait again; the one that is lost is forgotten, to be sent anew.
        What was moved already stays in the evidence store, where the next message finds it."""
        until = self._clock() + LIFE
        for row in claimed:
            if not rows.give_back(connection, self._channel, row.id, external_id, until):
                continue
            if row is lost:
                rows.drop_unused(connection, row.id)
            else:
                timers.set_timer(connection, EXPIRY_TIMER, row.id, until, {})


class _Lost(Exception):
    """A file that its row promises is not there any more, or has other bytes."""

    def __init__(self, row: UploadRow) -> None:
        super().__init__(row.id)
        self.row = row


class UploadExpiry:
    """Rings for `EXPIRY_TIMER`: throws away what did not come on, or what no message named, in time.

    The row goes first. The file goes at a second ring, once the row is surely gone: a commit that fails brings a row
    back, and nothing brings a file back.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def __call__(self, connection: Connection, timer: TimerRow, now: datetime) -> None:
        if rows.drop_expired(connection, timer.key, now):
            timers.set_timer(connection, EXPIRY_TIMER, timer.key, now, {})
        elif (until := rows.expiry(connection, timer.key)) is not None:
            timers.set_timer(connection, EXPIRY_TIMER, timer.key, until, {})
        elif not rows.known(connection, timer.key):
            (self._folder / timer.key).unlink(missing_ok=True)


async def _to_the_end[T](work: Coroutine[Any, Any, T]) -> T:
    """Cancelling waits for the end of `work`: a thread that still writes meets no second writer and no closed file."""
    task = asyncio.ensure_future(work)
    try:
        return await asyncio.shield(task)
    finally:
        while not task.done():
            with suppress(asyncio.CancelledError):
                await asyncio.wait({task})
        if not task.cancelled():
            task.exception()  # looked at, also when nobody waits for it any more


def _shown(row: UploadRow) -> Upload:
    return Upload(
        id=row.id,
        filename=row.filename,
        size=row.size,
        received=row.received,
        sha256=row.sha256,
        content_type=row.content_type,
        expires_at=row.expires_at,
    )
