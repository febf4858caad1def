"""How many messages a second does `redress classify` work off, as somebody runs it who has a file of them?

A process of its own gets a JSON object per line and prints one per line. Its start is no part of the figure: the
clock runs from its first answer to its last one.
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from bench.nlu.datasets import Missing
from bench.nlu.own import frozen, shipped
from bench.nlu.parse import tokens
from bench.nlu.trial import Outcome
from bench.processes import ROOT

COMMAND = (sys.executable, "-m", "bot.cli", "classify")
SHORT = 25
QUICK = 100
REVIEWS = "reviews_unlabelled.jsonl"


async def classify(data: Path, say: Callable[[str], None], quick: bool) -> Outcome:
    """Raises Missing."""
    shipped()
    most = QUICK if quick else None
    short = [message.text for message in frozen() if tokens(message.text) <= SHORT][:most]
    say(f"{len(short)} messages of at most {SHORT} tokens")
    figures = {"classify-short": await rate(COMMAND, short)}
    notes = [f"redress classify, short: {len(short)} messages of the evaluation"]
    if (data / REVIEWS).is_file():
        lines = (data / REVIEWS).read_text(encoding="utf-8").splitlines()[:most]
        say(f"{len(lines)} reviews")
        figures["classify-reviews"] = await rate(COMMAND, [json.loads(line)["text"] for line in lines])
    else:
        notes.append(f"redress classify of reviews: left out, {REVIEWS} is not in the folder of --data")
    return Outcome(figures, tuple(notes))


async def rate(command: Sequence[str], texts: Sequence[str]) -> float:
    """Answers a second after the first one. Raises Missing when the command does not answer every line."""
    process = await asyncio.create_subprocess_exec(
        *command, cwd=ROOT, env={**os.environ, "PYTHONUNBUFFERED": "1"}, stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip
    assert process.stdin is not None
    assert process.stdout is not None
    assert process.stderr is not None
    given = "".join(json.dumps({"text": text}, ensure_ascii=False) + "\n" for text in texts).encode()
    writing = asyncio.create_task(_write(process.stdin, given))
    errors = asyncio.create_task(process.stderr.read())
    answered = [time.perf_counter() async for _ in process.stdout]
    await asyncio.gather(writing, process.wait())
    if len(answered) != len(texts):
        last = (await errors).decode(errors="replace").strip().splitlines()[-1:]
        raise Missing(f"`redress classify` answered {len(answered)} of {len(texts)} messages: {' '.join(last)[:200]}")
    await errors
    return (len(answered) - 1) / (answered[-1] - answered[0])


async def _write(pipe: asyncio.StreamWriter, given: bytes) -> None:
    try:
        pipe.write(given)
        await pipe.drain()
    except (BrokenPipeError, ConnectionResetError):
        pass  # it ended early, which its missing answers tell
    pipe.close()
