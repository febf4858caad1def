"""A file that is still coming: opened by one request at a time, over all processes of the machine."""

from __future__ import annotations

import fcntl
import hashlib
import os
from pathlib import Path
from types import TracebackType
from typing import Self

from bot.files import sync_folder
from bot.filetypes import HEAD_BYTES, content_type


class Busy(Exception):
    """Another request has the file open."""


class Partial:
    """Blocking: call its methods in a thread. Opening is quick. Raises Busy and OSError."""

    def __init__(self, path: Path, *, new: bool) -> None:
        """`new`: no byte of it is confirmed yet, so it may have to be made. A lost or moved file is never made anew."""
        self._path = path
        self._flags = os.O_RDWR | (os.O_CREAT if new else 0)
        self._descriptor = -1

    def __enter__(self) -> Self:
        self._descriptor = os.open(self._path, self._flags, 0o600)
        try:
            fcntl.flock(self._descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            os.close(self._descriptor)
            raise Busy from error
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        descriptor, self._descriptor = self._descriptor, -1  # whatever comes late meets no other file
        os.close(descriptor)

    def put(self, offset: int, data: bytes) -> None:
        """The file is the first `offset` bytes and then `data`, whatever an earlier attempt left; on disk on return."""
        self._cut(offset)
        with memoryview(data) as rest:
            written = 0
            while written < len(rest):
                written += os.write(self._descriptor, rest[written:])
        os.fsync(self._descriptor)

    def _cut(self, length: int) -> None:
        """Leaves the first `length` bytes. Raises OSError when there are fewer: then the file is not what we wrote."""
        if os.fstat(self._descriptor).st_size < length:
            raise OSError("an upload's file is shorter than what was confirmed")
        os.ftruncate(self._descriptor, length)
        os.lseek(self._descriptor, length, os.SEEK_SET)
        if length == 0:
            sync_folder(self._path.parent)

    def description(self, size: int) -> dict[str, str]:
        """SHA-256 and a guess at the content type, by content alone. Raises OSError unless it has `size` bytes."""
        with self._path.open("rb") as file:
            if os.fstat(file.fileno()).st_size != size:
                raise OSError("an upload's file is not as long as was announced")
            head = file.read(HEAD_BYTES)
            file.seek(0)
            digest = hashlib.file_digest(file, "sha256").hexdigest()
        return {"sha256": digest, "content_type": content_type(head)}
