"""Bytes on disk, named by their SHA-256: raw messages too large for a row, and evidence.

Written whole or not at all: write, fsync, rename, fsync of the folder. A file that exists is complete.
"""

from __future__ import annotations

import hashlib
import os
import secrets
from pathlib import Path

from channels.files_contract import Kept


def sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


class Files:
    """A content-addressed folder. Blocking: call it in a thread."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)

    def path(self, digest: str) -> Path:
        return self.folder / digest[:2] / digest

    def put(self, data: bytes) -> str:
        """Stores `data` durably and returns its SHA-256. Raises OSError when the disk is full or broken."""
        digest = sha256(data)
        target = self.path(digest)
        if target.exists():
            return digest
        self._make_folder(target.parent)
        partial = target.with_name(f".{digest}.{secrets.token_hex(4)}")
        try:
            write_durably(partial, data)
            partial.rename(target)
        except OSError:
            partial.unlink(missing_ok=True)
            raise
        sync_folder(target.parent)
        return digest

    def put_file(self, source: Path) -> Kept:
        """Moves a complete file in, durably. Raises OSError; `source` is still there then."""
        with source.open("rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
            os.fsync(file.fileno())
            size = os.fstat(file.fileno()).st_size
        target = self.path(digest)
        self._make_folder(target.parent)
        source.rename(target)
        sync_folder(target.parent)
        return Kept(sha256=digest, size=size)

    def _make_folder(self, folder: Path) -> None:
        """A new folder's own name must be durable too, or a power cut takes the folder with the file."""
        if not folder.exists():
            folder.mkdir(exist_ok=True, mode=0o700)
            sync_folder(self.folder)

    def get(self, digest: str) -> bytes:
        """Raises FileNotFoundError, or ValueError when the bytes no longer match their name."""
        data = self.path(digest).read_bytes()
        if sha256(data) != digest:
            raise ValueError(f"the file {digest} was changed after it was stored")
        return data


def write_whole(path: Path, data: bytes) -> None:
    """Durably, whole or not at all, in place of what was there. Raises OSError."""
    partial = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    try:
        write_durably(partial, data)
        partial.rename(path)
    finally:
        partial.unlink(missing_ok=True)
    sync_folder(path.parent)


def write_durably(path: Path, data: bytes) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())


def sync_file(path: Path) -> None:
    """Puts on disk what another program wrote."""
    _sync(path)


def sync_folder(folder: Path) -> None:
    """Makes the names in it durable."""
    _sync(folder)


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
