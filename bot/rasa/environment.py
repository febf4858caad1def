"""What has to be so before Rasa is imported. Standard library only."""

from __future__ import annotations

import os
import tempfile
import warnings
from pathlib import Path
from typing import Any


def prepare(temporary: str) -> None:
    """Switches off telemetry, chatter and extra threads; Rasa unpacks models into the folder `temporary`.

    A private folder: the shared temporary one is open to other users of the machine.
    """
    warnings.showwarning = _drop
    tempfile.tempdir = temporary
    os.environ.update(
        TMPDIR=temporary,
        RASA_CACHE_DIRECTORY=str(Path(temporary) / "cache"),
        RASA_TELEMETRY_ENABLED="false",
        SQLALCHEMY_SILENCE_UBER_WARNING="1",
        TF_CPP_MIN_LOG_LEVEL="3",
        OMP_NUM_THREADS="1",
        LOG_LEVEL="WARNING",
        LOG_LEVEL_LIBRARIES="ERROR",
    )


def _drop(*_: Any, **__: Any) -> None:
    """Takes the place of `warnings.showwarning`: the warnings are Rasa's and its libraries' own affair."""
