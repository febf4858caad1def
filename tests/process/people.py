"""People who write to a desk that may die under their hands, and try again as real clients do."""

from __future__ import annotations

import asyncio
import json
from dataclasses import dataclass, field
from email.message import EmailMessage
from email.policy import SMTP
from typing import Any, Protocol
from uuid import uuid4

import aiosmtplib
import httpx
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import WebSocketException

RETRY_SECONDS = 0.2


class Doors(Protocol):
    """Where people find a desk: a process of it, or whatever spreads people over several."""

    @property
    def url(self) -> str: ...

    @property
    def smtp_port(self) -> int: ...


class NotSaved(Exception):
    """The desk said that a message is not saved. `seconds` is when to come again."""

    def __init__(self, seconds: float) -> None:
        super().__init__(seconds)
        self.seconds = seconds


@dataclass
class Chatter:
    """Chats over one session; keeps what it saw, by sequence number, exactly as a widget would."""

    desk: Doors
    language: str = "en"
    token: str | None = None
    session: dict[str, str] = field(default_factory=dict)
    seen: dict[int, dict[str, Any]] = field(default_factory=dict)
    stored: list[str] = field(default_factory=list)
    errors: list[dict[str, Any]] = field(default_factory=list)
    shown_twice: int = 0
    """Entries that came again although the desk knew that they had been shown, or that had changed meanwhile."""
    told: asyncio.Event = field(default_factory=asyncio.Event)
    _shown_here: set[int] = field(default_factory=set)

    async def say(self, text: str) -> None:
        """Until it is stored: reconnects and sends again under the same id."""
        client_id = uuid4().hex
        while True:
            try:
                async with self.connected() as socket:
                    await socket.send(json.dumps({"type": "message", "id": client_id, "text": text}))
                    await self.listen(socket, until=client_id)
                    return
            except NotSaved as refusal:
                await asyncio.sleep(refusal.seconds)
            except (OSError, WebSocketException, httpx.HTTPError, TimeoutError):
                await asyncio.sleep(RETRY_SECONDS)

    def connected(self) -> _Connection:
        return _Connection(self)

    async def listen(self, socket: ClientConnection, *, until: str | None = None, seconds: float = 10) -> None:
        """Takes frames in until the message `until` is stored, or for `seconds`. Raises NotSaved, TimeoutError."""
        async with asyncio.timeout(seconds):
            while True:
                frame = json.loads(await socket.recv())
                self.take(frame)
                if frame["type"] == "stored" and frame["id"] == until:
                    self.stored.append(frame["id"])
                    return
                if frame["type"] == "error" and frame["id"] == until:
                    raise NotSaved(frame["retry_after_seconds"])

    def take(self, frame: dict[str, Any]) -> None:
        if frame["type"] == "error":
            self.errors.append(frame)
        entries = frame.get("entries", []) if frame["type"] == "welcome" else [frame]
        for entry in entries:
            if entry.get("type", "entry") == "entry":
                self._show(entry)

    def _show(self, entry: dict[str, Any]) -> None:
        seq, before = entry["seq"], self.seen.get(entry["seq"])
        changed = before is not None and (before["author"], before["text"]) != (entry["author"], entry["text"])
        self.shown_twice += changed or seq in self._shown_here
        self._shown_here.add(seq)
        self.seen[seq] = entry
        if entry["author"] != "user":
            self.told.set()

    def after(self) -> int:
        """The highest number up to which it has everything; begins a new connection's reckoning."""
        floor = 0
        while floor + 1 in self.seen:
            floor += 1
        self._shown_here = set(range(1, floor + 1))
        return floor

    async def wait_for(self, count: int, seconds: float = 20) -> list[str]:
        """What others said, once there are at least `count` of them."""
        async with asyncio.timeout(seconds):
            while len(self.heard()) < count:
                try:
                    async with self.connected() as socket:
                        while len(self.heard()) < count:
                            self.take(json.loads(await socket.recv()))
                except (OSError, WebSocketException, httpx.HTTPError):
                    await asyncio.sleep(RETRY_SECONDS)
        return self.heard()

    def heard(self) -> list[str]:
        return [entry["text"] for _, entry in sorted(self.seen.items()) if entry["author"] != "user"]


class _Connection:
    """One WebSocket of a chatter: session, hello, and the entries missed meanwhile."""

    def __init__(self, chatter: Chatter) -> None:
        self._chatter = chatter

    async def __aenter__(self) -> ClientConnection:
        chatter = self._chatter
        if not chatter.session:
            async with httpx.AsyncClient(trust_env=False, timeout=5) as http:
                made = (await http.post(f"{chatter.desk.url}/chat/session", json={})).raise_for_status().json()
            chatter.session = {"session": made["session"], "secret": made["secret"]}
        self._open = connect(chatter.desk.url.replace("http", "ws", 1) + "/chat/ws", open_timeout=5)
        socket = await self._open.__aenter__()
        try:
            await self._greet(socket)
        except BaseException:
            await self._open.__aexit__(None, None, None)
            raise
        return socket

    async def _greet(self, socket: ClientConnection) -> None:
        chatter = self._chatter
        hello = {"type": "hello", "version": 1, **chatter.session, "after": chatter.after()}
        await socket.send(json.dumps({**hello, "language": chatter.language, "token": chatter.token}))
        async with asyncio.timeout(10):
            chatter.take(json.loads(await socket.recv()))

    async def __aexit__(self, *_error: object) -> None:
        await self._open.__aexit__(None, None, None)


async def post(desk: Doors, mail: bytes, sender: str, recipient: str = "complaints@exchange.example") -> str:
    """Sends one mail until it is accepted, as a mail server does; the server's last words."""
    while True:
        try:
            async with aiosmtplib.SMTP(hostname="127.0.0.1", port=desk.smtp_port, timeout=10) as smtp:
                await smtp.ehlo()
                await smtp.mail(sender)
                await smtp.rcpt(recipient)
                answer = await smtp.data(mail)
                return f"{answer.code} {answer.message}"
        except (aiosmtplib.SMTPResponseException, aiosmtplib.SMTPException, OSError) as error:
            if isinstance(error, aiosmtplib.SMTPResponseException) and error.code >= 500:
                raise
            await asyncio.sleep(RETRY_SECONDS)


def letter(sender: str, subject: str, text: str) -> bytes:
    mail = EmailMessage(policy=SMTP)
    mail["From"], mail["To"], mail["Subject"] = sender, "complaints@exchange.example", subject
    mail["Message-ID"] = f"<{uuid4().hex}@mail.example>"
    mail.set_content(text)
    return mail.as_bytes()
