"""Which model answers, and how another takes its place while messages come in.

Conversations are not the model's: they are in the tracker store, which every model that follows is given. A turn that
has begun ends on the model it began with; the next one of the same conversation waits for it and is the new model's.
"""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any, Callable, FrozenSet, Optional, Tuple

from rasa.core.channels.channel import UserMessage

from actions.logs import log
from bot.rasa.channel import RASA_OWN
from bot.rasa.lean import fits_here
from bot.rasa.processor import StrictProcessor
from bot.rasa.stamp import fault_of, file_digest, stamp_path

WATCH_SECONDS = 2.0
"""How often the model's files are looked at; a look costs two questions to the file system."""

Load = Callable[[Path, Optional[StrictProcessor]], StrictProcessor]


class Serving:
    def __init__(self, path: Path, load: Load) -> None:
        """Loads the model. Raises whatever a broken archive provokes."""
        self._path = path
        self._load = load
        self._seen = self._look()
        self.model = file_digest(path)
        """The digest of the archive that answers."""
        self.fault: Optional[str] = None
        """Why a newer archive did not take its place."""
        self._take(load(path, None))

    async def handle(self, message: UserMessage) -> Any:
        async with self._processor.lock_store.lock(message.sender_id):
            return await self._processor.handle_message(message)

    async def watch(self) -> None:
        """For ever: takes up a model that was put in the place of this one."""
        while True:
            await asyncio.sleep(WATCH_SECONDS)
            await self.follow()

    async def follow(self) -> None:
        """Loads the archive if it is another one now. When it is broken the model that answers stays."""
        seen = self._look()
        if seen == self._seen:
            return
        self._seen = seen
        try:
            taken = await asyncio.get_running_loop().run_in_executor(None, self._fresh)
        except Exception as error:  # whatever a damaged archive provokes
            self._stay(
                f"The model {self._path} cannot be loaded ({type(error).__name__}): the one before keeps serving."
            )
            return
        if taken is not None:
            self.model, processor = taken
            self._take(processor)
            log("info", "another model answers now", model=self.model[:12])

    def _fresh(self) -> Optional[Tuple[str, StrictProcessor]]:
        """The digest and the processor of the archive as it is; None when it is the one that answers, or broken."""
        fault = fault_of(self._path)
        if fault is None and not fits_here(self._path):
            fault = f"The model {self._path} needs TensorFlow, which this process left out: start Rasa again."
        if fault is not None:
            self._stay(f"{fault} The one before keeps serving.")
            return None
        self.fault = None
        digest = file_digest(self._path)
        return None if digest == self.model else (digest, self._load(self._path, self._processor))

    def _take(self, processor: StrictProcessor) -> None:
        processor.tracker_store.domain = processor.domain
        self._processor = processor
        self.buttons: FrozenSet[str] = frozenset(processor.domain.intents) - RASA_OWN

    def _stay(self, sentence: str) -> None:
        self.fault = sentence
        log("error", "the model stays", reason=sentence)

    def _look(self) -> Tuple[Tuple[int, int, int], ...]:
        """Changes when the archive or its stamp does."""
        return tuple(_mark(path) for path in (self._path, stamp_path(self._path)))


def _mark(path: Path) -> Tuple[int, int, int]:
    try:
        found = path.stat()
    except OSError:
        return 0, 0, 0
    return found.st_ino, found.st_mtime_ns, found.st_size
