"""A thread that writes: operations that arrive while a commit runs share the next one (group commit).

Operations of one kind are carried out together, as a few statements for all of them (`write_together`): the work per
message, not the disk, is what limits a desk (docs/benchmarks.md). A failing operation never takes its neighbours with
it: a batch that fails is undone and carried out kind by kind, a kind that fails one by one. The caller hears after
the commit and not before: "done" means on disk.
"""

from __future__ import annotations

import asyncio
import queue
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import structlog
from sqlalchemy import Connection, Engine
from sqlalchemy.exc import DBAPIError, IntegrityError

from bot.metrics import committed
from bot.store.engine import out_of_order
from channels.faults import NotStored

log = structlog.get_logger()
MAX_BATCH = 256
KEEP_SECONDS = 1.0
"""A connection that has rested longer goes through the pool again, which asks whether it still lives."""
RETRIES = 3
RACES = ("40P01", "40001")
"""PostgreSQL: deadlock detected, serialization failure."""

type Together[I, O] = Callable[[Connection, Sequence[I]], Sequence[O | Exception]]
"""Carries out many operations of one kind; an outcome per item in their order, an exception where one has failed
and has written nothing. Raising means that none of them was done."""


@dataclass(frozen=True, slots=True, eq=False)
class _Operation:
    run: Together[Any, Any]
    item: Any
    future: asyncio.Future[Any]


_Outcome = tuple[_Operation, Any]


class Writer:
    """Runs operations durably, many per commit.

    Both ways of writing raise NotStored when the database is full, gone or busy; whatever the operation itself
    raised otherwise. An IntegrityError is retried: a racing writer on another machine got there first, and the
    operation, seeing its row, will take the other branch.
    """

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._connection: Connection | None = None
        self._used_at = 0.0
        self._queue: queue.SimpleQueue[_Operation | None] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._loop, name="writer", daemon=True)
        self._thread.start()

    async def write[T](self, run: Callable[[Connection], T]) -> T:
        """Carries out one operation like no other; see `write_together`."""
        result: T = await self.write_together(_alone, run)
        return result

    async def write_together[I, O](self, run: Together[I, O], item: I) -> O:
        """Carries out `run` for this item and all others that wait with the same `run`.

        A caller that goes away (a client hanging up) takes its own waiting with it, not the commit.
        """
        future: asyncio.Future[O] = asyncio.get_running_loop().create_future()
        self._queue.put(_Operation(run, item, future))
        return await future

    def close(self) -> None:
        """Finishes what is queued and ends the thread."""
        self._queue.put(None)
        self._thread.join()

    def _loop(self) -> None:
        while (first := self._queue.get()) is not None:
            batch, last = self._gather(first)
            began = time.perf_counter()
            self._commit(batch)
            committed(len(batch), time.perf_counter() - began)
            if last:
                break
        self._let_go()

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

    def _commit(self, batch: Sequence[_Operation]) -> None:
        groups = _groups(batch)
        if len(groups) == 1:
            self._commit_group(groups[0])
            return
        try:
            outcomes = self._transact(groups)
        except Exception as error:
            log.info("commit_split", operations=len(batch), error=_database_reason(error))
            for group in groups:
                self._commit_group(group)
        else:
            _tell(outcomes)

    def _commit_group(self, group: Sequence[_Operation]) -> None:
        """Operations of one kind in a transaction of their own; if that fails, each of them in one of its own."""
        failure: Exception
        for _ in range(RETRIES):
            try:
                _tell(self._transact([group]))
                return
            except Exception as error:
                failure = error
                if not _lost_a_race(error):
                    break
        if len(group) > 1:
            for operation in group:
                self._commit_group([operation])
            return
        told = _translated(failure)
        if isinstance(told, NotStored):
            log.error("commit_failed", error=_database_reason(failure))
        _tell([(group[0], told)])

    def _transact(self, groups: Sequence[Sequence[_Operation]]) -> Sequence[_Outcome]:
        """One transaction, committed when this returns."""
        try:
            connection = self._kept()
            with connection.begin():
                return [outcome for group in groups for outcome in _run(connection, group)]
        except Exception:
            self._let_go()
            raise

    def _kept(self) -> Connection:
        """The same connection as long as there is a lot to do: then a batch pays for its commit and nothing else."""
        now = time.monotonic()
        if now - self._used_at > KEEP_SECONDS:
            self._let_go()
        self._used_at = now
        self._connection = self._connection or self._engine.connect()
        return self._connection

    def _let_go(self) -> None:
        """A connection that rested or failed may be broken. What it had open is rolled back."""
        connection, self._connection = self._connection, None
        if connection is not None:
            with suppress(DBAPIError):
                connection.close()


def _lost_a_race(error: Exception) -> bool:
    """Another writer was first, or PostgreSQL chose this transaction as the victim of a deadlock: it may go again."""
    sqlstate = getattr(error.orig, "sqlstate", None) if isinstance(error, DBAPIError) else None
    return isinstance(error, IntegrityError) or sqlstate in RACES


def _run(connection: Connection, group: Sequence[_Operation]) -> Sequence[_Outcome]:
    return list(zip(group, group[0].run(connection, [one.item for one in group]), strict=True))


def _groups(batch: Sequence[_Operation]) -> list[Sequence[_Operation]]:
    """By kind, in the order of arrival; what is like no other stays alone."""
    found: dict[Any, list[_Operation]] = {}
    for operation in batch:
        found.setdefault(operation if operation.run is _alone else operation.run, []).append(operation)
    return list(found.values())


def _tell(outcomes: Sequence[_Outcome]) -> None:
    """One wake-up per event loop, not one per operation."""
    loops: dict[asyncio.AbstractEventLoop, list[_Outcome]] = {}
    for outcome in outcomes:
        loops.setdefault(outcome[0].future.get_loop(), []).append(outcome)
    for loop, theirs in loops.items():
        with suppress(RuntimeError):  # the loop is closed: nobody waits any more
            loop.call_soon_threadsafe(_settle, theirs)


def _settle(outcomes: Sequence[_Outcome]) -> None:
    for operation, value in outcomes:
        if operation.future.cancelled():
            continue
        if isinstance(value, Exception):
            operation.future.set_exception(value)
        else:
            operation.future.set_result(value)


def _alone[T](connection: Connection, items: Sequence[Callable[[Connection], T]]) -> Sequence[T | Exception]:
    """An operation like no other: it is its own group (see `_groups`)."""
    (run,) = items
    return [run(connection)]


def _translated(error: Exception) -> Exception:
    if isinstance(error, DBAPIError) and out_of_order(error):
        return NotStored(f"the database could not store it ({_database_reason(error)})")
    return error


def _database_reason(error: Exception) -> str:
    """The database's own words; never the statement or its parameters, which are customers' text."""
    lines = str(error.orig).splitlines() if isinstance(error, DBAPIError) else []
    return lines[0] if lines else type(error).__name__
