"""The line to Rasa, against a server that writes exactly the bytes it is told to."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from unittest.mock import patch

import pytest

from bot import rasa_line
from bot.rasa_line import Answer, BrokenOff, Line, TooLong

WELL = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
Script = Callable[[bytes, asyncio.StreamWriter], Awaitable[None]]


class Server:
    """Answers each request by `script`; `requests` by connection."""

    def __init__(self) -> None:
        self.script: Script = self.well
        self.requests: list[list[bytes]] = []
        self.port = 0

    async def well(self, request: bytes, writer: asyncio.StreamWriter) -> None:
        writer.write(WELL)

    def says(self, *pieces: bytes, ends: bool = False) -> None:
        async def script(_request: bytes, writer: asyncio.StreamWriter) -> None:
            for piece in pieces:
                writer.write(piece)
                await writer.drain()
                await asyncio.sleep(0)
            if ends:
                writer.close()

        self.script = script

    async def handle(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        seen: list[bytes] = []
        self.requests.append(seen)
        try:
            while True:
                head = await reader.readuntil(b"\r\n\r\n")
                length = int(head.lower().partition(b"content-length:")[2].split(b"\r\n")[0])
                body = await reader.readexactly(length)
                seen.append(head + body)
                await self.script(head + body, writer)
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()


@pytest.fixture
async def server() -> AsyncIterator[Server]:
    made = Server()
    listening = await asyncio.start_server(made.handle, "127.0.0.1", 0)
    made.port = listening.sockets[0].getsockname()[1]
    yield made
    listening.close()


@pytest.fixture
async def line(server: Server) -> AsyncIterator[Line]:
    made = Line(f"http://127.0.0.1:{server.port}", {"Authorization": "Bearer s"}, most_bytes=1000)
    yield made
    made.close()


async def test_one_connection_serves_one_call_after_the_other(line: Line, server: Server) -> None:
    for number in range(3):
        answer = await line.call("POST", "/turn", b'{"n": %d}' % number)
        assert (answer.status, answer.content) == (200, b"ok")
    assert (await line.call("GET", "/ready")).status == 200
    (requests,) = server.requests
    assert (
        requests[0]
        == (
            f"POST /turn HTTP/1.1\r\nHost: 127.0.0.1:{server.port}\r\nAuthorization: Bearer s\r\n"
            'Content-Length: 8\r\n\r\n{"n": 0}'
        ).encode()
    )
    assert requests[3].startswith(b"GET /ready HTTP/1.1\r\n")


async def test_calls_at_the_same_time_have_connections_of_their_own(line: Line, server: Server) -> None:
    async def echo(request: bytes, writer: asyncio.StreamWriter) -> None:
        await both.wait()
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\n" + request[-1:])

    server.script, both = echo, asyncio.Barrier(5)
    answers = await asyncio.gather(*(line.call("POST", "/turn", b"%d" % number) for number in range(5)))
    assert [answer.content for answer in answers] == [b"0", b"1", b"2", b"3", b"4"]
    assert len(server.requests) == 5


@pytest.mark.parametrize(
    ("pieces", "status", "content"),
    [
        ((WELL[:20], WELL[20:45], WELL[45:]), 200, b"ok"),
        (
            (b"HTTP/1.1 503 Busy\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n", b"2\r\nde\r\n0\r\n\r\n"),
            503,
            b"abcde",
        ),
    ],
)
async def test_an_answer_in_pieces_is_put_together(
    line: Line, server: Server, pieces: tuple[bytes, ...], status: int, content: bytes
) -> None:
    server.says(*pieces)
    for _ in range(2):
        assert await line.call("POST", "/turn") == Answer(status, content)
    assert len(server.requests) == 1


@pytest.mark.parametrize(
    ("said", "ends"),
    [
        (b"", True),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 20\r\n\r\nhalf", True),
        (b"HTTP/1.1 200 OK\r\n\r\nuntil the end", True),
        (b"220 mail.example ESMTP\r\n", False),
    ],
)
async def test_an_answer_that_is_not_whole_is_none(line: Line, server: Server, said: bytes, ends: bool) -> None:
    server.says(said, ends=ends)
    with pytest.raises(BrokenOff):
        await line.call("POST", "/turn")
    server.script = server.well
    assert (await line.call("POST", "/turn")).content == b"ok"
    assert len(server.requests) == 2


async def test_an_endless_answer_is_given_up(line: Line, server: Server) -> None:
    server.says(b"HTTP/1.1 200 OK\r\nContent-Length: 5000\r\n\r\n", *[b"x" * 500] * 10)
    with pytest.raises(TooLong):
        await line.call("POST", "/turn")


async def test_nobody_there_is_an_os_error(unused_tcp_port: int) -> None:
    with pytest.raises(OSError):  # which of its kinds is the system's affair
        await Line(f"http://127.0.0.1:{unused_tcp_port}", {}, most_bytes=10).call("GET", "/")


async def test_who_gives_up_leaves_no_answer_to_the_next(line: Line, server: Server) -> None:
    released = asyncio.Event()

    async def late(_request: bytes, writer: asyncio.StreamWriter) -> None:
        await released.wait()
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nlate")

    server.script = late
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.05):
            await line.call("POST", "/turn")
    server.script = server.well
    released.set()
    assert (await line.call("POST", "/turn")).content == b"ok"
    assert len(server.requests) == 2


@pytest.mark.parametrize("more", [WELL, WELL[:30]])
async def test_what_was_not_asked_for_is_no_answer(line: Line, server: Server, more: bytes) -> None:
    server.says(b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nfirst" + more)
    assert (await line.call("POST", "/turn")).content == b"first"
    server.says(b"HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nsecond")
    assert (await line.call("POST", "/turn")).content == b"second"
    assert len(server.requests) == 2


async def test_a_connection_that_is_to_be_closed_is_not_used_again(line: Line, server: Server) -> None:
    server.says(b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nok")
    for _ in range(2):
        assert (await line.call("POST", "/turn")).content == b"ok"
    assert len(server.requests) == 2


async def test_a_connection_that_rested_long_is_not_used_again(line: Line, server: Server) -> None:
    await line.call("POST", "/turn")
    with patch.object(rasa_line, "KEPT_SECONDS", 0.0):
        await line.call("POST", "/turn")
    assert len(server.requests) == 2


@pytest.mark.parametrize(
    ("url", "headers"),
    [("ftp://rasa", {}), ("rasa:5005", {}), ("http://", {}), ("http://rasa", {"Authorization": "Bearer a\r\nX: y"})],
)
def test_a_line_that_cannot_be_is_refused_at_the_start(url: str, headers: dict[str, str]) -> None:
    with pytest.raises(ValueError, match=r"no address|line break"):
        Line(url, headers, most_bytes=10)
