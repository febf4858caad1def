"""The files of a message as attachments; what cannot be had becomes a note, and its sender hears of it once."""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Callable, Sequence

from telegram import Message

from channels.contract import Words
from channels.faults import RetryLater
from channels.files_contract import Attachment
from channels.telegram.content import Found, files_of
from channels.telegram.courtesy import Courtesy
from channels.telegram.files import Files, Gone, NotNow, TooLarge

PATIENCE_SECONDS = 120.0
"""For so long a file that cannot be fetched holds up its message; then the words go on without it."""
REMEMBERED = 10_000


class Attaching:
    def __init__(
        self,
        files: Files | None,
        words: Words,
        courtesy: Courtesy,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        """`files`: None when the channel is off; then nothing can be fetched."""
        self._files = files
        self._words = words
        self._courtesy = courtesy
        self._monotonic = monotonic
        self._first_tried: OrderedDict[int, float] = OrderedDict()
        self._told: OrderedDict[int, None] = OrderedDict()

    async def of(self, message: Message, update_id: int, language: str) -> tuple[Sequence[Attachment], Sequence[str]]:
        """The attachments and the notes about those that are missing. Raises RetryLater while one may still come."""
        attachments, notes = [], []
        for found in files_of(message):
            try:
                attachments.append(await self._one(found, update_id))
            except TooLarge:
                notes.append(self._missing("too_large", message, update_id, language))
            except Gone:
                notes.append(self._missing("not_fetched", message, update_id, language))
        return attachments, notes

    def count(self, message: Message) -> int:
        return len(list(files_of(message)))

    async def _one(self, found: Found, update_id: int) -> Attachment:
        """Raises TooLarge, Gone or RetryLater."""
        if self._files is None:
            raise Gone
        try:
            data = await self._files.fetch(found.file_id, found.size)
        except NotNow as fault:
            now = self._monotonic()
            since = self._first_tried.setdefault(update_id, now)
            _bound(self._first_tried)
            if now - since >= PATIENCE_SECONDS:
                raise Gone from fault
            raise RetryLater("a file of the message cannot be fetched from Telegram yet") from fault
        return Attachment(filename=found.filename, content_type=found.content_type, data=data)

    def _missing(self, why: str, message: Message, update_id: int, language: str) -> str:
        """The note for agents. The sender hears of it once, however often the message is read."""
        if self._files is not None and update_id not in self._told:
            self._told[update_id] = None
            _bound(self._told)
            megabytes = f"{self._files.max_bytes / 1_000_000:g}"
            text = self._words.say(f"telegram.file_{why}", language, megabytes=megabytes)
            self._courtesy.say(message.chat.id, text)
        return self._words.say(f"telegram.note_file_{why}", language)


def _bound[T](remembered: OrderedDict[int, T]) -> None:
    while len(remembered) > REMEMBERED:
        remembered.popitem(last=False)
