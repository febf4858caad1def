"""Copies a file so that it is on disk, whole, and has the bytes that its SHA-256 promises; or not at all."""

from __future__ import annotations

import os
import secrets
from collections.abc import Iterator
from pathlib import Path

from bot.filecheck import digest_of
from bot.files import sync_folder

CHUNK = 1 << 20


class Changed(Exception):
    """The source no longer has the bytes that were promised."""


class Unreadable(Exception):
    """The source is there, but the disk cannot read it any more."""


def copy(source: Path, target: Path, digest: str, *, link: bool = False) -> int:
    """Returns the size in bytes. Raises Changed, Unreadable, FileNotFoundError (no source), or OSError for the target.

    With `link` the two share their bytes where the file system allows it: no room is needed, and no second copy made.
    """
    make_private(target.parent)
    partial = target.with_name(f".{target.name}.{secrets.token_hex(4)}")
    try:
        linked = link and _linked(source, partial)
        if not linked:
            _copied(source, partial)
        if _digest(partial, of_source=linked) != digest:
            raise Changed(source.name)
        partial.rename(target)
    finally:
        partial.unlink(missing_ok=True)
    return target.stat().st_size


def make_private(folder: Path) -> None:
    """Also the folders above it that are missing: `mkdir` would leave those open to others."""
    for path in reversed([folder, *folder.parents]):
        if not path.exists():
            path.mkdir(exist_ok=True, mode=0o700)


def sync_folders(folder: Path) -> None:
    """Makes the names of everything below durable."""
    for path in [folder, *(path for path in folder.rglob("*") if path.is_dir())]:
        sync_folder(path)


def digest_and_size(path: Path) -> tuple[str, int]:
    return digest_of(path), path.stat().st_size


def _linked(source: Path, partial: Path) -> bool:
    try:
        os.link(source, partial)
    except FileNotFoundError:
        raise
    except OSError:
        return False  # another file system, or one without links
    return True


def _digest(partial: Path, *, of_source: bool) -> str:
    try:
        return digest_of(partial)
    except OSError as error:
        if of_source:
            raise Unreadable(partial.name) from error
        raise


def _copied(source: Path, partial: Path) -> None:
    descriptor = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as writing:
        for chunk in _read(source):
            writing.write(chunk)
        writing.flush()
        os.fsync(writing.fileno())


def _read(source: Path) -> Iterator[bytes]:
    """Apart from the writing, so that a fault of the source is not taken for one of the target."""
    try:
        with source.open("rb") as reading:
            while chunk := reading.read(CHUNK):
                yield chunk
    except FileNotFoundError:
        raise
    except OSError as error:
        raise Unreadable(f"{source.name}: {error.strerror}") from error
