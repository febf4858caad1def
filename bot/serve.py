"""Runs the app process: channels, web, turns, deliveries, timers. Stops in the order that loses nothing."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
from collections.abc import AsyncIterator, Awaitable, Callable, Generator, Mapping
from contextlib import asynccontextmanager, contextmanager
from typing import Any, override

import structlog
import uvicorn
import uvloop

from bot.belonging import insist_on_own
from bot.bootstrap import Desk, build
from bot.folder import held, insist_on_whole
from bot.memory import settle_down
from bot.script import script_of
from bot.settings import Settings, SettingsError
from bot.understanding import reading

log = structlog.get_logger()
MAX_FRAME_BYTES = 64 * 1024
CHANNEL_STOP_SECONDS = 5.5
TURN_SECONDS = 5.0
DRAIN_SECONDS = 8.0
"""Turns, and with what they leave of it the sendings."""
CLOSE_SECONDS = 1.0
WEB_STOP_SECONDS = 3
"""All together stay below the 20 s after which a supervisor kills."""


def serve(settings: Settings) -> None:
    """Runs until SIGTERM or Ctrl-C. Raises SettingsError, DataFolderInUse, RestoreIncomplete, OSError at the start."""
    if not settings.rasa_url:
        raise SettingsError("`redress serve` needs rasa_url and rasa_secret; `redress run` starts a Rasa by itself.")
    with held(settings.data_dir, shared=settings.database.startswith("postgresql")):
        insist_on_whole(settings.data_dir)
        uvloop.run(_serve(settings))


async def _serve(settings: Settings) -> None:
    desk = build(settings)
    await insist_on_own(desk.store, settings.data_dir)
    await desk.shared_clock.follow()
    await asyncio.to_thread(_warm_up)
    await asyncio.to_thread(desk.store.prepare)
    settle_down()
    listener = _listen(settings.host, settings.http_port)
    stop = asyncio.Event()
    for signal_number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(signal_number, stop.set)
    asyncio.get_running_loop().set_exception_handler(_unexpected)
    async with running(desk, listener):
        log.info("accepting", pid=os.getpid(), http_port=listener.getsockname()[1])
        await stop.wait()
        log.info("stopping")


def _warm_up() -> None:
    """Takes seconds, for which the first message would hold everything up."""
    reading.prepare()
    script_of("你好")


@asynccontextmanager
async def running(desk: Desk, listener: socket.socket) -> AsyncIterator[None]:
    """The desk at work. On the way out: no new messages, then what is in hand is finished, then the web goes."""
    desk.load_articles()
    web = _Web(uvicorn.Config(desk.app, **_WEB))
    tasks = {name: asyncio.create_task(_watched(name, run), name=name) for name, run in _loops(desk).items()}
    for channel in desk.channels.values():
        await channel.start()
    serving = asyncio.create_task(web.serve(sockets=[listener]))
    try:
        yield
    finally:
        await _each("stop", CHANNEL_STOP_SECONDS, {name: channel.stop for name, channel in desk.channels.items()})
        for name in ("turns", "deliveries"):
            tasks[name].cancel()  # nothing new is begun; what is in hand is finished under its lease
        await _drained(desk)
        await _each("close", CLOSE_SECONDS, {name: channel.close for name, channel in desk.channels.items()})
        for task in tasks.values():
            task.cancel()
        await asyncio.wait(tasks.values(), timeout=CLOSE_SECONDS)
        desk.console.closing.set()
        web.should_exit = True
        await serving
        await desk.rasa.close()
        await desk.proofs.close()
        desk.store.close()


def _loops(desk: Desk) -> Mapping[str, Callable[[], Awaitable[None]]]:
    return {
        "clock": desk.shared_clock.run,
        "wake-ups": desk.hub.run,
        "turns": desk.turns.run,
        "leases": desk.turns.keep_leases,
        "deliveries": desk.deliveries.run,
        "delivery leases": desk.deliveries.keep_leases,
        "timers": desk.alarm.run,
        "presence": desk.presence.run,
        **desk.file_care.loops,
    }


_WEB: dict[str, Any] = {
    "access_log": False,  # paths carry tracking secrets
    "log_config": None,
    "lifespan": "off",
    "proxy_headers": False,  # X-Forwarded-For is whatever a stranger writes
    "server_header": False,
    "ws": "websockets-sansio",
    "ws_max_size": MAX_FRAME_BYTES,
    "ws_per_message_deflate": False,  # a line of chat is short, and each connection would hold 300 KB for it
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
    """Sendings go on while the turns end. Each has a limit of its own: the one must not use up the other's time."""
    until = asyncio.get_running_loop().time() + DRAIN_SECONDS
    try:
        async with asyncio.timeout(TURN_SECONDS + CLOSE_SECONDS):
            await desk.turns.drain(TURN_SECONDS)
    except TimeoutError:
        log.error("leases_not_released", note="others go on with them when they have run out")
    await desk.deliveries.drain(until - asyncio.get_running_loop().time())


async def _each(deed: str, seconds: float, of: Mapping[str, Callable[[], Awaitable[None]]]) -> None:
    """All at the same time, none of them longer than `seconds`: one that hangs or breaks is left behind."""

    async def one(name: str, run: Callable[[], Awaitable[None]]) -> None:
        try:
            async with asyncio.timeout(seconds):
                await run()
        except Exception as error:
            log.error("channel_not_done", channel=name, deed=deed, exc_info=error)

    await asyncio.gather(*(one(name, run) for name, run in of.items()))
