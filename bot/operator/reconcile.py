"""`redress reconcile`: proves that everything received is accounted for, and with --files that its bytes are there."""

from __future__ import annotations

import argparse
import json
import re
import sys
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection

from bot import ledger
from bot.clock import now, utc
from bot.filecheck import FileBook, prove
from bot.ledger import OUTCOMES, Ledger
from bot.operator.common import DONE, NOT_DONE, USAGE, Line, complain, look
from bot.repository import kept
from bot.settings import Settings
from bot.store.engine import open_engine

_AGO = re.compile(r"(\d{1,6})\s*([mhd])")
MOST = 100_000
"""Any unit of it is longer ago than anything was received, and still a date."""
_UNITS = {"m": "minutes", "h": "hours", "d": "days"}


def reconcile(settings: Settings, options: argparse.Namespace) -> int:
    """Exit code 1 when the books do not balance or a file is not what its row says."""
    try:
        since = None if options.since is None else moment(options.since, now())
    except ValueError as error:
        return complain(error, USAGE)
    book = look(settings, lambda connection: ledger.draw_up(connection, since))
    files = _files(settings) if options.files else None
    if options.json or not sys.stdout.isatty():
        print(json.dumps(_as_json(book, files)))
    else:
        _print_table(book, files)
    return DONE if book.balanced and (files is None or files.whole) else NOT_DONE


def moment(written: str, at: datetime) -> datetime:
    """ "90m", "24h", "7d" before `at`, or a date or time (ISO 8601; without a zone: UTC). Raises ValueError."""
    if ago := _AGO.fullmatch(written.strip()):
        return at - timedelta(**{_UNITS[ago[2]]: min(int(ago[1]), MOST)})
    try:
        return utc(datetime.fromisoformat(written), naive_is_utc=True)
    except ValueError as error:
        raise ValueError(f"{written} is no time: write 24h, 7d, 2026-11-22 or 2026-11-22T09:00Z") from error


def _files(settings: Settings) -> FileBook:
    """What is received meanwhile is looked at too: a row is committed after its file."""
    engine = open_engine(settings.database)

    def read[T](query: Callable[[Connection], T]) -> T:
        with engine.connect() as connection:
            return query(connection)

    try:
        line, total = Line(), read(kept.count)
        return line.ended(
            prove(
                kept.everything(read),
                settings.data_dir,
                lambda done: line(f"checking files  {done:,} of {total:,}"),
            )
        )
    finally:
        engine.dispose()


def _as_json(book: Ledger, files: FileBook | None) -> Mapping[str, Any]:
    unproven = {name: count for name, count in book.unproven.items() if count}
    suspects = {name: list(ids) for name, ids in book.suspects.items()}
    body = {"received": book.received, **book.outcomes, "unproven": unproven, "suspects": suspects}
    if files is not None:
        body["files"] = {"checked": files.checked, "bytes": files.bytes, **files.unproven, "suspects": files.suspects}
    return {**body, "balanced": book.balanced and (files is None or files.whole)}


def _print_table(book: Ledger, files: FileBook | None) -> None:
    print(f"{'received':<14}{book.received:>12,}")
    for name in OUTCOMES:
        print(f"  {name.replace('_', ' '):<12}{book.outcomes.get(name, 0):>12,}{_doubt(book, name)}")
    print("the books balance" if book.balanced else "THE BOOKS DO NOT BALANCE")
    if files is not None:
        print(f"{'files':<14}{files.checked:>12,}  ({files.bytes:,} bytes read)")
        for kind, count in files.unproven.items():
            if count:
                print(f"  {kind:<12}{count:>12,}  {', '.join(files.suspects[kind])}")
        print("every file is there with its bytes" if files.whole else "FILES ARE MISSING OR CHANGED")


def _doubt(book: Ledger, name: str) -> str:
    if not book.unproven.get(name):
        return ""
    shown = ", ".join(f"inbox:{number}" for number in book.suspects[name])
    return f"  {book.unproven[name]:,} without proof: {shown}"
