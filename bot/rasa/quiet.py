"""Keeps Rasa's talk out of the output: it logs message texts and slot values, down to the user's own words."""

from __future__ import annotations

import logging
import re
from typing import Any, NoReturn

import structlog
from structlog.typing import EventDict

from actions.logs import log, quiet_libraries

_NAME = re.compile(r"[a-z_.]{1,80}")


def quiet_rasa() -> None:
    """Of Rasa's own events only the name is kept, of everything else only the place (actions/logs.py)."""
    quiet_libraries("rasa")
    structlog.configure(
        processors=[_name_only],
        wrapper_class=structlog.make_filtering_bound_logger(logging.WARNING),
        cache_logger_on_first_use=False,
    )


def _name_only(_logger: Any, level: str, event: EventDict) -> NoReturn:
    name = str(event.get("event", ""))
    log(level, "rasa event", name=name if _NAME.fullmatch(name) else None)
    raise structlog.DropEvent
