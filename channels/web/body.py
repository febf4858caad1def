"""Reads a posted form: fields into memory, files onto the disk, within limits (RFC 7578)."""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import AsyncIterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from types import TracebackType
from typing import IO, Any, Self, cast
from urllib.parse import parse_qsl

from aiohttp import BodyPartReader, MultipartReader, StreamReader
from aiohttp.http_exceptions import HttpProcessingError
from starlette.requests import ClientDisconnect, Request

MULTIPART, PLAIN = "multipart/form-data", "application/x-www-form-urlencoded"
KINDS = (MULTIPART, PLAIN)
"""What a browser sends a form as."""
PIECE_BYTES = 64 * 1024
MAX_FIELD_BYTES = 256 * 1024
"""A description of 20,000 characters has 80,000 bytes; in a plain form three times as many."""
MAX_PARTS = 200
STALL_SECONDS = 30.0
"""A request from which no byte comes for this long is let go."""


class BadBody(Exception):
    """No form, or not a whole one."""


class TooLarge(Exception):
    """More bytes than a form may have."""


@dataclass
class File:
    """A file that came with the form, somewhere on the disk until the body is closed."""

    name: str
    size: int
    content: IO[bytes]

    async def pieces(self) -> AsyncIterator[bytes]:
        await asyncio.to_thread(self.content.seek, 0)
        while piece := await asyncio.to_thread(self.content.read, PIECE_BYTES):
            yield piece


@dataclass
class Body:
    """What was posted. Closing it throws its files away."""

    fields: dict[str, str] = field(default_factory=dict)
    uploads: list[str] = field(default_factory=list)
    """Ids of files that came ahead: the field `upload`, as often as there are."""
    files: list[File] = field(default_factory=list)
    _open: ExitStack = field(default_factory=ExitStack)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, _type: type | None, _error: BaseException | None, _trace: TracebackType | None) -> None:
        self._open.close()

    def add(self, name: str, value: str) -> None:
        if name == "upload":
            self.uploads.append(value)
        else:
            self.fields[name] = value

    def spool(self) -> IO[bytes]:
        return self._open.enter_context(tempfile.TemporaryFile())


def kind_of(request: Request) -> str:
    """The media type that a request says its body has."""
    return request.headers.get("content-type", "").split(";")[0].strip().lower()


async def read(request: Request, max_bytes: int) -> Body:
    """Raises BadBody, TooLarge, OSError when the disk takes no more, and ClientDisconnect."""
    kind = kind_of(request)
    source = _Source(request, max_bytes)
    if kind == PLAIN:
        return await _plain(source)
    if kind != MULTIPART:
        raise BadBody
    body = Body()
    try:
        await _multipart(request, source, body)
    except BaseException:
        await body.__aexit__(None, None, None)
        raise
    return body


async def _plain(source: _Source) -> Body:
    content = await source.rest(4 * MAX_FIELD_BYTES)
    try:
        pairs = parse_qsl(content.decode("ascii"), keep_blank_values=True, max_num_fields=MAX_PARTS, errors="replace")
    except ValueError as error:
        raise BadBody from error
    body = Body()
    for name, value in pairs:
        body.add(name, value)
    return body


async def _multipart(request: Request, source: _Source, body: Body) -> None:
    try:
        reader = MultipartReader({"Content-Type": request.headers["content-type"]}, cast(StreamReader, source))
        for _ in range(MAX_PARTS):
            part = await reader.next()
            if part is None:
                return
            await _part(part, body)
    except (ValueError, RuntimeError, AssertionError, HttpProcessingError, LookupError) as error:
        raise BadBody from error
    raise BadBody


async def _part(part: BodyPartReader | MultipartReader, body: Body) -> None:
    if not isinstance(part, BodyPartReader) or part.name is None:
        raise BadBody
    if part.filename is None:
        body.add(part.name, (await _bounded(part)).decode("utf-8", "replace"))
        return
    content, size = body.spool(), 0
    while piece := await part.read_chunk(PIECE_BYTES):
        await asyncio.to_thread(content.write, piece)
        size += len(piece)
    if part.filename or size:  # a file field that was left empty is neither
        body.files.append(File(part.filename, size, content))


async def _bounded(part: BodyPartReader) -> bytes:
    content = b""
    while piece := await part.read_chunk(PIECE_BYTES):
        content += piece
        if len(content) > MAX_FIELD_BYTES:
            raise TooLarge
    return content


class _Source:
    """The request's bytes as the reader of parts wants them: by lines and by pieces, and given back."""

    def __init__(self, request: Request, max_bytes: int) -> None:
        self._stream = aiter(request.stream())
        self._left = max_bytes
        self._held = b""
        self._ended = False

    def at_eof(self) -> bool:
        return self._ended and not self._held

    def unread_data(self, data: bytes) -> None:
        self._held = data + self._held

    async def read(self, size: int) -> bytes:
        while not self._held and not self._ended:
            await self._more()
        piece, self._held = self._held[:size], self._held[size:]
        return piece

    async def readline(self, *, max_line_length: int = 8192) -> bytes:
        while (end := self._held.find(b"\n")) < 0 and not self._ended:
            if len(self._held) > max_line_length:
                raise BadBody
            await self._more()
        if end < 0:
            end = len(self._held) - 1
        line, self._held = self._held[: end + 1], self._held[end + 1 :]
        return line

    async def rest(self, most: int) -> bytes:
        while not self._ended:
            await self._more()
            if len(self._held) > most:
                raise TooLarge
        return self._held

    async def _more(self) -> None:
        try:
            async with asyncio.timeout(STALL_SECONDS):
                piece: Any = await anext(self._stream)
        except StopAsyncIteration:
            self._ended = True
            return
        except TimeoutError:
            raise ClientDisconnect from None
        self._left -= len(piece)
        if self._left < 0:
            raise TooLarge
        self._held += piece
