"""Mail accepted durably, against a listener that does nothing and against Postfix. Load by Postfix's smtp-source."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from functools import partial
from pathlib import Path
from typing import Protocol

from sqlalchemy import Engine, create_engine, text

from bench.floors import postgres
from bench.frame import AtLeast, Benchmark, Missing, Place, Step, Steps
from bench.mail_server import ADDRESS
from bench.postfix import postfix, tool
from bench.processes import free_port, python, running

MAIL_BYTES = 1024
MAILS = {1: 300, 20: 1200, 100: 2000}
"""How many are sent over so many connections."""
NOOP, SQLITE, POSTGRESQL, POSTFIX = "no-op aiosmtpd", "desk on SQLite", "desk on PostgreSQL", "Postfix"


class Send(Protocol):
    async def __call__(self, port: int, connections: int) -> float: ...


def series(name: str, connections: int) -> str:
    return f"{name}, {connections} connection{'s' if connections > 1 else ''}"


@asynccontextmanager
async def _open(keep: bool, place: Place) -> AsyncIterator[Steps]:
    source = tool("smtp-source")
    async with AsyncExitStack() as stack:
        server = await stack.enter_async_context(postgres(place.folder))
        databases = {SQLITE: f"sqlite:///{place.folder / 'mail.db'}", POSTGRESQL: server.database("mail")}
        ports = {NOOP: await stack.enter_async_context(_server(place.folder, NOOP, ""))}
        for name, url in databases.items():
            ports[name] = await stack.enter_async_context(_server(place.folder, name, url))
        try:
            ports[POSTFIX] = await stack.enter_async_context(postfix(place.folder))
        except Missing as reason:
            place.note(str(reason))
        engines = {name: create_engine(url) for name, url in databases.items()}
        for engine in engines.values():
            stack.callback(engine.dispose)
        yield _steps(ports, engines, partial(_send, source, keep))


def _steps(ports: Mapping[str, int], engines: Mapping[str, Engine], send: Send) -> Steps:
    def step(name: str, connections: int) -> Step:
        async def run() -> float:
            before = _stored(engines.get(name))
            rate = await send(ports[name], connections)
            if name in engines and _stored(engines[name]) - before != MAILS[connections]:
                raise AssertionError(f"{name} said 250 to {MAILS[connections]} mails and stored another number")
            return rate

        return run

    return {series(name, connections): step(name, connections) for connections in MAILS for name in ports}


async def _send(source: str, keep: bool, port: int, connections: int) -> float:
    """Mails a second, from the first connection to the last 250."""
    command = [source, *(["-d"] if keep else []), "-s", str(connections), "-m", str(MAILS[connections])]
    command += ["-l", str(MAIL_BYTES), "-f", "someone@user.example", "-t", ADDRESS, f"inet:127.0.0.1:{port}"]
    began = time.perf_counter()
    process = await asyncio.create_subprocess_exec(
        *command, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT
    )
    said = (await process.communicate())[0].decode(errors="replace")
    took = time.perf_counter() - began
    if process.returncode != 0:
        raise RuntimeError(f"smtp-source failed: {said[-300:]}")
    return MAILS[connections] / took


@asynccontextmanager
async def _server(folder: Path, name: str, database: str) -> AsyncIterator[int]:
    place, port = folder / name.replace(" ", "-"), free_port()
    place.mkdir()
    command = python("bench.mail_server", "--port", str(port))
    if database:
        command += ["--folder", str(place), "--database", database]
    async with running(command, place / "server.log", "ready"):
        yield port


def _stored(engine: Engine | None) -> int:
    if engine is None:
        return 0
    with engine.connect() as connection:
        return int(connection.execute(text("SELECT count(*) FROM inbox")).scalar_one())


_BARS = (
    AtLeast(series(SQLITE, 20), 0.5, of=series(NOOP, 20)),
    AtLeast(series(SQLITE, 20), 1.0, of=series(POSTFIX, 20)),
    AtLeast(series(POSTGRESQL, 20), 0.5, of=series(NOOP, 20)),
    AtLeast(series(POSTGRESQL, 20), 0.8, of=series(POSTFIX, 20)),
    AtLeast(series(SQLITE, 100), 1.0, of=series(POSTFIX, 100), goal=True),
    AtLeast(series(POSTGRESQL, 100), 0.8, of=series(POSTFIX, 100), goal=True),
    AtLeast(series(SQLITE, 1), 0.6, of=series(POSTFIX, 1), goal=True),
    AtLeast(series(POSTGRESQL, 1), 0.6, of=series(POSTFIX, 1), goal=True),
)
BENCHMARKS = [
    Benchmark(
        name="mail-new",
        question="How many mails a second are accepted durably, each over a connection of its own?",
        unit="mails/s",
        open=partial(_open, False),
        bars=_BARS,
    ),
    Benchmark(
        name="mail-keep",
        question="How many mails a second are accepted durably over connections that are kept?",
        unit="mails/s",
        open=partial(_open, True),
        bars=_BARS,
    ),
]
