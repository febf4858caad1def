"""JSON logs without customers' text: event names and ids are ours, exceptions are told by type and place only."""

from __future__ import annotations

import atexit
import logging
import queue
import sys
import threading
import traceback
from contextlib import suppress
from typing import IO, Any, TextIO, cast

import structlog
from structlog.typing import EventDict, Processor

MAX_LINES = 1000
CLOSE_SECONDS = 2.0
QUIET = {
    "mail.log": logging.CRITICAL,
    "httpx": logging.WARNING,
    "httpcore": logging.WARNING,
    "asyncio": logging.CRITICAL,
}
"""Loggers of libraries that write addresses, links or texts at their usual level."""


def set_up(stream: IO[str] | None = None) -> None:
    """Every line on standard output (or `stream`) is one JSON object, whoever logs it.

    Our own events go straight there: through the standard library's machinery a line costs as much as a commit.
    """
    logging.raiseExceptions = False
    out = _Patient(stream or sys.stdout)
    shared: list[Processor] = [
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        _place_of_exception,
    ]
    as_json = structlog.processors.JSONRenderer(ensure_ascii=True)
    structlog.configure(
        processors=[*shared, as_json],
        wrapper_class=structlog.make_filtering_bound_logger(logging.INFO),
        logger_factory=structlog.WriteLoggerFactory(cast(TextIO, out)),
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(out)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, as_json],
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(logging.INFO)
    for name, level in QUIET.items():
        logging.getLogger(name).setLevel(level)


class _Patient:
    """A stream that a thread of its own writes to: nobody waits for the log, and its faults are nobody's concern.

    A full log disk, or a reader that stopped reading, must not stop the desk. What waits is written at the exit.
    """

    def __init__(self, stream: IO[str]) -> None:
        self._stream = stream
        self._lines: queue.SimpleQueue[str | None] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._loop, name="log", daemon=True)
        self._thread.start()
        atexit.register(self._close)

    def write(self, text: str) -> None:
        self._lines.put(text)

    def flush(self) -> None:
        """The thread flushes what it writes."""

    def _loop(self) -> None:
        lines: list[str | None] = []
        while None not in lines:
            lines = [self._lines.get()]
            lines += [self._lines.get() for _ in range(min(self._lines.qsize(), MAX_LINES))]
            with suppress(OSError, ValueError):
                self._stream.write("".join(line for line in lines if line is not None))
                self._stream.flush()

    def _close(self) -> None:
        self._lines.put(None)
        self._thread.join(timeout=CLOSE_SECONDS)


def _place_of_exception(_logger: Any, _method: str, event: EventDict) -> EventDict:
    """An exception's message may quote a customer; its type and the places it went through cannot."""
    found = event.pop("exc_info", None)
    if found is True:
        found = sys.exc_info()
    error = found[1] if isinstance(found, tuple) else found
    if isinstance(error, BaseException):
        frames = traceback.extract_tb(error.__traceback__)
        event["exception"] = type(error).__name__
        event["places"] = [f"{frame.filename.rsplit('/', 1)[-1]}:{frame.lineno} {frame.name}" for frame in frames[-8:]]
    return event
