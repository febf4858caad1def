"""Has one file looked into by a process of its own, bounded in memory, processor time and wall-clock time.

A file can be built to cost a decoder gigabytes or to break it. Here that costs one process, which has no settings, no
environment, no files and no way to write any.
"""

from __future__ import annotations

import asyncio
import json
import struct
import sys
from asyncio.subprocess import DEVNULL, PIPE, Process
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from bot.attachments.worker_process import HEAD

SECONDS = 20.0
CPU_SECONDS = 10
MEMORY_BYTES = 768 * 1024 * 1024
"""Pillow needs up to 5 bytes a pixel of the largest picture that is decoded, and two copies of it at times."""
MOST_ANSWER_BYTES = 4 * 1024 * 1024
"""512 x 512 pixels of noise make a PNG of 1 MB."""
ROOT = Path(__file__).resolve().parents[2]


class Unexamined(Exception):
    """The process broke over the file, took too long, or was killed."""


async def look_into(path: Path, *, seconds: float = SECONDS) -> tuple[Mapping[str, Any], bytes]:
    """What the file is (`facts.Facts.told`) and a PNG of it, or no bytes. Raises Unexamined; OSError when the file
    cannot be opened or no process be started."""
    with await asyncio.to_thread(path.open, "rb") as file:
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-P",
            "-m",
            "bot.attachments.worker_process",
            str(CPU_SECONDS),
            str(MEMORY_BYTES),
            stdin=file,
            stdout=PIPE,
            stderr=DEVNULL,
            env={"PYTHONPATH": str(ROOT), "PYTHONDONTWRITEBYTECODE": "1"},
            start_new_session=True,  # Ctrl-C is for the desk
        )
    try:
        async with asyncio.timeout(seconds):
            answer = await _answer(process)
    except TimeoutError as error:
        raise Unexamined("took too long") from error
    finally:
        await _end(process)
    return _parsed(answer)


async def _answer(process: Process) -> bytes:
    assert process.stdout is not None
    answer = bytearray()
    while piece := await process.stdout.read(64 * 1024):
        answer += piece
        if len(answer) > MOST_ANSWER_BYTES:
            raise Unexamined("said too much")
    if await process.wait() != 0:
        raise Unexamined("died")
    return bytes(answer)


def _parsed(answer: bytes) -> tuple[Mapping[str, Any], bytes]:
    try:
        (size,) = HEAD.unpack_from(answer)
        facts = json.loads(answer[HEAD.size : HEAD.size + size])
    except (ValueError, struct.error) as error:
        raise Unexamined("said nonsense") from error
    if not isinstance(facts, dict):
        raise Unexamined("said nonsense")
    return facts, answer[HEAD.size + size :]


async def _end(process: Process) -> None:
    if process.returncode is None:
        process.kill()
    await process.communicate()  # closes the pipe as well
