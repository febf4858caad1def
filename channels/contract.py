"""What a channel is: how people's words come in and how ours go out.

A channel is one folder under `channels/` whose `__init__.py` has `build(context) -> Channel`. It imports nothing
of the desk but this module and those beside it, `<part>_contract`. Everything a channel needs (accept, the transcript,
settings, wording) is handed to it in a `ChannelContext`.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from pathlib import Path
from typing import Any, Protocol

from starlette.routing import BaseRoute

from channels.caps_contract import Caps
from channels.files_contract import Attachment, Evidence
from channels.live_contract import Announcements, Attention, Invitations, Receipt, Uploads
from channels.public_contract import Public
from channels.record_contract import Complaint, Recorder


class Kind(StrEnum):
    """What an inbound message is. Only MESSAGE is answered; the others are kept and accounted for."""

    MESSAGE = "message"
    AUTOMATIC = "automatic"
    """Out-of-office notes, lists, bulk mail: never answered (RFC 3834 section 2)."""
    BOUNCE = "bounce"
    READ_RECEIPT = "read_receipt"
    FEEDBACK_REPORT = "feedback_report"
    OWN = "own"
    """Something we sent ourselves that came back."""


def spoken(tag: object) -> str | None:
    """A language tag (RFC 5646) as one of ours: "en", "zh" (简体), "zh-Hant" (繁體), or None.

    Chinese of Taiwan, Hong Kong and Macao is 繁體 unless the tag names the other script.
    """
    first, *more = tag.strip().lower().replace("_", "-").split("-") if isinstance(tag, str) else [""]
    if first != "zh":
        return "en" if first == "en" else None
    hant = "hant" in more or ("hans" not in more and not _HANT_REGIONS.isdisjoint(more))
    return "zh-Hant" if hant else "zh"


_HANT_REGIONS = frozenset({"tw", "hk", "mo"})


@dataclass(frozen=True, kw_only=True)
class Account:
    """Which exchange user speaks, and how that was proven. Never filled from what the person merely claims."""

    uid: str
    name: str
    proven_by: str
    email: str = ""
    """The address registered with the account, when who proved the account said it; never one that was typed."""
    until: datetime | None = None
    """When the proof runs out; None: the channel cannot say, and the desk believes it for a short while."""
    detail: str = ""
    """More about the proof for agents, for example the masked address that a code was sent to."""


@dataclass(frozen=True, kw_only=True)
class InboundMessage:
    """One message as it arrived, before anything of it is interpreted."""

    channel: str
    external_id: str
    """Unique within the channel; a repeated delivery of the same message carries the same id."""
    conversation_key: str
    """The channel's own name of the conversation; made by the server, never chosen by the peer."""
    sender: str
    """Where answers go: a mail address, a chat session."""
    raw: bytes
    received_at: datetime
    envelope: Mapping[str, Any] = field(default_factory=dict)
    """Small JSON of what the transport knew (envelope addresses, client message id). "files": what came ahead of the
    message, each with id, name, size, sha256 and type."""
    account: Account | None = None
    language: str | None = None
    """A hint (see `spoken`) from the surroundings, used when the text itself does not tell."""


@dataclass(frozen=True, kw_only=True)
class Accepted:
    """The message is on disk. Only now may the peer hear OK."""

    inbox_id: int
    conversation_id: int
    seq: int
    """Position in the conversation, counted over both directions, from 1, without gaps."""
    duplicate: bool


class Accept(Protocol):
    """Stores one message durably, or raises NotStored."""

    async def __call__(self, message: InboundMessage) -> Accepted: ...


@dataclass(frozen=True, kw_only=True)
class ReadMessage:
    """What the channel understood of the raw bytes."""

    text: str
    """What the person newly wrote; quoted history and signature stripped."""
    kind: Kind = Kind.MESSAGE
    subject: str = ""
    attachments: tuple[Attachment, ...] = ()
    thread: Mapping[str, str] = field(default_factory=dict)
    """What `send` will need to thread an answer under this message."""
    payload: str | None = None
    """A quick reply that was pressed: one of the names in `actions.commands.BUTTONS` or `class:<label>`;
    or a wish that the desk sees to itself: "prove", "appeal", "language"."""
    urgent: bool = False
    """The sender marked it as a complaint (投诉 / "complaint" in the subject)."""
    invitation: str | None = None
    """A one-time token that the person brought along from another conversation of theirs."""
    note: str | None = None
    """A sentence for agents when something is odd (unverified sender, unreadable parts)."""
    continues: str | None = None
    """Key of the conversation that it is proven to continue, though stored in another: whose case becomes its own."""
    seems_to_continue: tuple[str, ...] = ()
    """Keys of conversations of this channel that it names without belonging to them: shown to agents, nothing more."""
    complaint: Complaint | None = None
    unfetched: int = 0
    """Files that `Channel.skim` left at the peer."""
    public: Public = field(default_factory=Public)
    undelivered: str | None = None
    """Of a BOUNCE: the `OutboundMessage.message_id`, checked to be ours, of what its address will never take."""


