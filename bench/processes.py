"""Processes that a benchmark starts and stops, and how much memory they hold."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import sys
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from bench.frame import Missing

ROOT = Path(__file__).resolve().parents[1]
RASA_PYTHON = ROOT / "bot" / "rasa" / ".venv" / "bin" / "python"
READY_SECONDS = 180
STOP_SECONDS = 20


@dataclass(frozen=True)
class Running:
    process: asyncio.subprocess.Process
    log: Path

    def resident_mb(self) -> float:
        """Megabytes (10^6) in memory now, shared libraries included: what `ps` shows as RSS."""
        fields = Path(f"/proc/{self.process.pid}/statm").read_text(encoding="ascii").split()
        return int(fields[1]) * os.sysconf("SC_PAGE_SIZE") / 1e6


@asynccontextmanager
async def running(
    command: Sequence[str], log: Path, ready: str, environment: Mapping[str, str] | None = None
) -> AsyncIterator[Running]:
    """A process that has printed `ready`. Ends with SIGTERM. Raises Missing with its last words when it ends early."""
    clean = {name: value for name, value in os.environ.items() if not name.startswith("REDRESS_")}
    with log.open("wb") as out:
        process = await asyncio.create_subprocess_exec(
            *command, cwd=ROOT, env=clean | dict(environment or {}), stdin=asyncio.subprocess.DEVNULL,
            stdout=out, stderr=asyncio.subprocess.STDOUT,
        )  # fmt: skip
    try:
        await _until_said(process, log, ready)
        yield Running(process, log)
    finally:
        await _end(process)


async def _until_said(process: asyncio.subprocess.Process, log: Path, word: str) -> None:
    async with asyncio.timeout(READY_SECONDS):
        while word not in (said := await asyncio.to_thread(log.read_text, errors="replace")):
            if process.returncode is not None:
                raise Missing(f"a process did not start: {said.strip()[-300:]}")
            await asyncio.sleep(0.05)


async def _end(process: asyncio.subprocess.Process) -> None:
    if process.returncode is not None:
        return
    process.send_signal(signal.SIGTERM)
    try:
        await asyncio.wait_for(process.wait(), STOP_SECONDS)
    except TimeoutError:
        process.kill()
        await process.wait()


def python(module: str, *arguments: str) -> list[str]:
    return [sys.executable, "-m", module, *arguments]


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
