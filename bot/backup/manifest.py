"""The manifest: what a back-up holds, by which it is checked. A folder without one is not a back-up."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, ValidationError

from bot.files import write_whole

FILE = "manifest.json"
LIST = "files.txt"
"""One line per file: folder, SHA-256, size in bytes."""
FORMAT = 1


class CannotBackUp(Exception):
    """The back-up was not made; the message says why and what to do."""


class CannotRestore(Exception):
    """Nothing is restored, or not all of it; the message says why and what to do."""


class Part(BaseModel):
    """A file of the back-up itself."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    file: str
    sha256: str
    size: int


class Damage(BaseModel):
    """Files that were gone or no longer had their bytes when the back-up was made; the first of them by name."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    count: int
    named_by: list[str]


class Manifest(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    format: int
    made_by: str
    started_at: str
    finished_at: str
    kind: str
    """sqlite or postgresql"""
    server: str
    """The database's own version."""
    schema_revision: str
    rows: dict[str, int]
    database: Part
    key: Part
    files: Part
    """The list of files (`LIST`)."""
    file_count: int
    file_bytes: int
    missing: Damage
    changed: Damage

    @property
    def whole(self) -> bool:
        return not self.missing.count and not self.changed.count


def write(folder: Path, manifest: Manifest) -> None:
    """Durably, and whole or not at all. Raises OSError."""
    text = json.dumps(manifest.model_dump(), indent=2, ensure_ascii=False) + "\n"
    write_whole(folder / FILE, text.encode())


def read(folder: Path) -> Manifest:
    """Raises CannotRestore."""
    try:
        body: Mapping[str, Any] = json.loads((folder / FILE).read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise CannotRestore(
            f"{folder} has no {FILE}: it is no back-up, or one that was never finished. Use another one."
        ) from error
    except (OSError, ValueError) as error:
        raise CannotRestore(f"{folder / FILE} cannot be read; use another back-up") from error
    if not isinstance(body, dict) or body.get("format") != FORMAT:
        raise CannotRestore(f"{folder} was made in a form that this version of Redress does not know")
    try:
        return Manifest.model_validate(body)
    except ValidationError as error:
        raise CannotRestore(f"{folder / FILE} is damaged; use another back-up") from error
