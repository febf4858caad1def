"""The database as the rest of the program sees it: `read` and `write`, each taking a function of a connection."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

from sqlalchemy import Connection
from sqlalchemy.exc import DBAPIError

from bot.store.engine import assert_durable, lengthen_log, open_engine, out_of_order
from bot.store.writer import Together, Writer
from channels.faults import NotStored


class Store:
    """`write` returns after the commit (a thread that writes, group commit); `read` sees only committed rows."""

    def __init__(self, url: str, *, readers: int = 4) -> None:
        self.url = url
        self._writing = open_engine(url, writer=True)
        self._reading = open_engine(url)
        assert_durable(self._writing)
        self._writer = Writer(self._writing)
        self._readers = ThreadPoolExecutor(readers, thread_name_prefix="reader")

    def prepare(self) -> None:
        """What makes the first commits as quick as later ones."""
        if self._writing.dialect.name == "sqlite":
            lengthen_log(self.url)

    async def write[T](self, run: Callable[[Connection], T]) -> T:
        """Raises NotStored when the database cannot store now; what `run` raised otherwise (nothing kept then)."""
        return await self._writer.write(run)

    async def write_together[I, O](self, run: Together[I, O], item: I) -> O:
        """As `write`, for operations of which many come at a time: `run` is given all that wait."""
        return await self._writer.write_together(run, item)

    async def read[T](self, run: Callable[[Connection], T]) -> T:
        """Raises NotStored when the database cannot be reached."""
        return await asyncio.get_running_loop().run_in_executor(self._readers, self._read, run)

    def _read[T](self, run: Callable[[Connection], T]) -> T:
        try:
            with self._reading.connect() as connection:
                return run(connection)
        except DBAPIError as error:
            if not out_of_order(error):
                raise
            raise NotStored("the database cannot be read now") from error

    def close(self) -> None:
        self._writer.close()
        self._readers.shutdown()
        self._writing.dispose()
        self._reading.dispose()
