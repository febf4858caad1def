"""Small JSON files that are whole or not there at all, and a lock between processes. Blocking: call it in a thread."""

from __future__ import annotations

import fcntl
import json
import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any


class Damaged(Exception):
    """The file is there, but holds nothing that we wrote."""


def read_json(path: Path) -> dict[str, Any]:
    """{} when there is none. Raises Damaged and OSError."""
    try:
        value = json.loads(path.read_bytes())
    except FileNotFoundError:
        return {}
    except (ValueError, RecursionError) as error:
        raise Damaged(path.name) from error
    if not isinstance(value, dict):
        raise Damaged(path.name)
    return value


def write_json(path: Path, value: Any) -> None:
    """Write, fsync, rename, fsync of the folder. Raises OSError; the old content is still there then."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    partial = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    try:
        with partial.open("wb") as file:
            file.write(json.dumps(value, separators=(",", ":")).encode())
            file.flush()
            os.fsync(file.fileno())
        partial.rename(path)
    except OSError:
        partial.unlink(missing_ok=True)
        raise
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def lock(path: Path) -> int | None:
    """Takes the lock, for `unlock` to give back; None when another process has it. Ends with this process, too."""
    file = _open(path)
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        os.close(file)
        return None
    return file


def unlock(file: int) -> None:
    os.close(file)


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """Waits for the lock."""
    file = _open(path)
    try:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield
    finally:
        os.close(file)


def _open(path: Path) -> int:
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    return os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
