"""`redress restore FOLDER`: into an empty data folder and an empty database, after everything was checked."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterator
from contextlib import closing
from functools import partial
from pathlib import Path

from bot.backup import database, manifest
from bot.backup.copying import Changed, Unreadable, copy, make_private, sync_folders
from bot.backup.database import Database, Tell
from bot.backup.manifest import CannotRestore, Manifest, Part
from bot.clock import Clock
from bot.filecheck import digest_of
from bot.files import sha256
from bot.folder import DataFolderInUse, held, is_empty, restoring
from bot.keys import FILE as KEY
from bot.repository import whole
from bot.repository.kept import EVIDENCE, RAW
from bot.settings import Settings
from bot.store.migrate import knows, migrate
from bot.store.store import Store

_LINE = re.compile(rf"({RAW}|{EVIDENCE}) ([0-9a-f]{{64}}) \d+")
"""Nothing else becomes a path: a back-up may come from a stranger's disk."""


def restore(settings: Settings, folder: Path, clock: Clock, tell: Tell) -> Manifest:
    """Everything that the back-up holds, brought to this program's schema and ready for a start. Raises CannotRestore.

    Nothing is written before the whole back-up was read and found to be what its manifest says. From then on nobody
    else works in the data folder, and until the end nobody starts on what is in it. The database comes last.
    """
    made, target = manifest.read(folder), database.of(settings)
    _insist_on_fit(made, target)
    _insist_on_empty(settings, target)
    files = list(_listed(folder, made.files))
    _verify(folder, made, files, tell)
    try:
        make_private(settings.data_dir)
        with held(settings.data_dir, shared=False):
            _insist_on_empty(settings, target)  # again: who began here meanwhile is noticed, and nobody else may now
            with restoring(settings.data_dir):
                _bring_back(settings, folder, made, files, target, clock, tell)
    except DataFolderInUse as error:
        raise CannotRestore(str(error)) from error
    except (OSError, Changed, Unreadable) as error:
        raise CannotRestore(f"the restore broke off ({error}): empty {settings.data_dir} and begin again") from error
    return made


def _bring_back(
    settings: Settings,
    folder: Path,
    made: Manifest,
    files: list[tuple[str, str]],
    target: Database,
    clock: Clock,
    tell: Tell,
) -> None:
    _copy(folder, settings.data_dir, files, tell)
    target.load(folder / made.database.file, tell)
    migrate(settings.database)
    with closing(Store(settings.database)) as store:
        asyncio.run(store.write(partial(whole.begin_anew, now=clock())))


def _insist_on_fit(made: Manifest, target: Database) -> None:
    if made.kind != target.kind:
        raise CannotRestore(
            f"this back-up is of {made.kind}, but the settings name a database of {target.kind}: change database_url"
        )
    if not knows(made.schema_revision):
        raise CannotRestore(
            f"this back-up has schema {made.schema_revision}, which this version of Redress ({made.made_by} made it) "
            "does not know: install a newer one"
        )


def _insist_on_empty(settings: Settings, target: Database) -> None:
    if not is_empty(settings.data_dir):
        raise CannotRestore(f"the data folder {settings.data_dir} is not empty; a restore needs an empty place")
    target.insist_on_empty()


def _listed(folder: Path, part: Part) -> Iterator[tuple[str, str]]:
    """(folder, SHA-256) of every file in the back-up."""
    try:
        content = (folder / part.file).read_bytes()
    except OSError as error:
        raise _damaged(part.file) from error
    if sha256(content) != part.sha256:
        raise _damaged(part.file)
    for line in content.decode().splitlines():
        if not (found := _LINE.fullmatch(line)):
            raise _damaged(part.file)
        yield found[1], found[2]


def _verify(folder: Path, made: Manifest, files: list[tuple[str, str]], tell: Tell) -> None:
    for part in (made.database, made.key):
        _check(folder / part.file, part.sha256)
    for number, (kind, digest) in enumerate(files, 1):
        _check(_place(folder, kind, digest), digest)
        tell(f"checking the back-up  {number:,} of {len(files):,} files")


def _check(path: Path, digest: str) -> None:
    try:
        found = digest_of(path)
    except OSError as error:
        raise _damaged(path.name) from error
    if found != digest:
        raise _damaged(path.name)


def _copy(folder: Path, data_dir: Path, files: list[tuple[str, str]], tell: Tell) -> None:
    make_private(data_dir)
    for number, (kind, digest) in enumerate(files, 1):
        copy(_place(folder, kind, digest), _place(data_dir, kind, digest), digest)
        tell(f"restoring files  {number:,} of {len(files):,}")
    copy(folder / KEY, data_dir / KEY, digest_of(folder / KEY))
    sync_folders(data_dir)


def _place(root: Path, kind: str, digest: str) -> Path:
    return root / kind / digest[:2] / digest


def _damaged(name: str) -> CannotRestore:
    return CannotRestore(f"the back-up is damaged: {name} is not what the manifest says. Use another one.")
