"""`redress backup FOLDER`: beside a running desk, without stopping it."""

from __future__ import annotations

from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path

from sqlalchemy import Connection

from bot.backup import database, manifest
from bot.backup.copying import Changed, Unreadable, copy, digest_and_size, make_private, sync_folders
from bot.backup.database import Snapshot, Tell
from bot.backup.manifest import CannotBackUp, Damage, Manifest, Part
from bot.clock import Clock
from bot.filecheck import FileBook, place
from bot.files import sha256, write_whole
from bot.keys import FILE as KEY
from bot.repository import kept, whole
from bot.repository.kept import KeptFile
from bot.settings import Settings


def take(settings: Settings, folder: Path, clock: Clock, tell: Tell, *, link: bool = False) -> Manifest:
    """Makes a back-up in `folder`, which must be empty or not there yet. Raises CannotBackUp.

    What the desk confirmed before this was called is in it. Files that are gone or no longer have their bytes do not
    stop it: they are counted in the manifest, and everything else is saved.
    """
    started = clock()
    source = database.of(settings)
    try:
        _make_empty(folder)
        with source.snapshot(folder / source.file, tell) as snapshot:
            schema, rows = _described(snapshot)
            book, listed = _copy_files(snapshot.connection, settings.data_dir, folder, tell, link=link)
            server = snapshot.server
        _copy_key(settings.data_dir, folder)
        write_whole(folder / manifest.LIST, listed)
        sync_folders(folder)
        made = Manifest(
            format=manifest.FORMAT,
            made_by=f"redress {version('redress')}",
            started_at=started.isoformat(),
            finished_at=clock().isoformat(),
            kind=source.kind,
            server=server,
            schema_revision=schema,
            rows=rows,
            database=_part(folder, source.file),
            key=_part(folder, KEY),
            files=Part(file=manifest.LIST, sha256=sha256(listed), size=len(listed)),
            file_count=listed.count(b"\n"),
            file_bytes=book.bytes,
            missing=_damage(book, "missing"),
            changed=_damage(book, "changed"),
        )
        manifest.write(folder, made)
    except OSError as error:
        raise CannotBackUp(f"the back-up in {folder} is incomplete: {error.strerror or error}") from error
    except Unreadable as error:
        raise CannotBackUp(f"the back-up in {folder} is incomplete: {error}") from error
    return made


def _make_empty(folder: Path) -> None:
    make_private(folder)
    folder.chmod(0o700)
    if any(folder.iterdir()):
        raise CannotBackUp(f"{folder} is not empty; name a new folder for each back-up")


def _described(snapshot: Snapshot) -> tuple[str, dict[str, int]]:
    schema = whole.revision(snapshot.connection)
    if schema is None:
        raise CannotBackUp("the database has no schema yet: nothing to back up")
    return schema, dict(whole.row_counts(snapshot.connection))


def _copy_files(
    connection: Connection, data_dir: Path, folder: Path, tell: Tell, *, link: bool
) -> tuple[FileBook, bytes]:
    """The files that the snapshot names, and the list of those that were saved."""
    book, lines, seen = FileBook(), [], set()

    def read[T](query: Callable[[Connection], T]) -> T:
        return query(connection)

    for file in kept.everything(read):
        if file.inline is not None or (file.folder, file.sha256) in seen:
            continue
        seen.add((file.folder, file.sha256))
        if (size := _copied(book, file, data_dir, folder, link=link)) is not None:
            lines.append(f"{file.folder} {file.sha256} {size}\n")
            tell(f"copying files  {book.checked:,}")
    return book, "".join(sorted(lines)).encode()


def _copied(book: FileBook, file: KeptFile, data_dir: Path, folder: Path, *, link: bool) -> int | None:
    """The file's size; None when it could not be saved, which the book knows."""
    try:
        size = copy(place(data_dir, file), place(folder, file), file.sha256, link=link)
    except FileNotFoundError:
        book.fault("missing", file.named_by)
        return None
    except (Changed, Unreadable):  # there, but not with its bytes
        book.fault("changed", file.named_by)
        return None
    book.checked += 1
    book.bytes += size
    return size


def _copy_key(data_dir: Path, folder: Path) -> None:
    """The root secret: without it every link, address and code given out so far would be void."""
    source = data_dir / KEY
    if not source.exists():
        raise CannotBackUp(f"there is no {source}: start the desk once, then back it up")
    copy(source, folder / KEY, digest_and_size(source)[0])


def _part(folder: Path, name: str) -> Part:
    digest, size = digest_and_size(folder / name)
    return Part(file=name, sha256=digest, size=size)


def _damage(book: FileBook, kind: str) -> Damage:
    return Damage(count=book.unproven[kind], named_by=book.suspects[kind])
