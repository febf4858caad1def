"""The files of a message as attachments; what cannot be had becomes a note for agents."""

from __future__ import annotations

import asyncio
import time
from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import Enum, auto

from channels.contract import Words
from channels.faults import RetryLater
from channels.files_contract import Attachment
from channels.monitor.files import Files, Gone, NotNow, TooLarge
from channels.monitor.parts import clean

PATIENCE_SECONDS = 120.0
"""For so long files that cannot be fetched hold up their message; then the words go on without them."""
REMEMBERED = 10_000


class Missing(Enum):
    """Why a file is not here."""

    TOO_LARGE = auto()
    GONE = auto()
    NOT_NOW = auto()


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
        self._waiting: OrderedDict[tuple[str, ...], tuple[float, str]] = OrderedDict()
        """By the addresses of a message: since when it waits, and for which of them."""

    async def of(self, found: Sequence[Found], language: str, *, fetching: bool) -> Attached:
        """Raises RetryLater while a file may still come. Without `fetching` they are only counted."""
        if found and not fetching:
            note = self._words.say(f"{self._channel}.note_file_over_cap", language, number=len(found))
            return Attached(notes=(note,), unfetched=len(found))
        had = await self._had(tuple(dict.fromkeys(each.url for each in found)))
        attachments, notes = [], []
        for each in found:
            data = had[each.url]
            if isinstance(data, bytes):
                attachments.append(Attachment(filename=_name(each), content_type=clean(each.content_type), data=data))
            else:
                notes.append(self._missing(data, each, language))
        return Attached(attachments, notes)

    def _missing(self, why: Missing, found: Found, language: str) -> str:
        said = "too_large" if why is Missing.TOO_LARGE else "not_fetched"
        values = {"name": _name(found), "link": clean(found.url)[:500]}
        return self._words.say(f"{self._channel}.note_file_{said}", language, **values)

    async def _had(self, message: tuple[str, ...]) -> dict[str, bytes | Missing]:
        """What became of the addresses of one message. Raises RetryLater.

        The one that held it up is asked for first, so that those that can be had are not downloaded at every try. The
        others are asked for together: a silent server takes its time once, not once for each.
        """
        held_up = [self._waiting[message][1]] if message in self._waiting else []
        had: dict[str, bytes | Missing] = {}
        for urls in (held_up, [url for url in message if url not in held_up]):
            had |= zip(urls, await asyncio.gather(*(self._one(url) for url in urls)), strict=True)
            if late := next((url for url in urls if had[url] is Missing.NOT_NOW), None):
                self._wait(message, late)
        return had

    async def _one(self, url: str) -> bytes | Missing:
        try:
            return await self._files.fetch(url)
        except TooLarge:
            return Missing.TOO_LARGE
        except Gone:
            return Missing.GONE
        except NotNow:
            return Missing.NOT_NOW

    def _wait(self, message: tuple[str, ...], late: str) -> None:
        """All files of a message share one time. Raises RetryLater until it is over."""
        now = self._monotonic()
        since, _ = self._waiting.get(message, (now, late))
        self._waiting[message] = since, late
        while len(self._waiting) > REMEMBERED:
            self._waiting.popitem(last=False)
        if now - since < PATIENCE_SECONDS:
            raise RetryLater("a file of the message cannot be fetched yet")


def _name(found: Found) -> str:
    return clean(found.filename)[:200]
