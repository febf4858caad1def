"""A desk as its operator runs it: `redress serve` as a process, on free ports, killed and started at will."""

from __future__ import annotations

import asyncio
import os
import socket
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import httpx

from tests.fakes.rasa import SECRET

ROOT = Path(__file__).resolve().parents[2]
START_SECONDS = 60.0
ADMIN_PASSWORD = "a password for the tests"
APP_TOKEN_SECRET = "an app token secret of thirty-two characters"


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


NO_CAPS = {
    f"CHANNEL__MAIL__{name}": "0" for name in ("AUTOMATIC_PER_ADDRESS", "AUTOMATIC_PER_HOUR", "MAILS_PER_SENDER")
}
"""For tests that send more mails than a desk takes from one address, or answers, in an hour."""


def clean_environment() -> dict[str, str]:
    """An operator's: without settings of ours, and with Python's defaults (kept bytecode makes a start 4 s shorter)."""
    return {name: value for name, value in os.environ.items() if not name.startswith(("REDRESS_", "PYTHON"))}


class DeskProcess:
    """`settings` are given without their prefix, for example WORK__LEASE_SECONDS="3"."""

    root = ROOT
    """Where the program lies that is run."""

    def __init__(self, folder: Path, database_url: str, rasa_url: str, **settings: str) -> None:
        self.folder = folder
        self.http_port, self.smtp_port = free_port(), free_port()
        self.url = f"http://127.0.0.1:{self.http_port}"
        self.log = folder / "app.log"
        self._settings = {
            "DATA_DIR": str(folder / "data"),
            "DATABASE_URL": database_url,
            "HTTP_PORT": str(self.http_port),
            "SMTP_PORT": str(self.smtp_port),
            "RASA_URL": rasa_url,
            "RASA_SECRET": SECRET,
            "ADMIN_PASSWORD": ADMIN_PASSWORD,
            "APP_TOKEN_SECRET": APP_TOKEN_SECRET,
            **settings,
        }
        self.process: asyncio.subprocess.Process | None = None

    @property
    def maildrop(self) -> Path:
        return self.folder / "data" / "maildrop"

    @property
    def pid(self) -> int:
        assert self.process is not None
        return self.process.pid

    @property
    def alive(self) -> bool:
        return self.process is not None and self.process.returncode is None

    def parsers(self) -> list[int]:
        """Process ids of the children that read mail for it."""
        try:
            children = Path(f"/proc/{self.pid}/task/{self.pid}/children").read_text().split()
        except OSError:
            return []
        return [int(pid) for pid in children if "parser_process" in _command(int(pid))]

    def resident_bytes(self) -> int:
        """Memory of the process itself, without its children."""
        return int(Path(f"/proc/{self.pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")

    @property
    def env(self) -> Mapping[str, str]:
        return clean_environment() | {f"REDRESS_{name}": value for name, value in self._settings.items()}

    async def start(self) -> float:
        """Starts it and waits until it takes messages; how many seconds that took."""
        began = time.monotonic()
        self.log.parent.mkdir(parents=True, exist_ok=True)
        with self.log.open("ab") as log:
            self.process = await asyncio.create_subprocess_exec(
                sys.executable, "-m", "bot.cli", "serve", cwd=self.root, env=self.env, stdout=log, stderr=log
            )
        async with asyncio.timeout(START_SECONDS):
            while not await self._accepting():
                if self.process.returncode is not None:
                    raise AssertionError(f"the desk did not start: {self.log.read_text(encoding='utf-8')[-2000:]}")
                await asyncio.sleep(0.05)
        return time.monotonic() - began

    async def _accepting(self) -> bool:
        try:
            async with httpx.AsyncClient(trust_env=False, timeout=5) as http:
                return (await http.get(f"{self.url}/readyz")).status_code == 200
        except httpx.HTTPError:
            return False

    async def state(self) -> dict[str, Any]:
        async with httpx.AsyncClient(trust_env=False, timeout=10) as http:
            answer: dict[str, Any] = (await http.get(f"{self.url}/readyz")).json()
            return answer

    async def kill(self) -> None:
        """kill -9: nothing is finished, nothing is said goodbye to."""
        assert self.process is not None
        if self.process.returncode is None:
            self.process.kill()
        await self.process.wait()

    async def stop(self) -> int:
        """SIGTERM and the exit code."""
        assert self.process is not None
        if self.process.returncode is None:
            self.process.terminate()
        return await self.process.wait()

    async def redress(self, *arguments: str) -> tuple[int, str]:
        """The operator's command on this desk's data: exit code and everything it said."""
        run = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "bot.cli",
            *arguments,
            cwd=self.root,
            env=self.env,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
        )
        said, _ = await run.communicate()
        assert run.returncode is not None
        return run.returncode, said.decode()


def _command(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
    except OSError:
        return ""
