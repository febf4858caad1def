"""The one thread that writes: operations that arrive while a commit runs share the next one (group commit).

Each operation runs in its own savepoint, so a failing one never takes its neighbours with it. The caller's
future resolves after the commit and not before: "done" means on disk. Measured: 15-30 times the throughput of
one transaction per message on SQLite (docs/decisions/0002).
"""

from __future__ import annotations

import asyncio
import queue
import threading
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass
from typing import Any

import structlog
from sqlalchemy import Connection, Engine
from sqlalchemy.exc import DBAPIError, IntegrityError, OperationalError

from channels.contract import NotStored

log = structlog.get_logger()
MAX_BATCH = 128
RETRIES = 3


@dataclass(frozen=True)
class _Operation:
    run: Callable[[Connection], Any]
    result: Future[Any]


class Writer:
    """Runs operations `fn(connection) -> value` durably, many per commit.

    `write` raises NotStored when the database is full, gone or busy; whatever the operation itself raised
    otherwise. An IntegrityError is retried: a racing writer on another machine got there first, and the
    operation, seeing its row, will take the other branch.
    """

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._queue: queue.SimpleQueue[_Operation | None] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._loop, name="writer", daemon=True)
        self._thread.start()

    async def write[T](self, run: Callable[[Connection], T]) -> T:
        """Shielded: a caller that goes away (a client hanging up) does not take its commit with it."""
        return await asyncio.shield(asyncio.wrap_future(self.submit(run)))

    def submit[T](self, run: Callable[[Connection], T]) -> Future[T]:
        result: Future[T] = Future()
        self._queue.put(_Operation(run, result))
        return result

    def close(self) -> None:
        """Finishes what is queued and ends the thread."""
        self._queue.put(None)
        self._thread.join()

    def _loop(self) -> None:
        while (first := self._queue.get()) is not None:
            batch, last = self._gather(first)
            self._commit(batch)
            if last:
                return

    def _gather(self, first: _Operation) -> tuple[list[_Operation], bool]:
        batch = [first]
        while len(batch) < MAX_BATCH:
            try:
                item = self._queue.get_nowait()
            except queue.Empty:
                break
            if item is None:
                return batch, True
            batch.append(item)
        return batch, False

    def _commit(self, batch: list[_Operation]) -> None:
        outcomes: list[tuple[_Operation, Any, Exception | None]] = []
        try:
            with self._engine.begin() as connection:
                outcomes = [(operation, *self._attempt(connection, operation)) for operation in batch]
        except Exception as error:
            self._recover(batch, error)
            return
        for operation, value, failure in outcomes:
            if failure is None:
                operation.result.set_result(value)
            else:
                operation.result.set_exception(failure)

    def _recover(self, batch: list[_Operation], error: Exception) -> None:
        """The commit as a whole failed. Alone, an operation may still succeed (a deadlock's victim, say)."""
        if len(batch) > 1 and isinstance(error, OperationalError):
            for operation in batch:
                self._commit([operation])
            return
        log.error("commit_failed", operations=len(batch), error=_database_reason(error))
        for operation in batch:
            operation.result.set_exception(_translated(error))

    def _attempt(self, connection: Connection, operation: _Operation) -> tuple[Any, Exception | None]:
        for _ in range(RETRIES):
            try:
                with connection.begin_nested():
                    return operation.run(connection), None
            except IntegrityError as error:
                failure: Exception = error
            except OperationalError:
                raise  # disk full, connection gone, deadlock: the transaction itself is lost
            except Exception as error:
                return None, error
        return None, failure


def _translated(error: Exception) -> Exception:
    if isinstance(error, DBAPIError):
        return NotStored(f"the database could not store it ({_database_reason(error)})")
    return error


def _database_reason(error: Exception) -> str:
    """The database's own words; never the statement or its parameters, which are customers' text."""
    lines = str(error.orig).splitlines() if isinstance(error, DBAPIError) else []
    return lines[0] if lines else type(error).__name__
