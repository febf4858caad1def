"""Runs the app process: channels, web, turns, deliveries, timers. Stops in the order that loses nothing."""

from __future__ import annotations

import asyncio
import fcntl
import os
import signal
import socket
from collections.abc import AsyncIterator, Awaitable, Callable, Generator
from contextlib import asynccontextmanager, contextmanager
from functools import partial
from pathlib import Path
from typing import IO, Any, override

import structlog
import uvicorn

from bot.bootstrap import Desk, build
from bot.keys import FILE as KEY_FILE
from bot.keys import derive, root_secret
from bot.repository import instance
from bot.settings import Settings, SettingsError

log = structlog.get_logger()
MAX_FRAME_BYTES = 64 * 1024
DRAIN_SECONDS = 8
"""With the channels' 5 s and the web's 3 s this stays below the 20 s after which a supervisor kills."""
WEB_STOP_SECONDS = 3


class DataFolderInUse(Exception):
    """Another Redress works on the same data folder."""


def serve(settings: Settings) -> None:
    """Runs until SIGTERM or Ctrl-C. Raises SettingsError, DataFolderInUse or OSError (port in use) at the start."""
    if not settings.rasa_url:
        raise SettingsError("`redress serve` needs rasa_url and rasa_secret; `redress run` starts a Rasa by itself.")
    settings.data_dir.mkdir(parents=True, exist_ok=True, mode=0o700)
    lock = _lock(settings.data_dir, shared=settings.database.startswith("postgresql"))
    asyncio.run(_serve(settings))
    lock.close()


def _lock(data_dir: Path, *, shared: bool) -> IO[bytes]:
    """One app per data folder, unless a PostgreSQL is shared: files are named by their content and written whole."""
    file = (data_dir / "app.lock").open("ab")
    try:
        fcntl.flock(file, (fcntl.LOCK_SH if shared else fcntl.LOCK_EX) | fcntl.LOCK_NB)
    except BlockingIOError as error:
        raise DataFolderInUse(f"another Redress is running on {data_dir}; stop it or set REDRESS_DATA_DIR") from error
    return file


async def _serve(settings: Settings) -> None:
    desk = build(settings)
    await _insist_on_own_database(desk, settings.data_dir)
    listener = _listen(settings.host, settings.http_port)
    stop = asyncio.Event()
    for signal_number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(signal_number, stop.set)
    asyncio.get_running_loop().set_exception_handler(_unexpected)
    async with running(desk, listener):
        log.info("accepting", pid=os.getpid(), http_port=listener.getsockname()[1])
        await stop.wait()
        log.info("stopping")


async def _insist_on_own_database(desk: Desk, data_dir: Path) -> None:
    """Several processes may share a database, but then the data folder too: links, codes and files hang on it."""
    ours = derive(root_secret(data_dir), "fingerprint").hex()
    if await desk.store.write(partial(instance.owner, key_print=ours)) != ours:
        raise SettingsError(
            f"the database belongs to another data folder: {data_dir / KEY_FILE} is not the key it was begun with. "
            "Set REDRESS_DATA_DIR to the folder of that desk, or give this one a database of its own."
        )


@asynccontextmanager
async def running(desk: Desk, listener: socket.socket) -> AsyncIterator[None]:
    """The desk at work. On the way out: no new messages, then what is in hand is finished, then the web goes."""
    web = _Web(uvicorn.Config(desk.app, **_WEB))
    tasks = [
        asyncio.create_task(_watched(name, run), name=name)
        for name, run in {
            "wake-ups": desk.hub.run,
            "turns": desk.turns.run,
            "leases": desk.turns.keep_leases,
            "deliveries": desk.deliveries.run,
            "delivery leases": desk.deliveries.keep_leases,
            "timers": desk.alarm.run,
            "presence": desk.presence.run,
        }.items()
    ]
    for channel in desk.channels.values():
        await channel.start()
    serving = asyncio.create_task(web.serve(sockets=[listener]))
    try:
        yield
    finally:
        for channel in desk.channels.values():
            await channel.stop()
        for task in tasks:
            if task.get_name() in ("turns", "deliveries"):
                task.cancel()  # nothing new is begun; what is in hand is finished under its lease
        await _drained(desk)
        for channel in desk.channels.values():
            await channel.close()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        desk.console.closing.set()
        web.should_exit = True
        await serving
        await desk.rasa.close()
        await desk.proofs.close()
        desk.store.close()


_WEB: dict[str, Any] = {
    "access_log": False,  # paths carry tracking secrets
    "log_config": None,
    "lifespan": "off",
    "proxy_headers": False,  # X-Forwarded-For is whatever a stranger writes
    "server_header": False,
    "ws": "websockets-sansio",
    "ws_max_size": MAX_FRAME_BYTES,
    "timeout_graceful_shutdown": WEB_STOP_SECONDS,
}


class _Web(uvicorn.Server):
    """Leaves the signals to us: intake must stop and drain before the web does."""

    @contextmanager
    @override
    def capture_signals(self) -> Generator[None]:
        yield


def _unexpected(_loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
    """asyncio's own handler prints the exception's message, which may quote a customer."""
    log.error("unexpected", exc_info=context.get("exception"))


def _listen(host: str, port: int) -> socket.socket:
    """Raises OSError with a sentence when the port is in use."""
    listener = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
    except OSError as error:
        raise OSError(f"port {port} on {host} is taken ({error.strerror}); set REDRESS_HTTP_PORT") from error
    return listener


async def _watched(name: str, run: Callable[[], Awaitable[None]]) -> None:
    """A loop of the engine that broke is a fault of ours: logged, and begun again."""
    while True:
        try:
            await run()
        except Exception as error:
            log.error("runner_broke", runner=name, exc_info=error)
            await asyncio.sleep(1)


async def _drained(desk: Desk) -> None:
    try:
        async with asyncio.timeout(DRAIN_SECONDS):
            await desk.turns.drain()
            await desk.deliveries.drain()
    except TimeoutError:
        log.error("drain_incomplete", note="the rest is done after the next start")
