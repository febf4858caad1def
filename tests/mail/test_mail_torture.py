"""Hostile mails: the parser never raises, the pool replaces what breaks, and the original is never at risk."""

from __future__ import annotations

import asyncio
import json
import time
from asyncio.subprocess import Process
from collections.abc import AsyncIterator, Callable, Coroutine
from pathlib import Path
from typing import Any, override

import pytest
import uvloop
from hypothesis import given, settings
from hypothesis import strategies as st

from channels.contract import Kind
from channels.faults import RetryLater
from channels.mail import worker
from channels.mail.frames import SIZES, packed, unpacked
from channels.mail.mime import MAX_PARTS, FilePart
from channels.mail.parse import ParsedMail, parse
from channels.mail.worker import ParserPool, Unreadable
from tests.fakes.desk import FakeDesk
from tests.mail.harness import FIXTURES, channel, mail_bytes


def _nested(levels: int) -> bytes:
    heads = [f'Content-Type: multipart/mixed; boundary="b{n}"\r\n\r\n--b{n}\r\n' for n in range(levels)]
    return ("Subject: deep\r\nFrom: li@user.example\r\n" + "".join(heads) + "\r\nwords\r\n").encode()


def _many_parts(count: int) -> bytes:
    return (
        b"Subject: many\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n"
        + b"--b\r\n\r\nx\r\n" * count
        + b"--b--\r\n"
    )


def _enclosed(levels: int) -> bytes:
    return b"Subject: in\r\n" + b"Content-Type: message/rfc822\r\n\r\n" * levels + b"\r\nwords\r\n"


def _part(head: str, body: bytes = b"words") -> bytes:
    return f"Subject: x\r\nMIME-Version: 1.0\r\n{head}\r\n\r\n".encode("latin-1") + body


TORTURE = {
    "nested": _nested(1000),
    "nested a little": _nested(25),
    "enclosed": _enclosed(1000),
    "many parts": _many_parts(5000),
    "many headers": b"X: y\r\n" * 5000 + b"\r\nwords",
    "long header": b"Subject: " + b"a" * 500_000 + b"\r\n\r\nwords",
    "open brackets": b"To: " + b"(" * 50_000 + b"\r\nFrom: " + b"(<" * 20_000 + b"\r\n\r\nwords",
    "message id": b"Message-ID: <[[[[\r\nReferences: <" + b"[" * 5000 + b"\r\n\r\nwords",
    "many addresses": b"To: " + b"a@b.example, " * 16_000 + b"\r\n\r\nwords",
    "no header": b"words",
    "only header": b"Subject: x",
    "empty": b"",
    "nul": b"Subject: a\x00b\r\n\r\na\x00b",
    "binary": bytes(range(256)) * 50,
    "unknown charset": _part("Content-Type: text/plain; charset=nonsense"),
    "idna charset": _part("Content-Type: text/plain; charset=idna", b"x" * 100),
    "utf-7": _part("Content-Type: text/html; charset=utf-7", b"+ADw-script+AD4-alert(1)+ADw-/script+AD4-"),
    "no boundary": _part("Content-Type: multipart/mixed"),
    "bad base64": _part("Content-Type: text/plain\r\nContent-Transfer-Encoding: base64", b"!!!!="),
    "bad quoted-printable": _part(
        "Content-Type: text/plain\r\nContent-Transfer-Encoding: quoted-printable", b"=G=\xff="
    ),
    "bad uuencode": _part("Content-Type: text/plain\r\nContent-Transfer-Encoding: x-uuencode", b"begin 644 x\nM"),
    "unknown encoding": _part("Content-Type: text/plain\r\nContent-Transfer-Encoding: rot13"),
    "bad 2231": _part("Content-Type: text/plain; charset*=x'y; name*0*=%; name*9999999999999=z"),
    "bad 2231 name": _part("Content-Disposition: attachment; filename*=nonsense''%ff%fe; filename*0*=utf-8'"),
    "slash type": _part("Content-Type: /;;;=;\x80"),
    "deep html": _part("Content-Type: text/html", b"<div>" * 50_000 + b"words"),
    "crossed html": _part("Content-Type: text/html", b"<b>" * 40_000 + b"</i>" * 30_000 + b"words"),
    "open comments": _part("Content-Type: text/html", b"words" + b"<!--" * 60_000),
    "open html": _part("Content-Type: text/html", b"<a " * 60_000 + b"words"),
}


@pytest.mark.parametrize("name", TORTURE)
@pytest.mark.timeout(10)
def test_the_parser_never_raises(name: str) -> None:
    mail = parse(TORTURE[name], "li@user.example")
    assert isinstance(mail, ParsedMail)
    assert "<script" not in mail.text
    assert len(mail.files) <= MAX_PARTS
    assert unpacked(*_halves(packed(mail))) == mail


@pytest.mark.parametrize("name", ["nested", "nested a little", "many parts"])
def test_what_is_left_out_is_said(name: str) -> None:
    mail = parse(TORTURE[name], "li@user.example")
    assert not mail.whole
    assert mail.subject in ("deep", "many")


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=400), st.sampled_from(["", "Content-Type: multipart/mixed; boundary=a\r\n", "Subject: =?"]))
def test_any_bytes(body: bytes, head: str) -> None:
    mail = parse(head.encode() + body, "li@user.example")
    assert unpacked(*_halves(packed(mail))) == mail
    mail.text.encode()
    mail.subject.encode()


def _halves(data: bytes) -> tuple[dict[str, object], bytes]:
    head_size, body_size = SIZES.unpack(data[: SIZES.size])
    rest = data[SIZES.size :]
    assert len(rest) == head_size + body_size
    return json.loads(rest[:head_size]), rest[head_size:]