class Author(StrEnum):
    USER = "user"
    BOT = "bot"
    AGENT = "agent"
    DESK = "desk"
    """The desk itself: acknowledgements and notices that no bot wit decided."""


@dataclass(frozen=True, kw_only=True)
class OutboundMessage:
    """One message to send. The same outbox id and message id come again when a send is repeated."""

    outbox_id: int
    message_id: str
    """A fixed unique name made when the row was queued; a mail's Message-ID is built from it."""
    conversation_id: int
    conversation_key: str
    recipient: str
    seq: int
    author: Author
    author_name: str
    text: str
    language: str
    buttons: Sequence[tuple[str, str]] = ()
    """(name, title) of quick replies."""
    thread: Mapping[str, str] = field(default_factory=dict)
    """`ReadMessage.thread` of the newest message of this conversation."""
    subject: str = ""
    unsubscribe: str = ""
    """Of a broadcast: the address where one POST ends the subscription (RFC 8058). "" for everything else."""
    case_number: str | None = None
    automatic: bool = True
    """False when a person wrote it."""
    created_at: datetime


@dataclass(frozen=True, kw_only=True)
class SendReceipt:
    peer_id: str = ""
    """The id under which the peer took it, if it gives one; where nothing was `posted`, why."""
    posted: bool = True


@dataclass(frozen=True, kw_only=True)
class SentFile:
    """A file of a message, as its sender may see it."""

    id: str
    name: str
    size: int
    content_type: str = ""


@dataclass(frozen=True, kw_only=True)
class Entry:
    """One line of a conversation as its user may see it (no internal notes, nothing dropped or unsent)."""

    seq: int
    author: Author
    author_name: str
    text: str
    at: datetime
    buttons: Sequence[tuple[str, str]] = ()
    client_id: str | None = None
    files: Sequence[SentFile] = ()


class Transcript(Protocol):
    """A user's view of one conversation, for channels that show it (live chat)."""

    async def entries(self, conversation_key: str, after_seq: int) -> list[Entry]:
        """Entries after `after_seq`, oldest first. An unknown conversation has none."""
        ...

    async def language(self, conversation_key: str) -> str | None: ...

    def changes(self, conversation_key: str) -> AbstractAsyncContextManager[AsyncIterator[Sequence[Entry] | None]]:
        """Yields once for each wake-up after the conversation changed; wake-ups may be merged, never lost.

        The entries that came, when whoever brought them knows; they may be known already, and earlier ones may be
        missing. None: `entries` knows.
        """
        ...

    async def receipt(self, external_id: str) -> Receipt | None:
        """What became of a message, wherever its conversation went since; None when no such message is stored."""
        ...


class Words(Protocol):
    """The catalogue of everything we say, in both languages and both Chinese scripts."""

    def say(self, key: str, language: str, **values: object) -> str: ...

    def written(self, text: str, language: str) -> str:
        """Simplified Chinese of ours that is in no catalogue, in the script of `language`."""
        ...


@dataclass(frozen=True, kw_only=True)
class Capabilities:
    """What differs between channels, as data."""

    max_characters: int
    patience_seconds: float
    """How long a user may wait for the bot before the desk says that a person will answer."""
    live: bool = False
    """The user is watching: told within minutes when nobody comes. Others hear once per promised answer time."""
    announces: bool = False
    """The peer tells its user that something has come (a push message), wherever they are: no mail need say it."""
    one_reply: bool = False
    """All replies of one turn leave as one message (mail)."""
    buttons: bool = False
    formatted: bool = False
    """Messages may have a form of their own besides the text: see `Channel.formatted`."""
    immediate: bool = False
    """The user reads the transcript itself: what a turn says has arrived with its commit, and `send` has nothing to do.
    Needs `repeat_harmless`."""
    repeat_harmless: bool = False
    """True when sending the same outbox id twice shows one message (the peer dedupes)."""
    caps: Caps | None = None
    """None: the channel itself refuses what is too much, or nobody can send much."""
    public: bool = False
    """Everybody can read what is written here: nothing personal is said, and a link proves nothing (`is_public`)."""
    keyed_in: bool = False
    """Agents key in what reaches us here (`Channel.recorder`), and no machine carries our answers: `send` raises
    ByHand, and they wait until an agent has told or posted them. `ReadMessage.thread` has "way" (a `Way`) and, as far
    as they are known, "name", "phone" and "address"."""
    broadcasts: bool = False
    """Whether notices may be sent here to those who subscribed. Where `reaches` is empty the peer vouches for who
    writes, and users subscribe by saying so."""
    reaches: str = ""
    """"email": the desk can open a conversation with an e-mail address here (`escalation/letters.py`). Its key is 24
    characters of [a-z2-7]."""


