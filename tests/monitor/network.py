"""A network on a free port that can be told to fail: the HTTP, the quotas and the faults that its fakes share.

Real HTTP; `fail_next` says what goes wrong next at an endpoint.
"""

from __future__ import annotations

import asyncio
import json
from abc import ABC, abstractmethod
from collections import defaultdict
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any, Self
from urllib.parse import parse_qs, urlsplit

type Connection = tuple[asyncio.StreamReader, asyncio.StreamWriter]


@dataclass(frozen=True)
class Fault:
    """How a call goes wrong. `code`: with that status; else with 200, but late, broken off, or with posts repeated and
    out of order. `reset_in`: seconds until the quota is said to be new. `after`: what Retry-After says. `done`: a post
    is taken all the same."""

    code: int = 0
    reset_in: float | None = None
    after: str | None = None
    hang: bool = False
    truncated: bool = False
    untidy: bool = False
    done: bool = False
    text: bytes | None = None


@dataclass(frozen=True)
class Call:
    method: str
    target: str
    """Path and query, as they were asked for."""
    endpoint: str
    parameters: Mapping[str, Any]
    headers: Mapping[str, str]
    at: datetime


class Refused(Exception):
    def __init__(self, code: int, word: str, sentence: str = "") -> None:
        super().__init__(word)
        self.code = code
        self.body = json.dumps({"error": word, "message": sentence} if sentence else {"error": word}).encode()


class Network(ABC):
    window = timedelta(minutes=5)

    def __init__(self, quotas: Mapping[str, int], now: Callable[[], datetime] = lambda: datetime.now(UTC)) -> None:
        self.now = now
        self.url = ""
        self.quotas = dict(quotas)
        self.calls: list[Call] = []
        """Everything that was asked, also what was refused."""
        self.fail_next: defaultdict[str, list[Fault]] = defaultdict(list)
        self.posted: list[dict[str, Any]] = []
        self.revoked = False
        self.over_quota = 0
        """Calls that came though the quota was used up."""
        self.released = asyncio.Event()
        """Ends every hanging call."""
        self.changed = asyncio.Condition()
        self._used: dict[str, tuple[datetime, int]] = {}

    @asynccontextmanager
    async def running(self) -> AsyncIterator[Self]:
        server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        async with server:
            try:
                yield self
            finally:
                self.released.set()

    async def until(self, *, posted: int) -> None:
        """Waits for that many replies."""
        async with self.changed, asyncio.timeout(20):
            await self.changed.wait_for(lambda: len(self.posted) >= posted)

    def called(self, endpoint: str) -> list[Call]:
        return [call for call in self.calls if call.endpoint == endpoint]

    @abstractmethod
    def endpoint(self, method: str, path: str) -> str:
        """The name of what was asked for; "unknown" when there is none."""

    @abstractmethod
    def check(self, call: Call) -> None:
        """Raises Refused when the caller has not proven who they are."""

    @abstractmethod
    def content(self, call: Call, path: str) -> Any:
        """Raises Refused."""

    def status(self, endpoint: str) -> int:
        """Of an answer that all is well."""
        return 200

    def lasts(self, call: Call) -> bool:
        """Whether the answer has no end, and `last` gives it."""
        return False

    async def last(self, call: Call, line: Connection) -> None:
        """Sends what comes, until the call is to end."""
        raise LookupError(call.endpoint)

    @abstractmethod
    def untidy(self, content: Any) -> Any:
        """The same page with its posts repeated and out of order."""

    @abstractmethod
    def limits(self, limit: int, left: int, reset: datetime) -> dict[str, str]:
        """The headers that tell of a quota."""

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
            line, *lines = head.split("\r\n")
            method, target, _ = line.split(" ")
            headers = {name.lower(): value.strip() for name, _, value in (each.partition(":") for each in lines)}
            body = await reader.readexactly(int(headers.get("content-length", 0)))
            await self._respond((reader, writer), method, target, headers, body)
        except (asyncio.IncompleteReadError, ConnectionError):
            return
        finally:
            writer.close()

    async def _respond(
        self, line: Connection, method: str, target: str, headers: Mapping[str, str], body: bytes
    ) -> None:
        _, writer = line
        parts = urlsplit(target)
        endpoint = self.endpoint(method, parts.path)
        call = Call(method, target, endpoint, _parameters(parts.query, headers, body), headers, self.now())
        self.calls.append(call)
        fault = self.fail_next[endpoint].pop(0) if self.fail_next[endpoint] else Fault()
        if fault.done:
            self.content(call, parts.path)
        if fault.hang:
            await self.released.wait()
            return
        code, content, more = self._answer(call, parts.path, fault)
        said = {"Date": format_datetime(self.now(), usegmt=True), "Content-Type": "application/json", **more}
        lasts = code == 200 and self.lasts(call)
        said |= {"Connection": "close"} | ({} if lasts else {"Content-Length": str(len(content))})
        head = "".join(f"{name}: {value}\r\n" for name, value in said.items())
        writer.write(f"HTTP/1.1 {code} -\r\n{head}\r\n".encode())
        if lasts:
            await writer.drain()
            await self.last(call, line)
            return
        writer.write(content[: len(content) // 2] if fault.truncated else content)
        await writer.drain()
        async with self.changed:
            self.changed.notify_all()

    def _answer(self, call: Call, path: str, fault: Fault) -> tuple[int, bytes, dict[str, str]]:
        if fault.code:
            more = {} if fault.after is None else {"Retry-After": fault.after}
            if fault.reset_in is not None:
                more |= self.limits(1, 0, self.now() + timedelta(seconds=fault.reset_in))
            return fault.code, fault.text or b'{"error":"ToldToFail"}', more
        try:
            self.check(call)
        except Refused as refused:
            return refused.code, refused.body, {}
        left, quota = self._count(call.endpoint)
        if left < 0:
            self.over_quota += 1
            return 429, b'{"error":"RateLimitExceeded"}', quota
        try:
            content = self.content(call, path)
        except Refused as refused:
            return refused.code, refused.body, quota
        if fault.untidy:
            content = self.untidy(content)
        return self.status(call.endpoint), json.dumps(content).encode() if fault.text is None else fault.text, quota

    def _count(self, endpoint: str) -> tuple[int, dict[str, str]]:
        began, used = self._used.get(endpoint, (self.now(), 0))
        if self.now() - began >= self.window:
            began, used = self.now(), 0
        self._used[endpoint] = (began, used + 1)
        limit = self.quotas.get(endpoint, 0)
        return limit - used - 1, self.limits(limit, max(0, limit - used - 1), began + self.window)


def mixed(entries: list[Any]) -> list[Any]:
    return [*entries[::2], *entries[::-1]]


def _parameters(query: str, headers: Mapping[str, str], body: bytes) -> dict[str, Any]:
    if body and "json" in headers.get("content-type", ""):
        found: dict[str, Any] = json.loads(body)
        return found
    pairs = parse_qs(body.decode() if body else query, keep_blank_values=True)
    return {name: values if name.endswith("[]") or len(values) > 1 else values[0] for name, values in pairs.items()}
