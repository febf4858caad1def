"""JSON lines on standard error, without a word of any user. Standard library only: both Python sides use it.

Our own lines say what we put in them. Of a library's line only its place and the kind of exception are kept:
Rasa and the web server put message texts, slot values and addresses into theirs.
"""

from __future__ import annotations

import json
import logging
import sys
import time

Field = str | int | float | bool | None


def log(level: str, event: str, **fields: Field) -> None:
    """Writes one line. `event` is a fixed phrase; `fields` are ids, names, numbers, never words of users."""
    _write({"level": level, "event": event, **fields})


def quiet_libraries(source: str) -> None:
    """Sends every library's warnings and errors through here without their words; `source` names the process."""
    handler = _Bare(source)
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(logging.WARNING)
    for name in list(logging.root.manager.loggerDict):
        logger = logging.getLogger(name)
        logger.handlers[:] = []
        logger.propagate = True
        logger.setLevel(logging.NOTSET)


class _Bare(logging.Handler):
    def __init__(self, source: str) -> None:
        super().__init__(logging.WARNING)
        self._source = source

    # typing.override needs Python 3.12; this module also runs on 3.10.
    def emit(self, record: logging.LogRecord) -> None:  # type: ignore[explicit-override]
        kind = record.exc_info[0] if record.exc_info else None
        _write(
            {
                "level": record.levelname.lower(),
                "event": "library log line",
                "source": self._source,
                "place": f"{record.name}:{record.lineno}",
                "exception": kind.__name__ if kind else None,
            }
        )


def _write(line: dict[str, Field]) -> None:
    at = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
    sys.stderr.write(json.dumps({"at": at, **line}, ensure_ascii=False) + "\n")
    sys.stderr.flush()
