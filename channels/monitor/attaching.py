"""The files of a message as attachments; what cannot be had becomes a note for agents."""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from channels.contract import Words
from channels.faults import RetryLater
from channels.files_contract import Attachment
from channels.monitor.files import Files, Gone, NotNow, TooLarge
from channels.monitor.parts import clean

PATIENCE_SECONDS = 120.0
"""For so long a file that cannot be fetched holds up its message; then the words go on without it."""
REMEMBERED = 10_000


@dataclass(frozen=True)
class Found:
    """A file that is still at the network."""

    url: str
    filename: str
    content_type: str


@dataclass(frozen=True)
class Attached:
    """What became of a message's files: those that are here, a note for each that is missing, and how many were left
    at the network because nobody asked for them yet."""

    files: Sequence[Attachment] = ()
    notes: Sequence[str] = ()
    unfetched: int = 0


class Attaching:
    def __init__(
        self, channel: str, files: Files, words: Words, monotonic: Callable[[], float] = time.monotonic
    ) -> None:
        """Says `<channel>.note_file_too_large`, `_not_fetched` and `_over_cap`."""
        self._channel = channel
        self._files = files
        self._words = words
        self._monotonic = monotonic
        self._first_tried: OrderedDict[str, float] = OrderedDict()

    async def of(self, found: Sequence[Found], language: str, *, fetching: bool) -> Attached:
        """Raises RetryLater while a file may still come. Without `fetching` they are only counted."""
        if found and not fetching:
            note = self._words.say(f"{self._channel}.note_file_over_cap", language, number=len(found))
            return Attached(notes=(note,), unfetched=len(found))
        attachments, notes = [], []
        for each in found:
            try:
                data = await self._one(each.url)
            except TooLarge:
                notes.append(self._missing("too_large", each, language))
            except Gone:
                notes.append(self._missing("not_fetched", each, language))
            else:
                attachments.append(Attachment(filename=_name(each), content_type=clean(each.content_type), data=data))
        return Attached(attachments, notes)

    def _missing(self, why: str, found: Found, language: str) -> str:
        values = {"name": _name(found), "link": clean(found.url)[:500]}
        return self._words.say(f"{self._channel}.note_file_{why}", language, **values)

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
            raise RetryLater("a file of the message cannot be fetched yet") from fault


def _name(found: Found) -> str:
    return clean(found.filename)[:200]
