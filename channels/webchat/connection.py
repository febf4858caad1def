"""One WebSocket of a chat: greets, resumes, takes messages, shows new entries."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Coroutine, Sequence
from contextlib import AbstractContextManager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from starlette.websockets import WebSocket, WebSocketDisconnect

from channels.contract import Accepted, Account, Entry, Transcript, Words
from channels.faults import RetryLater
from channels.live_contract import Announced, Announcements, Attention
from channels.web.budget import Budget
from channels.web.sessions import Sessions
from channels.webchat.cursor import Cursor
from channels.webchat.frames import (
    VERSION,
    BadFrame,
    ClientFrame,
    Hello,
    Message,
    Ping,
    Press,
    Seen,
    SpeakLanguage,
    Token,
    Typing,
    dump,
    entry_fields,
    news_fields,
    parse,
)
from channels.webchat.receive import Receiver, Refused, Speaker
from channels.webchat.settings import WebChatSettings
from channels.webchat.tasks import until_one_ends
from channels.webchat.tokens import AppTokens, BadToken
from channels.webchat.watching import Watcher

WELCOME_ENTRIES = 200
"""Entries in the welcome itself; the others follow as frames of their own."""
GOING_AWAY, POLICY, TOO_BIG = 1001, 1008, 1009
"""Close codes, RFC 6455 section 7.4.1."""


class Goodbye(Exception):
    """The connection ends with this close code, after an error frame if there is something to say."""

    def __init__(self, close_code: int, error_code: str | None = None) -> None:
        super().__init__(close_code, error_code)
        self.close_code = close_code
        self.error_code = error_code


@dataclass(frozen=True)
class Desk:
    """What every connection works with."""

    settings: WebChatSettings
    sessions: Sessions
    tokens: AppTokens
    receiver: Receiver
    transcript: Transcript
    attention: Attention
    announcements: Announcements | None
    words: Words
    link_origins: tuple[str, ...]
    admit: Callable[[str], AbstractContextManager[None]]
    """Counts a connection of a session while it lasts. Raises Goodbye when there are too many."""


class Connection:
    def __init__(self, desk: Desk, websocket: WebSocket) -> None:
        self._desk = desk
        self._websocket = websocket
        self._frames = Budget(desk.settings.frames_per_minute, time.monotonic)
        self._speaker = Speaker(session_id="", language="en")
        self._cursor = Cursor(0)
        self._sending = asyncio.Lock()
        self._watcher: Watcher | None = None
        self._announcements: Announcements | None = None
        self._announced: Announced | None = None

    async def run(self) -> None:
        """Until the client leaves (WebSocketDisconnect) or is sent away; then the socket is closed."""
        try:
            await self._talk()
        except Goodbye as goodbye:
            with suppress(Goodbye):
                if goodbye.error_code:
                    await self._say_error(goodbye.error_code)
            await self._websocket.close(goodbye.close_code)

    async def _talk(self) -> None:
        hello = await self._greeting()
        self._speaker.session_id = hello.session
        with self._desk.admit(hello.session):
            # Watching begins before the first look: what is said in between is a wake-up, not a gap.
            async with self._desk.transcript.changes(hello.session) as wakeups:
                await self._welcome(hello)
                self._announcements = self._desk.announcements if hello.news else None
                await until_one_ends(self._listen(), self._show(wakeups), *self._watch(hello))

    def _watch(self, hello: Hello) -> list[Coroutine[Any, Any, None]]:
        """The live part, for a client that understands it."""
        if not hello.live:
            return []
        per_minute = self._desk.settings.typing_per_minute
        self._watcher = Watcher(self._desk.attention, hello.session, self._send, per_minute)
        return [self._watcher.run()]

    async def _greeting(self) -> Hello:
        frame = await self._first_frame()
        self._speaker.language = frame.language or "en"
        if frame.version != VERSION:
            raise Goodbye(POLICY, "unsupported_version")
        if not self._desk.sessions.valid(frame.session, frame.secret):
            raise Goodbye(POLICY, "bad_session")
        if frame.language is None:
            self._speaker.language = await self._desk.transcript.language(frame.session) or "en"
        return frame

    async def _first_frame(self) -> Hello:
        try:
            frame = parse(await self._receive(self._desk.settings.hello_seconds))
        except BadFrame:
            raise Goodbye(POLICY, "bad_frame") from None
        if not isinstance(frame, Hello):
            raise Goodbye(POLICY, "bad_frame")
        return frame

    async def _welcome(self, hello: Hello) -> None:
        token_error = self._prove(hello.token)
        entries, reset = await self._missed(hello.after)
        await self._send(
            {
                "type": "welcome",
                "version": VERSION,
                "session": hello.session,
                "language": self._speaker.language,
                "reset": reset,
                "entries": [entry_fields(entry) for entry in self._cursor.take(entries[:WELCOME_ENTRIES])],
                "account": _account_fields(self._account()),
                "max_characters": self._desk.settings.max_characters,
                "max_file_bytes": self._desk.settings.max_file_bytes,
                "max_files": self._desk.settings.max_files_per_message,
                "link_origins": self._desk.link_origins,
            }
        )
        if token_error:
            await self._say_error(token_error)

    async def _missed(self, after: int) -> tuple[list[Entry], bool]:
        """Entries after `after`; or all, and True, when the entry `after` itself is not there (reset)."""
        if after == 0:
            return await self._desk.transcript.entries(self._speaker.session_id, 0), False
        entries = await self._desk.transcript.entries(self._speaker.session_id, after - 1)
        if entries and entries[0].seq == after:
            self._cursor = Cursor(after)
            return entries[1:], False
        return await self._desk.transcript.entries(self._speaker.session_id, 0), True

    async def _show(self, wakeups: AsyncIterator[Sequence[Entry] | None]) -> None:
        await self._show_new(None)
        await self._show_news()
        async for came in wakeups:
            with suppress(RetryLater):  # the store is out of order: the next wake-up looks again
                await self._show_new(came)
                await self._show_news()

    async def _show_new(self, came: Sequence[Entry] | None) -> None:
        """`came` spares the look, unless something before it is missing."""
        entries = came
        if entries is None or not self._cursor.reaches(entries):
            entries = await self._desk.transcript.entries(self._speaker.session_id, self._cursor.floor)
        await self._send(*({"type": "entry", **entry_fields(entry)} for entry in self._cursor.take(entries)))

    async def _show_news(self) -> None:
        """Notices, for a client that understands them; again when something of them changed."""
        if self._announcements is None:
            return
        announced = await self._announcements.of(self._speaker.session_id)
        if announced != self._announced:
            self._announced = announced
            await self._send(news_fields(announced))

    async def _listen(self) -> None:
        while True:
            client_id: str | None = None
            try:
                raw = await self._receive(self._desk.settings.idle_seconds)
                frame = parse(raw)
                client_id = getattr(frame, "id", None)
                await self._take(frame, raw)
            except BadFrame as error:
                await self._say_error("bad_frame", error.client_id)
            except Refused as refused:
                self._desk.receiver.refused[refused.code] += 1
                await self._say_error(refused.code, client_id, refused.retry_after_seconds)

    async def _take(self, frame: ClientFrame, raw: bytes) -> None:
        match frame:
            case Message():
                await self._forget_expired_proof()
                await self._say_stored(frame.id, await self._desk.receiver.message(self._speaker, frame, raw))
            case Press():
                await self._forget_expired_proof()
                await self._say_stored(frame.id, await self._desk.receiver.press(self._speaker, frame, raw))
            case Token():
                await self._take_token(frame.token)
            case SpeakLanguage():
                self._speaker.language = frame.language
                await self._send({"type": "language", "language": frame.language})
            case Typing() | Seen():
                await self._pass_on(frame)
            case Ping():
                await self._send({"type": "pong"})
            case Hello():
                raise BadFrame

    async def _pass_on(self, frame: Typing | Seen) -> None:
        """What nobody answers to. A client cannot have read what it was not shown."""
        if self._watcher is None:
            return
        if isinstance(frame, Typing):
            self._watcher.user_types()
        else:
            await self._watcher.user_read(min(frame.seq, self._cursor.highest))

    async def _take_token(self, token: str | None) -> None:
        error = self._prove(token)
        await self._send({"type": "account", "account": _account_fields(self._account())})
        if error:
            await self._say_error(error)

    def _prove(self, token: str | None) -> str | None:
        """Takes the token's account, or none; the error code when the token proves nothing."""
        self._speaker.proof = None
        if token is None:
            return None
        try:
            self._speaker.proof = self._desk.tokens.check(token)
        except BadToken:
            return "expired_token"
        return None

    async def _forget_expired_proof(self) -> None:
        proof = self._speaker.proof
        if proof is not None and not proof.holds(datetime.now(UTC)):
            self._speaker.proof = None
            await self._say_error("expired_token")

    def _account(self) -> Account | None:
        return None if self._speaker.proof is None else self._speaker.proof.account

    async def _receive(self, seconds: float) -> bytes:
        """The next text frame, exactly as it came. Raises BadFrame for a binary one, Goodbye when none comes."""
        try:
            async with asyncio.timeout(seconds):
                event = await self._websocket.receive()
        except TimeoutError:
            raise Goodbye(GOING_AWAY) from None
        if event["type"] == "websocket.disconnect":
            raise WebSocketDisconnect(event.get("code", 1005))
        if self._frames.take():
            raise Goodbye(POLICY, "too_fast")
        if event.get("text") is None:
            raise BadFrame
        raw: bytes = event["text"].encode()
        if len(raw) > self._desk.settings.max_frame_bytes:
            raise Goodbye(TOO_BIG)
        return raw

    async def _say_stored(self, client_id: str, accepted: Accepted) -> None:
        await self._send({"type": "stored", "id": client_id, "seq": accepted.seq})
        if self._watcher:
            await self._watcher.tell()

    async def _say_error(
        self, code: str, client_id: str | None = None, retry_after_seconds: float | None = None
    ) -> None:
        words = self._desk.words.say(f"webchat.error_{code}", self._speaker.language, **self._desk.settings.figures)
        seconds = None if retry_after_seconds is None else round(retry_after_seconds, 1)
        await self._send(
            {"type": "error", "id": client_id, "code": code, "message": words, "retry_after_seconds": seconds}
        )

    async def _send(self, *frames: dict[str, Any]) -> None:
        """One frame after the other; a client that does not read is sent away instead of filling our memory."""
        try:
            for text in [dump(frame) for frame in frames]:
                async with asyncio.timeout(self._desk.settings.send_seconds), self._sending:
                    await self._websocket.send_text(text)
        except TimeoutError:
            raise Goodbye(POLICY) from None


def _account_fields(account: Account | None) -> dict[str, str] | None:
    return None if account is None else {"uid": account.uid, "name": account.name}
