"""`redress backup` and `redress restore`."""

from __future__ import annotations

import argparse
from pathlib import Path

from bot.backup.manifest import CannotBackUp, CannotRestore, Manifest
from bot.backup.restore import restore
from bot.backup.take import take
from bot.clock import now
from bot.operator.common import DONE, NOT_DONE, Line, complain
from bot.settings import Settings


def back_up(settings: Settings, options: argparse.Namespace) -> int:
    """Exit code 1 when no back-up was made, or when files of the desk itself were found missing or changed."""
    line = Line()
    try:
        made = take(settings, Path(options.folder), now, line, link=options.hard_links)
    except CannotBackUp as error:
        return complain(line.ended(error))
    print(line.ended(f"backed up to {options.folder}: {_contents(made)}"))
    for kind, damage in (("missing", made.missing), ("changed", made.changed)):
        if damage.count:
            complain(f"{damage.count} files of the desk are {kind} and not in it: {', '.join(damage.named_by)}")
    return DONE if made.whole else NOT_DONE


def bring_back(settings: Settings, options: argparse.Namespace) -> int:
    line = Line()
    try:
        made = restore(settings, Path(options.folder), now, line)
    except CannotRestore as error:
        return complain(line.ended(error))
    print(line.ended(f"restored the desk as of {made.started_at}: {_contents(made)}"))
    print("now run `redress reconcile --files`, then start the desk")
    return DONE


def _contents(made: Manifest) -> str:
    return f"{made.rows.get('inbox', 0):,} messages, {made.file_count:,} files, schema {made.schema_revision}"
