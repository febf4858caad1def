"""A mail listener in a process of its own: the desk's own door, or aiosmtpd's with nothing behind it.

    python -m bench.mail_server --port P --folder FOLDER --database URL     the desk's: stored durably, then 250
    python -m bench.mail_server --port P                                    the no-op: 250 for everything

Prints `ready` when it listens, and runs until SIGTERM. Messages stay where the door put them: nobody reads them, so
what is measured is accepting alone. `--profile FILE` writes where the time went when it stops.
"""

from __future__ import annotations

import argparse
import asyncio
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any
from unittest.mock import patch

import uvloop
from aiosmtpd.smtp import SMTP
from pyinstrument import Profiler

from bot import logs
from bot.bootstrap import build
from bot.inbox import Claim
from bot.settings import Settings
from bot.store.migrate import migrate
from bot.turns import TurnRunner

ADDRESS = "complaints@exchange.example"
HOST = "127.0.0.1"


class _Nothing:
    async def handle_DATA(self, _server: Any, _session: Any, _envelope: Any) -> str:
        return "250 OK"


@asynccontextmanager
async def noop(port: int) -> AsyncIterator[None]:
    server = await asyncio.get_running_loop().create_server(
        lambda: SMTP(_Nothing(), enable_SMTPUTF8=True, hostname="exchange.example"), HOST, port
    )
    async with server:
        yield


@asynccontextmanager
async def door(port: int, folder: Path, database: str) -> AsyncIterator[None]:
    """The desk put together as ever, of which only the mail channel is started."""
    migrate(database)
    # One machine and one address play many here; what the doors count is not what is measured.
    channels = {"mail": {"address": ADDRESS, "max_sessions_per_address": 200, "mails_per_sender": 0}}
    with patch.object(TurnRunner, "start", leave):
        desk = build(Settings(data_dir=folder, database_url=database, host=HOST, smtp_port=port, channel=channels))
        channel = desk.channels["mail"]
        await channel.start()
        try:
            yield
        finally:
            await channel.stop()
            await channel.close()
            await desk.rasa.close()
            desk.store.close()


def leave(_runner: TurnRunner, _claim: Claim) -> None:
    """The message waits for a worker that never comes."""


async def _serve(options: argparse.Namespace) -> None:
    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    listening = door(options.port, options.folder, options.database) if options.database else noop(options.port)
    async with listening:
        print("ready", flush=True)
        await stop.wait()


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.mail_server")
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--folder", type=Path)
    parser.add_argument("--database", default="")
    parser.add_argument("--profile", type=Path)
    options = parser.parse_args()
    logs.set_up()
    if options.profile is None:
        uvloop.run(_serve(options))
        return
    with Profiler(async_mode="disabled") as profiler:
        uvloop.run(_serve(options))
    options.profile.write_text(profiler.output_text(color=False, show_all=True), encoding="utf-8")


if __name__ == "__main__":
    main()
