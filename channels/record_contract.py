"""What agents key in for somebody: a written complaint, a call, a letter; and how the answer reaches that person."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Protocol

from channels.live_contract import Upload


@dataclass(frozen=True, kw_only=True)
class Complaint:
    """What a filled-in form says beyond its words. It is a complaint by itself: its turn makes a case of it, and the
    bot is not asked."""

    label: str
    """The class that was chosen, or "unclassified"."""
    language: str
    """Of the form: the answers speak it too."""
    words: str
    """What its author wrote, without the words that asked for it: those say nothing about the matter."""
    facts: Mapping[str, str] = field(default_factory=dict)
    """Under the names that the bot uses, so that nothing is asked again."""
    email: str = ""
    """Where its author wants to be written to. Typed, not proven: nothing of the complaint goes there before that."""
    keyed_in_by: str = ""
    """"agent:<id>" when an agent filled it in for somebody who called or wrote on paper."""
    case_number: str = ""
    """Of the case that it belongs to: that agent made sure that it is the same person's."""


class Arrived(StrEnum):
    """How it reached us."""

    CALL = "call"
    LETTER = "letter"


class Way(StrEnum):
    """How its author wants to hear from us."""

    TOLD = "told"
    """By voice: at once, and later by a call."""
    PAPER = "paper"
    EMAIL = "email"
    """To an address that was only said: its owner confirms it first."""


@dataclass(frozen=True, kw_only=True)
class KeyedIn:
    """A call or a letter as an agent keyed it in. Everything about its author is what they claim, nothing is proven."""

    arrived: Arrived
    at: datetime
    """When it reached us: from then on the clocks run, whenever it was keyed in."""
    words: str
    language: str
    label: str
    """The class, or "unclassified"."""
    way: Way
    taken_by: str
    """The name of who took the call or opened the letter."""
    keyed_in_by: str
    """"agent:<id>"."""
    name: str = ""
    phone: str = ""
    address: str = ""
    email: str = ""
    uid: str = ""
    case_number: str = ""
    """Of the case that it is about, as its author says."""
    same_person: bool = False
    """The agent made sure that whose case this is has called or written."""


class Recorder(Protocol):
    """Takes what is keyed in. `key` is the server's name of the conversation: the same one twice is one complaint.

    Every method raises NotStored when the desk cannot store now.
    """

    @property
    def max_files(self) -> int: ...

    @property
    def max_file_bytes(self) -> int: ...

    async def keep(self, key: str, filename: str, size: int, pieces: AsyncIterator[bytes]) -> Upload:
        """Takes a recording or a scan. Raises UploadRefused."""
        ...

    async def find(self, key: str, upload_id: str) -> Upload:
        """A file that was kept before. Raises UploadRefused."""
        ...

    async def record(self, key: str, told: KeyedIn, upload_ids: Sequence[str]) -> int:
        """Returns the conversation's id when all of it is durable. With the same key and other words it is one more
        message of the same conversation. Raises UploadRefused."""
        ...
