"""`redress run`: trains what needs training, starts every process, watches them, stops them in order.

Children die with this process (PR_SET_PDEATHSIG) and are started again when they die by themselves. A child
that ends with a settings fault stops everything with its sentence.
"""

from __future__ import annotations

import asyncio
import ctypes
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from bot.keys import derive, root_secret
from bot.settings import PREFIX, Settings

ROOT = Path(__file__).resolve().parents[1]
RASA_PYTHON = ROOT / "bot" / "rasa" / ".venv" / "bin" / "python"
MODEL = ROOT / "models" / "bot.tar.gz"
FATAL_EXITS = (2, 3)
"""Wrong settings, broken model: starting again would not help."""
FIRST_PAUSE_SECONDS = 0.5
LONGEST_PAUSE_SECONDS = 30.0
STEADY_SECONDS = 60.0
STOP_SECONDS = 20.0
PR_SET_PDEATHSIG = 1
FAILED_TO_START = 1


class CannotRun(Exception):
    """The start failed; the message says why and what to do."""


@dataclass
class Child:
    """One process of the desk."""

    name: str
    command: Sequence[str]
    env: Mapping[str, str]
    log: Path
    process: asyncio.subprocess.Process | None = None
    started: float = 0.0
    held: bool = False
    """It has run well before: whatever ends it now (a database that restarts, say) may pass."""


def plan(settings: Settings) -> tuple[list[Child], Mapping[str, str]]:
    """The processes to start, in order, and the addresses to show."""
    secrets = _secrets(settings)
    logs = settings.data_dir / "logs"
    logs.mkdir(parents=True, exist_ok=True, mode=0o700)
    children: list[Child] = []
    addresses = {"console": f"{settings.url}/console/"}
    rasa_url = settings.rasa_url
    backoffice_url = settings.backoffice_url
    if not backoffice_url:
        backoffice_url = f"http://127.0.0.1:{settings.site_port}"
        addresses["demo exchange"] = backoffice_url
        children.append(_demo_exchange(settings, secrets, logs))
    if not rasa_url:
        actions_port, rasa_port = _free_port(), _free_port()
        rasa_url = f"http://127.0.0.1:{rasa_port}"
        shared = {f"{PREFIX}RASA_SECRET": secrets["rasa"], f"{PREFIX}BACKOFFICE_TOKEN": secrets["backoffice"]}
        children += [
            Child(
                "actions",
                [sys.executable, "-m", "actions", "--port", str(actions_port), "--backoffice", backoffice_url],
                shared,
                logs / "actions.log",
            ),
            Child(
                "rasa",
                [
                    str(RASA_PYTHON),
                    "bot/rasa/serve.py",
                    *("--port", str(rasa_port)),
                    *("--model", str(MODEL)),
                    *("--data", str((settings.data_dir / "rasa").resolve())),
                    *("--actions-url", f"http://127.0.0.1:{actions_port}/webhook"),
                ],
                {f"{PREFIX}RASA_SECRET": secrets["rasa"], "PYTHONPATH": str(ROOT)},
                logs / "rasa.log",
            ),
        ]
    app = {
        f"{PREFIX}RASA_URL": rasa_url,
        f"{PREFIX}RASA_SECRET": secrets["rasa"],
        f"{PREFIX}BACKOFFICE_URL": backoffice_url,
        f"{PREFIX}BACKOFFICE_TOKEN": secrets["backoffice"],
        f"{PREFIX}APP_TOKEN_SECRET": secrets["app"],
        f"{PREFIX}SITE_ORIGINS": json.dumps([*settings.site_origins, *_loopback_names(addresses)]),
    }
    children.append(Child("app", [sys.executable, "-m", "bot.cli", "serve"], app, logs / "app.log"))
    return children, addresses


def _demo_exchange(settings: Settings, secrets: Mapping[str, str], logs: Path) -> Child:
    folder = settings.data_dir.resolve() / "exchange"
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    files = {"app": folder / "app-token.secret", "backoffice": folder / "api-token.secret"}
    for name, path in files.items():
        path.touch(mode=0o600)
        path.write_text(secrets[name], encoding="ascii")
    command = [sys.executable, "-m", "actions.backoffice.demo", "--port", str(settings.site_port)]
    command += ["--data", str(folder), "--widget-url", settings.url]
    command += ["--app-token-secret-file", str(files["app"]), "--api-token-file", str(files["backoffice"])]
    return Child("exchange", command, {}, logs / "exchange.log")


def _secrets(settings: Settings) -> Mapping[str, str]:
    """Secrets between our own processes: as set, else derived from the instance's root secret."""
    root = root_secret(settings.data_dir)
    return {
        "rasa": settings.rasa_secret or derive(root, "rasa").hex(),
        "backoffice": settings.backoffice_token or derive(root, "back office").hex(),
        "app": settings.app_token_secret or derive(root, "app token").hex(),
    }


def _loopback_names(addresses: Mapping[str, str]) -> list[str]:
    """The demo exchange's origin under both names that a browser on this machine may use."""
    site = addresses.get("demo exchange")
    return [] if site is None else [site, site.replace("127.0.0.1", "localhost")]


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def train() -> None:
    """Trains the bot's model if its inputs changed, showing progress. Raises CannotRun."""
    if run_training() != 0:
        raise CannotRun("the bot's model could not be trained; what is wrong stands above")


