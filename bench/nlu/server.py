"""How many messages does one Rasa process answer, how long does one take, and how much memory is held?

The whole desk is started as `redress run` does. One conversation goes through it; what the desk sent to Rasa is then
sent again, word for word, by clients that are each somebody else: classifier, policies, tracker on disk and actions are
all in it, the desk's own store is not.
"""

from __future__ import annotations

import asyncio
import json
import sqlite3
import tempfile
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager, closing
from pathlib import Path
from statistics import median, quantiles
from typing import Any
from uuid import uuid4

import aiohttp

from bench import frame
from bench.chat import QUESTIONS
from bench.desk import WholeDesk, chatting, whole_desk
from bench.nlu.datasets import Missing
from bench.nlu.trial import Outcome

CLIENTS = 8
CONVERSATIONS = 30
"""One after another by one client, per round."""
SECONDS = 10.0
"""All clients together, per round."""
ROUNDS = 3
SETTLE_SECONDS = 3.0

type Body = Mapping[str, Any]
type Post = Callable[[Body, str], Awaitable[None]]


async def server(say: Callable[[str], None], quick: bool) -> Outcome:
    """Raises Missing."""
    frame.BUILD.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="work-", dir=frame.BUILD) as folder:
        try:
            say("starting the whole desk")
            async with whole_desk(Path(folder)) as desk:
                return await _measured(desk, say, quick)
        except frame.Missing as reason:
            raise Missing(str(reason)) from reason


async def _measured(desk: WholeDesk, say: Callable[[str], None], quick: bool) -> Outcome:
    bodies = await _sent_by_the_desk(desk)
    await asyncio.sleep(SETTLE_SECONDS)
    app, rasa = (desk.processes[name].resident_mb() for name in ("app", "rasa"))
    took: list[list[float]] = []
    rates: list[float] = []
    async with _door(desk) as post:
        for number in range(1 if quick else ROUNDS):
            say(f"round {number + 1}: one client, then {CLIENTS}")
            took.append(await _alone(post, bodies, 3 if quick else CONVERSATIONS))
            rates.append(await _together(post, bodies, SECONDS / 5 if quick else SECONDS))
    tail = [quantiles(each, n=100)[-1] for each in took]
    figures = {"server": median(rates), "server-p99": median(tail), "rasa-memory": rasa, "app-memory": app}
    after = desk.processes["rasa"].resident_mb()
    half = median(median(each) for each in took)
    note = f"Rasa: half of the messages take one client {half:.1f} ms or less; {after:.0f} MB after all of them"
    return Outcome(figures, (note,))


async def _sent_by_the_desk(desk: WholeDesk) -> Sequence[Body]:
    """Asks the questions of the chat benchmark once, and reads from Rasa's memory what came to it."""
    async with chatting(desk) as chat:
        for question in QUESTIONS:
            await chat.ask(question)
        query = "SELECT data FROM events WHERE sender_id LIKE ? AND type_name = 'user' ORDER BY id"
        with closing(sqlite3.connect(f"file:{desk.rasa_database}?mode=ro", uri=True)) as memory:
            events = [json.loads(data) for (data,) in memory.execute(query, (f"%:{chat.session}",))]
    return [
        {
            "text": event["text"],
            "inbox_id": event["metadata"]["inbox_id"],
            "language": event["metadata"]["language"],
            "metadata": event["metadata"],
        }
        for event in events
    ]


@asynccontextmanager
async def _door(desk: WholeDesk) -> AsyncIterator[Post]:
    headers = {"Authorization": f"Bearer {desk.rasa_secret}"}
    async with aiohttp.ClientSession(headers=headers) as http:

        async def post(body: Body, sender: str) -> None:
            url = f"{desk.rasa_url}/webhooks/redress/turn"
            async with http.post(url, json={**body, "sender": sender}) as answer:
                content = await answer.read()
            if answer.status != 200 or not json.loads(content)["complete"]:
                raise AssertionError(f"Rasa answered {answer.status}: {content[:200]!r}")

        yield post


async def _alone(post: Post, bodies: Sequence[Body], conversations: int) -> list[float]:
    """Milliseconds of each message."""
    took = []
    for _ in range(conversations):
        sender = f"bench:{uuid4().hex}"
        for body in bodies:
            began = time.perf_counter()
            await post(body, sender)
            took.append((time.perf_counter() - began) * 1000)
    return took


async def _together(post: Post, bodies: Sequence[Body], seconds: float) -> float:
    """Messages a second of all clients, each in one conversation after another."""
    began = time.perf_counter()
    counts = await asyncio.gather(*(_client(post, bodies, began + seconds) for _ in range(CLIENTS)))
    return sum(counts) / (time.perf_counter() - began)


async def _client(post: Post, bodies: Sequence[Body], end: float) -> int:
    count = 0
    while True:
        sender = f"bench:{uuid4().hex}"
        for body in bodies:
            if time.perf_counter() >= end:
                return count
            await post(body, sender)
            count += 1
