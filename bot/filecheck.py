"""Are the files that the rows name all there, with the bytes that their names promise?"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path

from bot.files import sha256
from bot.repository.kept import KeptFile

MOST_NAMED = 20


@dataclass
class FileBook:
    """`missing` and `changed` name the first rows whose file is gone or no longer has its bytes."""

    checked: int = 0
    bytes: int = 0
    unproven: dict[str, int] = field(default_factory=lambda: {"missing": 0, "changed": 0})
    suspects: dict[str, list[str]] = field(default_factory=lambda: {"missing": [], "changed": []})

    @property
    def whole(self) -> bool:
        return not any(self.unproven.values())

    def fault(self, kind: str, name: str) -> None:
        self.unproven[kind] += 1
        if len(self.suspects[kind]) < MOST_NAMED:
            self.suspects[kind].append(name)


def prove(kept: Iterable[KeptFile], data_dir: Path, tell: Callable[[int], None]) -> FileBook:
    """Reads every byte. `tell` is told after each file how many that were."""
    book = FileBook()
    for number, file in enumerate(kept, 1):
        _prove(book, file, data_dir)
        tell(number)
    return book


def _prove(book: FileBook, file: KeptFile, data_dir: Path) -> None:
    path = place(data_dir, file)
    try:
        digest = sha256(file.inline) if file.inline is not None else digest_of(path)
    except FileNotFoundError:
        book.fault("missing", file.named_by)
        return
    except OSError:
        digest = ""  # there, but the disk cannot read it any more
    book.checked += 1
    book.bytes += file.size
    if digest != file.sha256:
        book.fault("changed", file.named_by)


def place(data_dir: Path, file: KeptFile) -> Path:
    return data_dir / file.folder / file.sha256[:2] / file.sha256


def digest_of(path: Path) -> str:
    with path.open("rb") as opened:
        return hashlib.file_digest(opened, "sha256").hexdigest()
