"""The fake clamd speaks the protocol of the real one, byte by byte."""

from __future__ import annotations

import asyncio
import struct

import pytest

from tests.attachments.clamd import EICAR, FOUND, VERSION, clamd


async def spoken(port: int, said: bytes) -> bytes:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(said)
    answer = await reader.read()
    writer.close()
    return answer


def stream(*pieces: bytes) -> bytes:
    return b"".join(struct.pack("!L", len(piece)) + piece for piece in pieces) + struct.pack("!L", 0)


@pytest.mark.parametrize(
    ("said", "answer"),
    [
        (b"nPING\n", b"PONG\n"),
        (b"zPING\0", b"PONG\0"),
        (b"nVERSION\n", f"{VERSION}\n".encode()),
        (b"nSHUTUP\n", b"UNKNOWN COMMAND\n"),
        (b"PING\n", b"UNKNOWN COMMAND\n"),
        (b"nINSTREAM\n" + stream(b"harm", b"less"), b"stream: OK\n"),
        (b"zINSTREAM\0" + stream(EICAR[:20], EICAR[20:]), f"stream: {FOUND} FOUND\0".encode()),
        (b"nINSTREAM\n" + stream(b"x" * 101), b"INSTREAM size limit exceeded. ERROR\n"),
    ],
)
async def test_it_answers_as_the_real_one(said: bytes, answer: bytes) -> None:
    async with clamd(max_stream=100) as fake:
        reader, writer = await asyncio.open_connection("127.0.0.1", fake.port)
        writer.write(said)
        writer.write_eof()
        assert await reader.read() == answer
        writer.close()


async def test_it_does_what_it_is_told_once() -> None:
    async with clamd() as fake:
        fake.script = ["error", "drop", "nonsense"]
        said = b"nINSTREAM\n" + stream(b"x")
        answers = [await spoken(fake.port, said) for _ in range(4)]
    assert answers == [b"stream: Can't allocate memory ERROR\n", b"", b"what?\n", b"stream: OK\n"]
    assert fake.scanned == [b"x"] * 4


async def test_one_that_is_stopped_takes_nobody_and_comes_back_on_its_port() -> None:
    async with clamd() as fake:
        await fake.stop()
        with pytest.raises(ConnectionError):
            await spoken(fake.port, b"nPING\n")
        await fake.start()
        assert await spoken(fake.port, b"nPING\n") == b"PONG\n"
