"""Reads mails in a few processes of their own, each bounded in memory, CPU and time.

A mail can be built to cost a parser minutes or gigabytes. Here it costs one process, which is replaced; the message is
stored already and goes to a person. The processes get no settings and no environment of ours, only the bytes.
"""

from __future__ import annotations

import asyncio
import json
import sys
from asyncio.subprocess import DEVNULL, PIPE, Process
from collections.abc import Mapping
from pathlib import Path

import structlog

from channels.mail.frames import READY, SIZES, unpacked
from channels.mail.parse import ParsedMail

log = structlog.get_logger()
PROCESSES = 2
START_SECONDS = 20.0
SIGNATURE_SECONDS = 2.0
"""Enough for 25 MiB, which take 0.4 s."""
ROOT = Path(__file__).resolve().parents[2]

type Reply = tuple[dict[str, object], bytes]
"""Head and bytes, see `frames.py`."""


class Unreadable(Exception):
    """The mail broke its parser or took too long."""


class _Died(Unreadable):
    """The process ended over the mail: broken by it, or killed by somebody else."""


class _NotReady(OSError):
    """The process ended while it was starting."""


class ParserPool:
    """`parse` waits for a free process. Processes start when they are first needed."""

    def __init__(self, seconds: float, memory_bytes: int, processes: int = PROCESSES) -> None:
        self._seconds = seconds
        self._memory_bytes = memory_bytes
        self._free = asyncio.Semaphore(processes)
        self._idle: list[Process] = []

    async def parse(self, raw: bytes, sender: str) -> ParsedMail:
        """Raises Unreadable; OSError when no process can be started."""
        head, body = await self._asked({"sender": sender}, raw, self._seconds)
        try:
            return unpacked(head, body)
        except (ValueError, KeyError, TypeError) as error:
            raise Unreadable from error

    async def signed_by(self, raw: bytes, keys: Mapping[str, str]) -> list[str] | None:
        """The domains whose DKIM signature is good by one of `keys`; None when the mail breaks its process."""
        try:
            head, _ = await self._asked({"keys": dict(keys)}, raw, min(self._seconds, SIGNATURE_SECONDS))
        except (Unreadable, OSError) as error:
            log.warning("mail_signatures_unread", size=len(raw), fault=type(error).__name__)
            return None
        domains = head.get("signed_by")
        return [str(domain) for domain in domains] if isinstance(domains, list) else None

    async def html_form(self, raw: bytes) -> str | None:
        """The mail's HTML as it came; None when it has none or breaks its process."""
        try:
            head, _ = await self._asked({"html": True}, raw, self._seconds)
        except (Unreadable, OSError) as error:
            log.warning("mail_html_unread", size=len(raw), fault=type(error).__name__)
            return None
        html = head.get("html")
        return html if isinstance(html, str) else None

    async def _asked(self, request: Mapping[str, object], raw: bytes, seconds: float) -> Reply:
        """Raises Unreadable; OSError when no process can be started.

        A process that dies is not the mail's fault as long as it happens once: an operator or the kernel kills too.
        """
        try:
            return await self._ask(request, raw, seconds)
        except _Died:
            log.warning("mail_parser_died", size=len(raw))
            return await self._ask(request, raw, seconds, fresh=True)

    async def _ask(self, request: Mapping[str, object], raw: bytes, seconds: float, *, fresh: bool = False) -> Reply:
        """Raises Unreadable, _Died, OSError. `fresh`: in a process that has read nothing yet."""
        async with self._free:
            if fresh and self._idle:
                await _end(self._idle.pop())  # it may be dead as well
            process = self._idle.pop() if self._idle and not fresh else await self._started()
            whole = False
            try:
                async with asyncio.timeout(seconds):
                    reply = await _exchange(process, request, raw)
                whole = True
                return reply
            except (EOFError, ConnectionError) as error:
                raise _Died from error
            except (TimeoutError, ValueError, KeyError, TypeError) as error:
                raise Unreadable from error
            finally:
                # Also when the caller was cancelled: half an answer may be in the pipe.
                if whole:
                    self._idle.append(process)
                else:
                    await _end(process)

    async def close(self) -> None:
        while self._idle:
            await _end(self._idle.pop())

    async def _started(self) -> Process:
        """Raises OSError. One that is killed while it starts is no reason to let the mail wait."""
        try:
            return await self._start()
        except _NotReady:
            return await self._start()

    async def _start(self) -> Process:
        process = await self._spawn()
        try:
            await asyncio.wait_for(_ready(process), START_SECONDS)
        except BaseException:
            await _end(process)
            raise
        return process

    async def _spawn(self) -> Process:
        return await asyncio.create_subprocess_exec(
            sys.executable,
            "-P",
            "-m",
            "channels.mail.parser_process",
            str(self._seconds),
            str(self._memory_bytes),
            stdin=PIPE,
            stdout=PIPE,
            stderr=DEVNULL,
            env={"PYTHONPATH": str(ROOT), "PYTHONDONTWRITEBYTECODE": "1"},
            start_new_session=True,  # Ctrl-C is for the desk, which lets the mail in hand finish
        )


async def _ready(process: Process) -> None:
    assert process.stdout is not None
    if await process.stdout.read(len(READY)) != READY:
        raise _NotReady("the parser process ended before it was ready")


async def _exchange(process: Process, request: Mapping[str, object], raw: bytes) -> Reply:
    assert process.stdin is not None
    assert process.stdout is not None
    if process.stdin.is_closing():
        raise BrokenPipeError  # uvloop has no error of the system for it
    head = json.dumps(request).encode()
    process.stdin.write(SIZES.pack(len(head), len(raw)) + head)
    process.stdin.write(raw)
    await process.stdin.drain()
    head_size, body_size = SIZES.unpack(await process.stdout.readexactly(SIZES.size))
    answer: dict[str, object] = json.loads(await process.stdout.readexactly(head_size))
    return answer, await process.stdout.readexactly(body_size)


async def _end(process: Process) -> None:
    if process.returncode is None:
        process.kill()
    # communicate() closes both pipes as well; wait() alone would leave that to the garbage collector.
    await process.communicate()
