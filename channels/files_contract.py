"""What is said of a file: that came with a message, that is kept, that can be read again."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Protocol


@dataclass(frozen=True, kw_only=True)
class Kept:
    """A file that is in the evidence store already, durable and complete."""

    sha256: str
    size: int


@dataclass(frozen=True, kw_only=True)
class Attachment:
    """A file of a message: its bytes, or, where it came ahead of the message, what it is kept as."""

    filename: str
    content_type: str
    data: bytes = b""
    kept: Kept | None = None


class Evidence(Protocol):
    """Where files are kept, named by their SHA-256. Blocking: call it in a thread."""

    def put_file(self, source: Path) -> Kept:
        """Moves a complete file in, durably. Raises OSError; `source` is still there then."""
        ...

    def path(self, digest: str) -> Path: ...
