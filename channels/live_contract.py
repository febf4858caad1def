"""The second half of the contract: what a channel needs whose users watch, send files ahead, or come from elsewhere."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import AbstractAsyncContextManager, AbstractContextManager
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from pathlib import Path
from typing import Protocol


class Holder(StrEnum):
    """Who has the word in a conversation besides its user."""

    BOT = "bot"
    QUEUE = "queue"
    """A person is awaited; nobody has come yet."""
    AGENT = "agent"


@dataclass(frozen=True, kw_only=True)
class Situation:
    """Who speaks with the user at this moment, and how far both have read."""

    owner: Holder
    name: str = ""
    """Of the agent."""
    here: bool = False
    """The agent has the conversation open right now."""
    thinking: bool = False
    """The bot is working on an answer."""
    seen: int = 0
    """A person at the desk has seen the conversation up to this number."""
    read: int = 0
    """The user has, on some device."""


class Attention(Protocol):
    """Who is there and what was read, for channels whose users watch. Nothing of it is part of the conversation."""

    async def situation(self, conversation_key: str) -> Situation: ...

    def changes(self, conversation_key: str) -> AbstractAsyncContextManager[AsyncIterator[object]]:
        """Yields once for each wake-up after the situation may have changed; wake-ups may be merged, never lost."""
        ...

    def agent_types(self, conversation_key: str) -> AbstractAsyncContextManager[AsyncIterator[object]]:
        """Yields when the agent who has the conversation is typing. What was not heard at once is lost."""
        ...

    def user_types(self, conversation_key: str) -> None:
        """Tells the agents that the user is typing. The channel limits how often."""
        ...

    def present(self, conversation_key: str) -> AbstractContextManager[None]:
        """The user counts as connected while inside, once however many connections there are."""
        ...

    async def user_read(self, conversation_key: str, seq: int) -> None:
        """The user has seen everything up to `seq`. A lower number than before changes nothing."""
        ...


class ByEmail(StrEnum):
    """Whether the news of a conversation go to an e-mail address that its user gave."""

    NO = "no"
    ASKED = "asked"
    """The address is to be confirmed. A letter that asks for it goes to an address at most once a day."""
    CONFIRMED = "confirmed"


@dataclass(frozen=True, kw_only=True)
class Receipt:
    """What became of a stored message."""

    raw_sha256: str
    """Of its bytes as they were stored."""
    number: str = ""
    """Of the case; "" while there is none."""
    link: str = ""
    """Opens the case's page; "" when there is no case, or its links were revoked."""
    by_email: ByEmail = ByEmail.NO


class UploadFault(StrEnum):
    """Why a file, or a piece of one, is not taken."""

    GONE = "no_such_file"
    """Unknown, expired, or of another conversation: nobody learns which."""
    OFFSET = "wrong_offset"
    BUSY = "file_busy"
    """Another request is writing to it."""
    EMPTY = "empty_file"
    TOO_LARGE = "file_too_large"
    TOO_MANY = "too_many_files"
    """This conversation has too much waiting that no message names yet."""
    DAILY = "too_much_today"
    """This conversation has sent as much within a day as it may."""
    NO_ROOM = "no_room"
    """The desk has, or its disk is full: it may be different later."""
    INCOMPLETE = "file_incomplete"
    USED = "file_used"
    """Another message has it already."""
    UNSCANNED = "file_unscanned"
    """Asked back before the virus scanner has judged it."""
    INFECTED = "file_infected"
    """Asked back, but malware was found in it."""


class UploadRefused(Exception):
    def __init__(self, fault: UploadFault) -> None:
        super().__init__(fault.value)
        self.fault = fault


@dataclass(frozen=True, kw_only=True)
class UploadLimits:
    file_bytes: int
    """Of one file."""
    waiting_files: int
    """Of one conversation, not yet named by a message."""
    waiting_bytes: int
    """Likewise."""
    waiting_bytes_in_all: int
    """Bytes that have come of all conversations together."""
    bytes_per_day: int
    """Announced by one conversation within 24 hours, whether messages name them or not."""
    free_disk_bytes: int
    """Of the disk, that files leave to the rest of the desk."""


@dataclass(frozen=True, kw_only=True)
class Upload:
    """A file that comes, or came, ahead of its message."""

    id: str
    filename: str
    size: int
    received: int
    """Bytes that are safely there: the next piece begins here."""
    sha256: str | None
    """None until all bytes are there."""
    content_type: str
    expires_at: datetime
    """When it is thrown away unless a piece of it comes, or a message names it, first."""


class Uploads(Protocol):
    """Files that come in pieces ahead of their message. An upload belongs to one conversation and one message.

    Every method raises UploadRefused, or NotStored when the desk cannot store now.
    """

    async def begin(self, conversation_key: str, filename: str, size: int, limits: UploadLimits) -> Upload: ...

    async def find(self, conversation_key: str, upload_id: str) -> Upload: ...

    async def append(
        self, conversation_key: str, upload_id: str, offset: int, pieces: AsyncIterator[bytes], limits: UploadLimits
    ) -> Upload:
        """Adds what `pieces` yield; what came before they broke off is kept, and their error is raised."""
        ...

    async def drop(self, conversation_key: str, upload_id: str) -> None:
        """Throws away what no message names."""
        ...

    async def claim(self, conversation_key: str, upload_ids: Sequence[str], external_id: str) -> Sequence[Upload]:
        """Moves complete files into the evidence store for the message `external_id`, for good. Repeating it for
        the same message is harmless. When one of them is refused the message gets none, and the others wait again."""
        ...

    async def path(self, conversation_key: str, upload_id: str) -> Path:
        """Where the bytes of a complete upload lie."""
        ...


@dataclass(frozen=True, kw_only=True)
class Invited:
    """What an invitation leads on with."""

    title: str
    """What its channel is called; "" when it comes from the page of a case."""
    public: bool
    """Everybody can read it: following it proves nothing, and a code has to go back by the author's account."""


class Invitations(Protocol):
    """One-time links from one conversation into the live chat (docs/decisions/0023). Each raises NotStored."""

    async def link(self, conversation_key: str, language: str) -> str:
        """A new link, good for one use and about a day; "" when there is no live chat. In a public one
        (`Channel.is_public`) everybody may see it."""
        ...

    async def look(self, token: str, language: str) -> Invited | None:
        """What a token stands for, without using it; None when it is no good (any more)."""
        ...

    async def follow(self, token: str, conversation_key: str, language: str) -> bool:
        """The user of this conversation says that the invitation is theirs; what follows is said there. False when
        it is no good (any more)."""
        ...


@dataclass(frozen=True, kw_only=True)
class Announcement:
    """A notice that a subscriber was sent."""

    id: int
    """Grows with time."""
    title: str
    text: str
    at: datetime


@dataclass(frozen=True, kw_only=True)
class Announced:
    """What is to be shown beside a conversation."""

    subscribed: bool
    items: Sequence[Announcement] = ()
    """Newest first."""


class Announcements(Protocol):
    """Notices to the user of a conversation. They are not part of it; `Transcript.changes` wakes for them too."""

    async def of(self, conversation_key: str) -> Announced: ...
