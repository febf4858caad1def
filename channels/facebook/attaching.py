"""The files of a message as attachments; what cannot be had becomes a note for agents."""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Callable, Sequence

from channels.contract import Attachment, Words
from channels.facebook.content import Found
from channels.facebook.files import Files, Gone, NotNow, TooLarge
from channels.faults import RetryLater
from channels.monitor.parts import clean

PATIENCE_SECONDS = 120.0
"""For so long a file that cannot be fetched holds up its message; then the words go on without it."""
REMEMBERED = 10_000


class Attaching:
    def __init__(self, files: Files, words: Words, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._files = files
        self._words = words
        self._monotonic = monotonic
        self._first_tried: OrderedDict[str, float] = OrderedDict()

    async def of(self, found: Sequence[Found], language: str) -> tuple[Sequence[Attachment], Sequence[str]]:
        """The attachments and the notes about those that are missing. Raises RetryLater while one may still come."""
        attachments, notes = [], []
        for each in found:
            name = clean(each.filename)[:200]
            try:
                data = await self._one(each.url)
            except TooLarge:
                notes.append(self._words.say("facebook.note_file_too_large", language, name=name))
            except Gone:
                notes.append(self._words.say("facebook.note_file_not_fetched", language, name=name))
            else:
                attachments.append(Attachment(filename=name, content_type=clean(each.content_type), data=data))
        return attachments, notes

    async def _one(self, url: str) -> bytes:
        """Raises TooLarge, Gone or RetryLater."""
        try:
            return await self._files.fetch(url)
        except NotNow as fault:
            now = self._monotonic()
            since = self._first_tried.setdefault(url, now)
            while len(self._first_tried) > REMEMBERED:
                self._first_tried.popitem(last=False)
            if now - since >= PATIENCE_SECONDS:
                raise Gone from fault
            raise RetryLater("a file of the message cannot be fetched from Facebook yet") from fault
