"""What the operators' commands share: looking at the database, exit codes, and a line that shows progress."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Callable
from contextlib import closing
from time import monotonic
from typing import Final

from sqlalchemy import Connection

from bot.settings import Settings
from bot.store.migrate import insist_on_current
from bot.store.store import Store

DONE: Final = 0
NOT_DONE: Final = 1
USAGE: Final = 2
REDRAW_SECONDS = 0.1


def look[T](settings: Settings, query: Callable[[Connection], T]) -> T:
    """Looks at the database as it is; only a start migrates it."""
    insist_on_current(settings.database)
    with closing(Store(settings.database)) as store:
        return asyncio.run(store.read(query))


def change[T](settings: Settings, deed: Callable[[Connection], T]) -> T:
    """One commit; a running desk goes on meanwhile. Raises what `deed` raises, with nothing kept."""
    insist_on_current(settings.database)
    with closing(Store(settings.database)) as store:
        return asyncio.run(store.write(deed))


def complain(sentence: object, code: int = NOT_DONE) -> int:
    print(sentence, file=sys.stderr)
    return code


class Line:
    """Progress on one line of a terminal; silent elsewhere."""

    def __init__(self) -> None:
        self._shown = sys.stderr.isatty()
        self._next = 0.0
        self._drawn = False

    def __call__(self, text: str) -> None:
        if self._shown and monotonic() >= self._next:
            self._next = monotonic() + REDRAW_SECONDS
            self._drawn = True
            print(f"\r\x1b[K{text}", end="", file=sys.stderr, flush=True)

    def ended[T](self, result: T) -> T:
        """Ends the line; `result` comes back as it is."""
        if self._drawn:
            print(file=sys.stderr)
            self._drawn = False
        return result