@pytest.fixture
async def pool() -> AsyncIterator[ParserPool]:
    parsers = ParserPool(seconds=10, memory_bytes=512 * 2**20)
    yield parsers
    await parsers.close()


async def test_a_process_reads_what_the_function_reads(pool: ParserPool) -> None:
    for path in sorted(FIXTURES.glob("*.eml")):
        raw = path.read_bytes()
        assert await pool.parse(raw, "li@user.example") == parse(raw, "li@user.example")


async def test_many_mails_share_two_processes(pool: ParserPool) -> None:
    mails = await asyncio.gather(*(pool.parse(mail_bytes(subject=f"n {n}"), "a@b.example") for n in range(20)))
    assert [mail.subject for mail in mails] == [f"n {n}" for n in range(20)]
    assert len(pool._idle) == 2


async def test_a_large_mail_fits_into_the_memory(pool: ParserPool) -> None:
    line = b"QUJD" * 19 + b"\r\n"
    raw = _part("Content-Type: application/pdf\r\nContent-Transfer-Encoding: base64", line * (25 * 2**20 // len(line)))
    mail = await pool.parse(raw, "li@user.example")
    assert mail.files == [FilePart("attachment.pdf", "application/pdf", b"ABC" * 19 * (25 * 2**20 // len(line)))]


async def test_too_little_time_ends_the_process_and_the_next_mail_is_read() -> None:
    pool = ParserPool(seconds=1, memory_bytes=512 * 2**20, processes=1)
    await pool.parse(mail_bytes(), "li@user.example")
    began = time.monotonic()
    with pytest.raises(Unreadable):
        await pool.parse(_many_parts(400_000), "li@user.example")
    assert time.monotonic() - began < 5
    assert (await pool.parse(mail_bytes(), "li@user.example")).subject == "Help"
    await pool.close()


@pytest.mark.parametrize("run", [uvloop.run, asyncio.run])
def test_killed_processes_are_replaced_and_the_mail_is_read(run: Callable[[Coroutine[Any, Any, None]], None]) -> None:
    """On the event loop of the product too: what a closed pipe says is not the same on both."""

    async def kill_and_parse() -> None:
        pool = ParserPool(seconds=10, memory_bytes=512 * 2**20)
        await asyncio.gather(*(pool.parse(mail_bytes(), "li@user.example") for _ in range(4)))
        assert len(pool._idle) == 2
        for process in pool._idle:
            process.kill()
            await process.wait()
        assert (await pool.parse(mail_bytes(), "li@user.example")).subject == "Help"
        await pool.close()

    run(kill_and_parse())


async def test_a_process_killed_while_it_starts_does_not_make_the_mail_wait() -> None:
    class Unlucky(ParserPool):
        spawned = 0

        @override
        async def _spawn(self) -> Process:
            process = await super()._spawn()
            self.spawned += 1
            if self.spawned == 1:
                process.kill()
            return process

    parsers = Unlucky(seconds=10, memory_bytes=512 * 2**20)
    assert (await parsers.parse(mail_bytes(), "li@user.example")).subject == "Help"
    assert parsers.spawned == 2
    await parsers.close()


async def test_a_mail_over_which_two_processes_die_is_unreadable(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "channels" / "mail").mkdir(parents=True)
    for package in ("channels", "channels/mail"):
        (tmp_path / package / "__init__.py").touch()
    program = f"import sys; open({str(tmp_path / 'starts')!r}, 'a').write('x'); print(end='+', flush=True); input()"
    (tmp_path / "channels" / "mail" / "parser_process.py").write_text(program, encoding="utf-8")
    monkeypatch.setattr(worker, "ROOT", tmp_path)
    parsers = ParserPool(seconds=10, memory_bytes=512 * 2**20)
    with pytest.raises(Unreadable):
        await parsers.parse(b"\n" * 100, "li@user.example")
    assert (tmp_path / "starts").read_text() == "xx"
    await parsers.close()


async def test_a_cancelled_reader_leaves_no_half_answer_behind(pool: ParserPool) -> None:
    await pool.parse(mail_bytes(), "li@user.example")
    reading = asyncio.create_task(pool.parse(_many_parts(50_000), "li@user.example"))
    await asyncio.sleep(0)
    reading.cancel()
    with pytest.raises(asyncio.CancelledError):
        await reading
    assert (await pool.parse(mail_bytes(subject="next"), "li@user.example")).subject == "next"


async def test_memory_is_bounded() -> None:
    pool = ParserPool(seconds=10, memory_bytes=128 * 2**20, processes=1)
    raw = _part("Content-Type: text/plain", b"word " * (12 * 2**20))
    try:
        mail = await pool.parse(raw, "li@user.example")
        assert not mail.whole
    except Unreadable:
        pass
    assert (await pool.parse(mail_bytes(), "li@user.example")).subject == "Help"
    await pool.close()


async def test_an_unreadable_mail_becomes_a_message_with_a_note(tmp_path: Path) -> None:
    desk = FakeDesk()
    built = channel(tmp_path, desk, parse_seconds=0.001)
    for sender, kind in (("li@user.example", Kind.MESSAGE), ("", Kind.AUTOMATIC)):
        read = await built.read(_many_parts(100_000), {"mail_from": sender})
        assert (read.text, read.kind) == ("", kind)
        assert read.note is not None
        assert read.note.startswith("This mail could not be read by a machine.")
    await built.stop()
    await built.close()


async def test_a_process_that_cannot_start_is_no_fault_of_the_mail(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(worker, "ROOT", tmp_path)
    monkeypatch.setattr("sys.executable", "/bin/false")
    built = channel(tmp_path, FakeDesk())
    with pytest.raises(RetryLater, match="no process to read mail could be started"):
        await built.read(mail_bytes(), {"mail_from": "li@user.example"})
    await built.stop()
    await built.close()
