"""Bytes on disk, named by their SHA-256: raw messages too large for a row, and evidence.

Written whole or not at all: write, fsync, rename, fsync of the folder. A file that exists is complete.
"""

from __future__ import annotations

import hashlib
import os
import secrets
from pathlib import Path


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
        target.parent.mkdir(exist_ok=True, mode=0o700)
        partial = target.with_name(f".{digest}.{secrets.token_hex(4)}")
        try:
            _write_durably(partial, data)
            partial.rename(target)
        except OSError:
            partial.unlink(missing_ok=True)
            raise
        _sync_folder(target.parent)
        return digest

    def get(self, digest: str) -> bytes:
        """Raises FileNotFoundError, or ValueError when the bytes no longer match their name."""
        data = self.path(digest).read_bytes()
        if sha256(data) != digest:
            raise ValueError(f"the file {digest} was changed after it was stored")
        return data


def _write_durably(path: Path, data: bytes) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