@dataclass(frozen=True, kw_only=True)
class ChannelContext:
    settings: Mapping[str, Any]
    """The channel's own section of the configuration, as written; the channel checks it."""
    host: str
    """The address to listen on."""
    ports: Mapping[str, int]
    """Ports of the operating contract by name, for example "smtp"."""
    exchange_names: Mapping[str, str]
    """The exchange's name by language."""
    data_dir: Path
    public_url: str
    secret: bytes
    """32 bytes of this instance, for signing; derive a key per purpose."""
    accept: Accept
    transcript: Transcript
    evidence: Evidence
    uploads: Uploads
    attention: Attention
    invitations: Invitations
    words: Words
    site_origins: Sequence[str]
    """Origins of the exchange's own sites: they may embed what a channel offers to browsers."""
    app_token_secret: str
    """Verifies the exchange app's signed tokens (HS256); empty when none are accepted."""
    announcements: Announcements | None = None
    """Notices to show beside the conversation, for channels whose users watch; None where there are none."""


@dataclass(frozen=True, kw_only=True)
class Figures:
    """What a channel counts about itself. Names are fixed words of ours, never a peer's."""

    connections: int = 0
    """Open now."""
    refused: Mapping[str, int] = field(default_factory=dict)
    """Messages and connections not taken since the start, by reason."""


class Channel(ABC):
    """One way in and out. `start` and `stop` bracket receiving; a pure web channel leaves them empty."""

    name: str
    capabilities: Capabilities

    async def start(self) -> None:
        """Opens listeners. Raises OSError when a port is in use."""
        return

    async def stop(self) -> None:
        """Stops taking new messages, lets those in hand finish."""
        return

    async def close(self) -> None:
        """Lets everything go. Comes after `stop`, when what was taken has been read and answered."""
        return

    def door(self) -> str:
        """Where people find this channel: an address or a link, to be printed and shown. "" when it has none."""
        return ""

    def title(self, language: str) -> str:
        """What users call this channel."""
        return self.name.capitalize()

    def start_link(self, token: str, language: str) -> str:
        """A link that begins a conversation here and brings the token of an invitation; "" when there is no such
        thing. Tokens are 43 characters of [A-Za-z0-9_-]."""
        return ""

    def is_public(self, conversation_key: str) -> bool:
        """Whether one conversation is, for channels that have both kinds."""
        return self.capabilities.public

    def recorder(self) -> Recorder | None:
        """Takes what agents key in; None where messages come by themselves."""
        return None

    def routes(self) -> Sequence[BaseRoute]:
        """Web routes of this channel, mounted as they are."""
        return ()

    def deaf(self) -> str | None:
        """A sentence when the channel's listener is down, so that nobody can be heard; None when it listens."""
        return None

    def trouble(self) -> str | None:
        """A sentence when something of the channel is out of order, though it listens; None when all is well."""
        return None

    def figures(self) -> Figures:
        """Read whenever the desk is asked for its metrics: it must be quick."""
        return Figures()

    @abstractmethod
    async def read(self, raw: bytes, envelope: Mapping[str, Any]) -> ReadMessage:
        """Interprets raw bytes. Must not fail on bad input: an unreadable message has a `note` instead."""

    async def skim(self, raw: bytes, envelope: Mapping[str, Any]) -> ReadMessage:
        """Like `read`, but fetches no file: it counts them as `unfetched`, with a note for agents."""
        return await self.read(raw, envelope)

    async def formatted(self, raw: bytes, envelope: Mapping[str, Any]) -> str | None:
        """The message as its sender laid it out: a stranger's HTML, as it came. None where there is no such form, or it
        cannot be read. Whoever shows it cleans it."""
        return None

    @abstractmethod
    async def send(self, message: OutboundMessage) -> SendReceipt:
        """Sends. Raises RetryLater, OutcomeUnknown, NeedsPerson, ByHand or Rejected."""
