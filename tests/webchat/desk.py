"""A desk in memory behind a real chat: what `accept` and the transcript promise, and a server on a free port."""

from __future__ import annotations

import asyncio
import socket
from collections import defaultdict
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, cast, override

import uvicorn
from starlette.applications import Starlette

from bot import wording
from bot.files import Files
from bot.hub import Hub, conversation_topic
from channels import webchat
from channels.contract import Accepted, Author, Channel, ChannelContext, Entry, InboundMessage, SentFile
from channels.faults import NotStored
from channels.live_contract import Invited, Receipt, Uploads
from tests.webchat.attention import FakeAttention

APP_SECRET = "the app and the desk share this key of enough bytes"
EXCHANGE_NAMES = {"en": "Demo Exchange", "zh": "演示交易所", "zh-Hant": "演示交易所"}
LISTED_SITE = "https://www.exchange.example"
WEBCHAT = Path(webchat.__file__).parent


@dataclass
class FakeDesk:
    """Stores in lists. `fail_next` faults are raised once each; `held` keeps every accept waiting until set."""

    hub: Hub = field(default_factory=Hub)
    inbox: list[InboundMessage] = field(default_factory=list)
    fail_next: list[Exception] = field(default_factory=list)
    held: asyncio.Event | None = None
    reader: Channel | None = None
    unwatched: defaultdict[str, asyncio.Event] = field(default_factory=lambda: defaultdict(asyncio.Event))
    """Set when a connection stopped watching the conversation."""
    languages: dict[str, str] = field(default_factory=dict)
    uploads: Uploads | None = None
    """The real ones, where a test sends files."""
    attention: FakeAttention = field(init=False)
    _entries: defaultdict[str, list[Entry]] = field(default_factory=lambda: defaultdict(list))
    _last_seq: defaultdict[str, int] = field(default_factory=lambda: defaultdict(int))
    _known: dict[str, Accepted] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.attention = FakeAttention(self.hub)
        self.invitations = FakeInvitations(self)

    async def accept(self, message: InboundMessage) -> Accepted:
        if self.held is not None:
            await self.held.wait()
        if self.fail_next:
            raise self.fail_next.pop(0)
        if known := self._known.get(message.external_id):
            return Accepted(
                inbox_id=known.inbox_id, conversation_id=known.conversation_id, seq=known.seq, duplicate=True
            )
        self.inbox.append(message)
        seq = self._next(message.conversation_key)
        accepted = Accepted(inbox_id=len(self.inbox), conversation_id=1, seq=seq, duplicate=False)
        self._known[message.external_id] = accepted
        assert self.reader is not None
        read = await self.reader.read(message.raw, message.envelope)
        self._show(
            message.conversation_key,
            seq,
            Author.USER,
            read.text,
            client_id=message.envelope["client_id"],
            files=[
                SentFile(id=file["id"], name=file["name"], size=file["size"])
                for file in message.envelope.get("files", ())
            ],
        )
        return accepted

    async def entries(self, conversation_key: str, after_seq: int) -> list[Entry]:
        known = sorted(self._entries[conversation_key], key=lambda entry: entry.seq)
        return [entry for entry in known if entry.seq > after_seq]

    async def receipt(self, external_id: str) -> Receipt | None:
        raise AssertionError("the chat gives no receipts")

    async def language(self, conversation_key: str) -> str | None:
        return self.languages.get(conversation_key)

    @asynccontextmanager
    async def changes(self, conversation_key: str) -> AsyncGenerator[AsyncIterator[Sequence[Entry] | None]]:
        try:
            async with self.hub.watch(conversation_topic("webchat", conversation_key)) as wakeups:
                yield wakeups
        finally:
            self.unwatched[conversation_key].set()

    def say(
        self,
        key: str,
        text: str,
        author: Author = Author.BOT,
        name: str = "",
        buttons: Sequence[tuple[str, str]] = (),
    ) -> int:
        seq = self._next(key)
        self._show(key, seq, author, text, name, buttons)
        return seq

    def say_later(self, key: str, text: str) -> Callable[[], None]:
        """Takes a number now, as a queued answer does; the returned function makes it visible."""
        seq = self._next(key)
        return lambda: self._show(key, seq, Author.BOT, text)

    def lose(self, key: str) -> None:
        """The conversation is gone, as after a backup was restored."""
        self._entries.pop(key, None)
        self._last_seq.pop(key, None)
        self._known.clear()

    def _next(self, key: str) -> int:
        self._last_seq[key] += 1
        return self._last_seq[key]

    def _show(
        self,
        key: str,
        seq: int,
        author: Author,
        text: str,
        name: str = "",
        buttons: Sequence[tuple[str, str]] = (),
        client_id: str | None = None,
        files: Sequence[SentFile] = (),
    ) -> None:
        entry = Entry(
            seq=seq,
            author=author,
            author_name=name,
            text=text,
            at=datetime.now(UTC),
            buttons=tuple(buttons),
            client_id=client_id,
            files=files,
        )
        self._entries[key].append(entry)
        self.hub.publish(conversation_topic("webchat", key))


