"""Updates of a bot stored durably, against an endpoint that does nothing but commit one row each."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from itertools import count
from pathlib import Path

from sqlalchemy import Engine, create_engine, text

from bench.floors import postgres
from bench.frame import AtLeast, Benchmark, Place, Step, Steps
from bench.processes import free_port, python, running
from bench.webhook_server import PATH, SECRET

CONNECTIONS = 40
"""As many as Telegram opens by itself (Bot API, setWebhook, max_connections)."""
UPDATES = 2000
CHATS = 200
SQLITE, POSTGRESQL = "SQLite", "PostgreSQL"


def ours(database: str) -> str:
    return f"desk on {database}"


def floor(database: str) -> str:
    return f"bare endpoint on {database}"


@asynccontextmanager
async def _open(place: Place) -> AsyncIterator[Steps]:
    async with AsyncExitStack() as stack:
        server = await stack.enter_async_context(postgres(place.folder))
        databases = {
            floor(SQLITE): f"sqlite:///{place.folder / 'bare.db'}",
            ours(SQLITE): f"sqlite:///{place.folder / 'desk.db'}",
            floor(POSTGRESQL): server.database("bare"),
            ours(POSTGRESQL): server.database("desk"),
        }
        ports = {
            name: await stack.enter_async_context(_server(place.folder, name, databases[name])) for name in databases
        }
        engines = {name: create_engine(url) for name, url in databases.items()}
        for engine in engines.values():
            stack.callback(engine.dispose)
        numbers = count(1)
        yield {name: _step(name, ports[name], engines[name], numbers) for name in databases}


def _step(name: str, port: int, engine: Engine, numbers: count[int]) -> Step:
    async def run() -> float:
        before = _stored(engine)
        rate = await _post_all(port, [_request(port, next(numbers)) for _ in range(UPDATES)])
        if _stored(engine) - before != UPDATES:
            raise AssertionError(f"{name} said 200 to {UPDATES} updates and stored another number")
        return rate

    return run


async def _post_all(port: int, requests: list[bytes]) -> float:
    """Updates a second, from the first byte to the last 200."""
    shares = [requests[n::CONNECTIONS] for n in range(CONNECTIONS)]
    began = time.perf_counter()
    async with asyncio.TaskGroup() as group:
        for share in shares:
            group.create_task(_post(port, share))
    return len(requests) / (time.perf_counter() - began)


async def _post(port: int, requests: list[bytes]) -> None:
    """One connection, kept, each request after the answer to the one before, as HTTP/1.1 clients do."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    for request in requests:
        writer.write(request)
        answer = await reader.readuntil(b"\r\n\r\n")
        if not answer.startswith(b"HTTP/1.1 200"):
            raise AssertionError(f"the update was not taken: {answer[:60]!r}")
    writer.close()


def _request(port: int, number: int) -> bytes:
    chat = {"id": number % CHATS + 1, "type": "private", "first_name": "Li"}
    sender = {"id": chat["id"], "is_bot": False, "first_name": "Li", "language_code": "en"}
    message = {"message_id": number, "date": 1_795_000_000, "chat": chat, "from": sender, "text": "My order is stuck."}
    body = json.dumps({"update_id": number, "message": message}).encode()
    head: Mapping[str, str] = {
        "Host": f"127.0.0.1:{port}",
        "Content-Type": "application/json",
        "Content-Length": str(len(body)),
        "X-Telegram-Bot-Api-Secret-Token": SECRET,
    }
    lines = "".join(f"{name}: {value}\r\n" for name, value in head.items())
    return f"POST {PATH} HTTP/1.1\r\n{lines}\r\n".encode() + body


@asynccontextmanager
async def _server(folder: Path, name: str, database: str) -> AsyncIterator[int]:
    place, port = folder / name.replace(" ", "-"), free_port()
    place.mkdir()
    own = ["--folder", str(place)] if name.startswith("desk") else []
    command = python("bench.webhook_server", "--port", str(port), "--database", database, *own)
    async with running(command, place / "server.log", "ready"):
        yield port


def _stored(engine: Engine) -> int:
    with engine.connect() as connection:
        return int(connection.execute(text("SELECT count(*) FROM inbox")).scalar_one())


BENCHMARKS = [
    Benchmark(
        name="webhook",
        question="How many updates of a bot a second are stored durably and answered 200?",
        unit="updates/s",
        open=_open,
        bars=tuple(AtLeast(ours(each), 0.7, of=floor(each)) for each in (SQLITE, POSTGRESQL)),
    )
]
