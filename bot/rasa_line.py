"""HTTP to Rasa: one call per message over connections that are kept, answers taken apart by httptools.

A client library does more than this call needs (cookies, redirects, proxies, encodings): 0.3 ms of processor time
instead of 0.1, and several times that when Rasa has had the processor in between (docs/decisions/0028).
"""

from __future__ import annotations

import asyncio
import ssl
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Literal, cast, override
from urllib.parse import urlsplit

from httptools import HttpParserError, HttpResponseParser

MAX_CONNECTIONS: Final = 100
KEPT_SECONDS: Final = 15.0
"""An unused connection is not used again later: the other side may be about to close it."""
_PORTS: Final = {"http": 80, "https": 443}


class BrokenOff(Exception):
    """The connection ended, or what came was no HTTP, before the answer was whole."""


class TooLong(Exception):
    """The answer has more bytes than are wanted."""


@dataclass(frozen=True, slots=True)
class Answer:
    status: int
    content: bytes


class Line:
    """At most `MAX_CONNECTIONS` calls at a time, all to one server; the others wait. Belongs to one event loop."""

    def __init__(self, url: str, headers: Mapping[str, str], *, most_bytes: int) -> None:
        """`url` has no path. Raises ValueError for one that is not http or https, or for a line break in a header."""
        parts = urlsplit(url)
        if parts.scheme not in _PORTS or parts.hostname is None:
            raise ValueError(f"{url} is no address of an HTTP server")
        self._host, self._port = parts.hostname, parts.port or _PORTS[parts.scheme]
        self._tls = ssl.create_default_context() if parts.scheme == "https" else None
        fields = "".join(f"{name}: {value}\r\n" for name, value in {"Host": parts.netloc, **headers}.items())
        if fields.count("\n") != len(headers) + 1 or fields.count("\r") != len(headers) + 1:
            raise ValueError("a header has a line break in it")
        self._fields = fields.encode("latin-1")
        self._prefix = parts.path.rstrip("/")
        self._most_bytes = most_bytes
        self._free = asyncio.Semaphore(MAX_CONNECTIONS)
        self._idle: list[_Connection] = []

    async def call(self, method: Literal["GET", "POST"], path: str, body: bytes = b"") -> Answer:
        """Raises OSError when no connection can be made, BrokenOff, TooLong. Whoever does not wait for the end
        (cancellation, a time-out) ends the connection, so that nobody gets another's answer."""
        request = b"%s %s HTTP/1.1\r\n%sContent-Length: %d\r\n\r\n%s" % (
            method.encode(),
            (self._prefix + path).encode(),
            self._fields,
            len(body),
            body,
        )
        async with self._free:
            connection = self._kept() or await self._connected()
            try:
                answer = await connection.exchange(request)
            except BaseException:
                connection.end()
                raise
            if connection.is_open:
                connection.rested_at = time.monotonic()
                self._idle.append(connection)
            return answer

    def close(self) -> None:
        for connection in self._idle:
            connection.end()
        self._idle.clear()

    def _kept(self) -> _Connection | None:
        """The one that was used last."""
        while self._idle:
            connection = self._idle.pop()
            if connection.is_open and time.monotonic() - connection.rested_at < KEPT_SECONDS:
                return connection
            connection.end()
        return None

    async def _connected(self) -> _Connection:
        loop = asyncio.get_running_loop()
        _, connection = await loop.create_connection(
            lambda: _Connection(self._most_bytes), self._host, self._port, ssl=self._tls
        )
        return connection


class _Connection(asyncio.Protocol):
    """One call at a time. The `on_` methods are httptools' calls while it reads."""

    def __init__(self, most_bytes: int) -> None:
        self.is_open = False
        self.rested_at = 0.0
        self._most_bytes = most_bytes
        self._transport: asyncio.Transport | None = None
        self._answer: asyncio.Future[Answer] | None = None
        self._parser = HttpResponseParser(self)
        self._content = bytearray()

    async def exchange(self, request: bytes) -> Answer:
        """Raises BrokenOff, TooLong; then the connection is of no use any more."""
        if self._transport is None or not self.is_open:
            raise BrokenOff("the connection was closed meanwhile")
        self._answer = asyncio.get_running_loop().create_future()
        self._transport.write(request)
        return await self._answer

    def end(self) -> None:
        self.is_open = False
        if self._transport is not None:
            self._transport.abort()

    @override
    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)
        self.is_open = True

    @override
    def data_received(self, data: bytes) -> None:
        try:
            self._parser.feed_data(data)
        except HttpParserError as error:
            self._fail(BrokenOff(f"no HTTP ({type(error).__name__})"))

    @override
    def connection_lost(self, exc: Exception | None) -> None:
        self._fail(BrokenOff("the connection ended"))

    def on_message_begin(self) -> None:
        self._content = bytearray()
        if self._answer is None or self._answer.done():
            self.end()  # it speaks without having been asked: what it says would be taken for the next answer

    def on_body(self, body: bytes) -> None:
        self._content += body
        if len(self._content) > self._most_bytes:
            self._fail(TooLong(f"more than {self._most_bytes} bytes"))

    def on_message_complete(self) -> None:
        self.is_open = self.is_open and self._parser.should_keep_alive()
        if self._answer is not None and not self._answer.done():
            self._answer.set_result(Answer(self._parser.get_status_code(), bytes(self._content)))

    def _fail(self, error: Exception) -> None:
        self.end()
        if self._answer is not None and not self._answer.done():
            self._answer.set_exception(error)