class FakeInvitations:
    """Tokens by what they lead on with; each is good once, and whoever follows one is told so in the chat."""

    def __init__(self, desk: FakeDesk) -> None:
        self._desk = desk
        self.open: dict[str, Invited] = {}
        self.followed: list[tuple[str, str, str]] = []

    async def link(self, conversation_key: str, language: str) -> str:
        raise AssertionError("the chat invites nobody into the chat")

    async def look(self, token: str, language: str) -> Invited | None:
        return self.open.get(token)

    async def follow(self, token: str, conversation_key: str, language: str) -> bool:
        if self.open.pop(token, None) is None:
            return False
        self.followed.append((token, conversation_key, language))
        self._desk.say(conversation_key, "Both belong together now.", Author.DESK)
        return True


class _Server(uvicorn.Server):
    @override
    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """The signals belong to pytest."""
        yield


@dataclass
class RunningChat:
    desk: FakeDesk
    channel: Channel
    port: int

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def socket_url(self) -> str:
        return f"ws://127.0.0.1:{self.port}/chat/ws"


def build_channel(desk: FakeDesk, public_url: str, settings: Mapping[str, Any], data_dir: Path) -> Channel:
    context = ChannelContext(
        settings=settings,
        host="127.0.0.1",
        ports={},
        exchange_names=EXCHANGE_NAMES,
        data_dir=data_dir,
        public_url=public_url,
        secret=b"s" * 32,
        accept=desk.accept,
        evidence=Files(data_dir / "evidence"),
        uploads=cast(Uploads, desk.uploads),
        attention=desk.attention,
        invitations=desk.invitations,
        transcript=desk,
        words=wording.load(WEBCHAT),
        site_origins=[LISTED_SITE],
        app_token_secret=APP_SECRET,
    )
    desk.reader = webchat.build(context)
    return desk.reader


@asynccontextmanager
async def serving(app: Starlette, listener: socket.socket | None = None) -> AsyncGenerator[int]:
    """Serves until the block ends; the port. The socket listens before the server runs: nobody has to wait for it."""
    with listener or socket.create_server(("127.0.0.1", 0)) as listening:
        # Frames larger than our own limit reach us, so that it is ours that the tests meet.
        server = _Server(uvicorn.Config(app, lifespan="off", ws_max_size=2**20, log_level="critical"))
        task = asyncio.create_task(server.serve(sockets=[listening]))
        try:
            yield listening.getsockname()[1]
        finally:
            server.should_exit = True
            await task


@asynccontextmanager
async def running_chat(
    settings: Mapping[str, Any] | None = None, *, desk: FakeDesk | None = None, port: int = 0
) -> AsyncGenerator[RunningChat]:
    listener = socket.create_server(("127.0.0.1", port))
    url = f"http://127.0.0.1:{listener.getsockname()[1]}"
    desk = desk or FakeDesk()
    channel = build_channel(desk, url, settings or {}, Path())
    await channel.start()
    async with serving(Starlette(routes=channel.routes()), listener) as bound:
        try:
            yield RunningChat(desk, channel, bound)
        finally:
            await channel.stop()
            await channel.close()


def not_stored(after_seconds: float | None = None) -> NotStored:
    return NotStored("the disk is full", after_seconds)


def in_an_hour() -> datetime:
    return datetime.now(UTC) + timedelta(hours=1)
