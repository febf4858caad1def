"""Puts one trained model in another's place, so that at every moment a whole one stands there. Standard library only.

Three files make a model (see stamp.py). The archive is renamed into its place in one step; around it the stamp knows
the old and the new one, so that whoever looks meanwhile, or after a power cut, finds an archive that fits its stamp.
"""

from __future__ import annotations

import fcntl
import os
import shutil
from contextlib import contextmanager
from pathlib import Path
from typing import Iterator

from bot.rasa.stamp import Entry, entry_of, fault_of, stamp_path, taught_path, write_entry

PREVIOUS = "previous.tar.gz"
CANDIDATE = "candidate.tar.gz"
PRIVATE = (".training-", ".measuring-")
"""How the names of folders begin that a training works in."""
_RETURNING = "returning.tar.gz"


class CannotSwap(Exception):
    """Nothing was changed; the message says why."""


@contextmanager
def alone(folder: Path) -> Iterator[None]:
    """Nobody else trains or swaps in this folder meanwhile; waits for whoever does."""
    folder.mkdir(parents=True, exist_ok=True)
    held = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        try:
            fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            print("another training is running: waiting for it", flush=True)
            fcntl.flock(held, fcntl.LOCK_EX)
        for left in (path for kind in PRIVATE for path in folder.glob(f"{kind}*")):
            shutil.rmtree(left, ignore_errors=True)  # by one that was killed
        yield
    finally:
        os.close(held)


def install(fresh: Path, live: Path) -> None:
    """Puts the whole model `fresh`, of the same folder, in the place of `live`, which becomes the previous one.

    Raises CannotSwap when `fresh` is broken. A broken `live` is not kept.
    """
    coming = entry_of(fresh)
    if coming is None:
        raise CannotSwap(fault_of(fresh))
    standing = entry_of(live)
    if standing is not None:
        _keep(live, live.with_name(PREVIOUS), standing)
    write_entry(live, standing or coming, coming)
    _sync(fresh)
    fresh.replace(live)
    _move_lessons(fresh, live)
    write_entry(live, coming)
    remove(fresh)
    _sync(live.parent)


def back(live: Path) -> None:
    """The previous model takes its place again, and the live one becomes the previous. Raises CannotSwap."""
    previous = live.with_name(PREVIOUS)
    if not previous.is_file():
        raise CannotSwap("There is no previous model to put back.")
    entry = entry_of(previous)
    if entry is None:
        raise CannotSwap(fault_of(previous))
    returning = live.with_name(_RETURNING)
    _keep(previous, returning, entry)
    install(returning, live)


def remove(model: Path) -> None:
    for path in (model, stamp_path(model), taught_path(model)):
        path.unlink(missing_ok=True)


def _keep(model: Path, other: Path, entry: Entry) -> None:
    """The same model under another name; its bytes are shared, for no archive is ever written to."""
    remove(other)
    os.link(model, other)
    if taught_path(model).is_file():
        os.link(taught_path(model), taught_path(other))
    write_entry(other, entry)


def _move_lessons(source: Path, target: Path) -> None:
    if taught_path(source).is_file():
        taught_path(source).replace(taught_path(target))
    else:
        taught_path(target).unlink(missing_ok=True)


def _sync(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
