"""The data folder: who works in it, and whether what lies in it is whole."""

from __future__ import annotations

import fcntl
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

from bot.files import sync_folder, write_whole

LOCK = "app.lock"
UNFINISHED = "restore.incomplete"
"""A file of this name says that a restore began here and has not ended."""


class DataFolderInUse(Exception):
    """Another Redress works on the same data folder."""


class RestoreIncomplete(Exception):
    """What lies in the folder is half of a desk."""


@contextmanager
def held(data_dir: Path, *, shared: bool) -> Generator[None]:
    """Nobody else may work in the folder meanwhile, or only those who share it too. Raises DataFolderInUse.

    The processes of one PostgreSQL share it: files are named by their content and written whole.
    """
    data_dir.mkdir(parents=True, exist_ok=True, mode=0o700)
    with (data_dir / LOCK).open("ab") as file:
        try:
            fcntl.flock(file, (fcntl.LOCK_SH if shared else fcntl.LOCK_EX) | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise DataFolderInUse(
                f"another Redress is running on {data_dir}; stop it or set REDRESS_DATA_DIR"
            ) from error
        yield


def is_empty(data_dir: Path) -> bool:
    """But for the lock, which is made by looking whether somebody holds it."""
    return not data_dir.exists() or all(path.name == LOCK for path in data_dir.iterdir())


@contextmanager
def restoring(data_dir: Path) -> Generator[None]:
    """Until this ends well, nobody starts on what is in the folder, even after a power cut. Raises OSError."""
    write_whole(data_dir / UNFINISHED, b"")
    yield
    (data_dir / UNFINISHED).unlink()
    sync_folder(data_dir)


def insist_on_whole(data_dir: Path) -> None:
    """Raises RestoreIncomplete."""
    if (data_dir / UNFINISHED).exists():
        raise RestoreIncomplete(
            f"a restore into {data_dir} has not ended or broke off: "
            "wait for it, or empty the folder and the database and restore again"
        )
