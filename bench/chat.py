"""What the desk adds to a turn of live chat: from the user's frame to the bot's answer, minus what Rasa takes itself.

Each message is asked over the chat's WebSocket, and right before or afterwards what the desk sends to Rasa for it goes
there once more, word for word and bare, under another sender, who has had the same conversation. Both wait for the
actions and the demo exchange; what differs is the desk: store, read, decide, finish, deliver.
"""

from __future__ import annotations

import asyncio
import http.client
import json
import sqlite3
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, closing
from statistics import median, quantiles
from typing import Any
from urllib.parse import urlsplit
from uuid import uuid4

from bench.desk import Chat, WholeDesk, chatting, whole_desk
from bench.frame import AddsAtMost, Benchmark, Figures, Place, Steps

QUESTIONS = (
    "hello",
    "How do I deposit USDT?",
    "手续费是多少？",
    "Why was my position liquidated?",
    "我的账号登不上去，收不到验证码",
    "How long does the identity verification take?",
    "谢谢",
    "My limit order is not filled, why?",
    "怎么注销账号？",
    "银行卡付款失败怎么办？",
)
"""Such as the bot answers by itself: after a hand-over it would be silent, as it should."""
CONVERSATIONS = 4
"""Per round; each asks all the questions. An even number: see `_conversation`."""
REST_SECONDS = 0.03
TURN, TURN_95, POST, POST_95 = "chat turn p50", "chat turn p95", "bare POST p50", "bare POST p95"


@asynccontextmanager
async def _open(place: Place) -> AsyncIterator[Steps]:
    place.say("starting the whole desk")
    async with whole_desk(place.folder) as desk:
        known: dict[str, bytes] = {}
        await _conversation(desk, known, bare_first=0)

        async def turns() -> Figures:
            pairs = [pair for n in range(CONVERSATIONS) for pair in await _conversation(desk, known, bare_first=n % 2)]
            ours, bare = [took for took, _ in pairs], [took for _, took in pairs]
            return {TURN: median(ours), POST: median(bare), TURN_95: _p95(ours), POST_95: _p95(bare)}

        yield {"conversations": turns}


async def _conversation(desk: WholeDesk, known: dict[str, bytes], *, bare_first: int) -> list[tuple[float, float]]:
    """Milliseconds of each question: through the desk, and bare.

    Whoever comes second finds a processor that is warm from the same words, so they take turns: every other question,
    from number `bare_first` on, is asked bare first. `known` is what the desk sent for each question the last time; a
    question not in it is not asked bare.
    """
    twin = f"bench:{uuid4().hex}"
    found = []
    with closing(_Rasa(desk)) as rasa:
        async with chatting(desk) as chat:
            for number, question in enumerate(QUESTIONS):
                body = known.get(question)
                first = body is not None and number % 2 == bare_first
                bare = await _bare(rasa, body, twin) if body is not None and first else 0.0
                took = await _asked(chat, question)
                if body is not None:
                    found.append((took, bare if first else await _bare(rasa, body, twin)))
                known[question] = rasa.body_of_last_turn(chat.session)
    return found


async def _asked(chat: Chat, question: str) -> float:
    """Milliseconds until the answer. What the desk still tidies up after it is not the next call's affair."""
    began = time.perf_counter()
    await chat.ask(question)
    took = time.perf_counter() - began
    await asyncio.sleep(REST_SECONDS)
    return took * 1000


async def _bare(rasa: _Rasa, body: bytes, sender: str) -> float:
    """Milliseconds of the call alone."""
    took = rasa.post(body, sender)
    await asyncio.sleep(REST_SECONDS)
    return took * 1000


class _Rasa:
    """Rasa by itself: its memory of what the desk sent, and its door."""

    def __init__(self, desk: WholeDesk) -> None:
        address = urlsplit(desk.rasa_url)
        assert address.hostname is not None
        self._door = http.client.HTTPConnection(address.hostname, address.port, timeout=10)
        self._headers = {"Authorization": f"Bearer {desk.rasa_secret}", "Content-Type": "application/json"}
        self._memory = sqlite3.connect(f"file:{desk.rasa_database}?mode=ro", uri=True)

    def body_of_last_turn(self, session: str) -> bytes:
        """What the desk sent for the newest message of a session, up to the sender."""
        query = "SELECT data FROM events WHERE sender_id LIKE ? AND type_name = 'user' ORDER BY id DESC LIMIT 1"
        (data,) = self._memory.execute(query, (f"%:{session}",)).fetchone()
        event: Mapping[str, Any] = json.loads(data)
        metadata = event["metadata"]
        body = {
            "text": event["text"],
            "inbox_id": metadata["inbox_id"],
            "language": metadata["language"],
            "metadata": metadata,
        }
        return json.dumps(body).encode().removesuffix(b"}")

    def post(self, body: bytes, sender: str) -> float:
        """Seconds from the request to the whole answer."""
        body += b', "sender": ' + json.dumps(sender).encode() + b"}"
        began = time.perf_counter()
        self._door.request("POST", "/webhooks/redress/turn", body, self._headers)
        answer = self._door.getresponse()
        content = answer.read()
        took = time.perf_counter() - began
        if answer.status != 200:
            raise AssertionError(f"Rasa answered {answer.status} to a bare call: {content[:200]!r}")
        return took

    def close(self) -> None:
        self._door.close()
        self._memory.close()


def _p95(values: list[float]) -> float:
    return quantiles(values, n=20)[-1]


BENCHMARKS = [
    Benchmark(
        name="chat",
        question="How long does a turn of live chat take, and how much of it is the desk's own?",
        unit="ms",
        open=_open,
        bars=(AddsAtMost(TURN, 5.0, of=POST), AddsAtMost(TURN_95, 15.0, of=POST_95, goal=True)),
        rounds=5,
    )
]