def run_training(*arguments: str) -> int:
    """bot/rasa/train.py with these arguments, showing what it says; its exit code. Raises CannotRun."""
    if not RASA_PYTHON.exists():
        raise CannotRun("the Rasa environment is missing: run `make setup` first")
    env = {**os.environ, "PYTHONPATH": str(ROOT)}
    command = [str(RASA_PYTHON), "bot/rasa/train.py", *arguments]
    return subprocess.run(command, cwd=ROOT, env=env, check=False).returncode  # noqa: S603


class Supervisor:
    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._children, self._addresses = plan(settings)
        self._stop = asyncio.Event()
        self._fault: str | None = None

    async def run(self) -> None:
        """Until Ctrl-C or SIGTERM. Raises CannotRun when a child reports a settings fault."""
        for number in (signal.SIGINT, signal.SIGTERM):
            asyncio.get_running_loop().add_signal_handler(number, self._stop.set)
        watching = [asyncio.create_task(self._watch(child)) for child in self._children]
        announcing = asyncio.create_task(self._announce())
        await self._stop.wait()
        announcing.cancel()
        await self._stop_all()
        await asyncio.gather(*watching, announcing, return_exceptions=True)
        if self._fault is not None:
            raise CannotRun(self._fault)

    async def _watch(self, child: Child) -> None:
        """Starts the child, and again whenever it dies, ever later while it does not hold."""
        pause = FIRST_PAUSE_SECONDS
        while not self._stop.is_set():
            code = await self._start(child)
            if self._stop.is_set():
                return
            if code in FATAL_EXITS and not child.held:
                self._fault = f"{child.name} could not start: {_last_words(child.log)}"
                self._stop.set()
                return
            steady = time.monotonic() - child.started > STEADY_SECONDS
            pause = FIRST_PAUSE_SECONDS if steady else min(pause * 2, LONGEST_PAUSE_SECONDS)
            _say(f"{child.name} ended with code {code}; starting it again in {pause:g} s (log: {child.log})")
            await _first_of(self._stop, pause)

    async def _start(self, child: Child) -> int:
        child.started = time.monotonic()
        try:
            with child.log.open("ab") as log:
                child.process = await asyncio.create_subprocess_exec(
                    *child.command,
                    cwd=ROOT,
                    env={**os.environ, **child.env},
                    stdin=asyncio.subprocess.DEVNULL,
                    stdout=log,
                    stderr=log,
                    start_new_session=True,  # Ctrl-C is for us; we stop the children in order
                    preexec_fn=_die_with_parent,
                )
        except OSError as error:
            _say(f"{child.name} could not be started now ({error.strerror})")
            return FAILED_TO_START
        if self._stop.is_set():
            await _end(child.process)  # the stop came while it was being started, and did not see it
        return await child.process.wait()

    async def _stop_all(self) -> None:
        """The app first: it finishes what is in hand while Rasa still answers."""
        for child in reversed(self._children):
            if child.process is not None:
                await _end(child.process)

    async def _announce(self) -> None:
        """Says when messages are accepted, and when Rasa answers too."""
        ready_url = f"http://{self._settings.host}:{self._settings.http_port}/readyz"
        state = await self._until(ready_url, lambda body: bool(body["ready"]))
        smtp = f"smtp://{self._settings.host}:{self._settings.smtp_port}"
        addresses = {**self._addresses, **state["doors"], "SMTP": smtp}
        width = max(map(len, addresses))
        for name, address in addresses.items():
            _say(f"  {name:<{width}}  {address}")
        _say("accepting messages; the assistant is starting ...")
        await self._until(ready_url, lambda body: not body["degraded"].keys() & {"rasa", "articles"})
        for child in self._children:
            child.held = True
        _say("ready")

    async def _until(self, url: str, good: Callable[[Mapping[str, Any]], bool]) -> Mapping[str, Any]:
        async with httpx.AsyncClient(timeout=5, trust_env=False) as http:
            while True:
                try:
                    body: Mapping[str, Any] = (await http.get(url)).json()
                    if good(body):
                        return body
                except (httpx.HTTPError, ValueError, KeyError):
                    pass
                await asyncio.sleep(0.3)


async def _end(process: asyncio.subprocess.Process) -> None:
    """Asks it to stop, and kills it when it has not after `STOP_SECONDS`."""
    if process.returncode is not None:
        return
    with suppress(ProcessLookupError):
        process.terminate()
    try:
        async with asyncio.timeout(STOP_SECONDS):
            await process.wait()
    except TimeoutError:
        process.kill()


async def _first_of(event: asyncio.Event, seconds: float) -> None:
    try:
        async with asyncio.timeout(seconds):
            await event.wait()
    except TimeoutError:
        return


def _die_with_parent() -> None:
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


def _last_words(log: Path) -> str:
    lines = log.read_text(encoding="utf-8", errors="replace").strip().splitlines()
    return lines[-1] if lines else "it said nothing"


def _say(line: str) -> None:
    print(line, flush=True)
