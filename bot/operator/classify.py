"""`redress classify`: what the bot makes of messages, without a server. JSON lines in, JSON lines out."""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict
from itertools import islice
from multiprocessing import get_context
from pathlib import Path
from typing import Any, NamedTuple

from bot.operator.common import DONE, NOT_DONE, complain
from bot.script import for_models
from bot.settings import Settings
from bot.understanding.archive import CannotOpen, classifier_of
from bot.understanding.entities import find_entities
from bot.understanding.judge import Judge
from bot.understanding.secrets import redact

MODEL = Path(__file__).resolve().parents[2] / "models" / "bot.tar.gz"
AT_ONCE = 16
"""Lines that a process takes at a time."""

ALONE = 64
"""Lines up to which a second process would take longer to begin than it saves."""

_judge: Judge | None = None


class Line(NamedTuple):
    """One line of the input."""

    number: int
    json: str


def classify(_settings: Settings, options: argparse.Namespace) -> int:
    """Exit codes: 0 all classified, 1 without a readable model or when a line was none; the others are answered."""
    bad = 0
    try:
        _open(options.model)
    except CannotOpen as error:
        return complain(error)
    for answer in _answers(_lines(sys.stdin), options.model):
        bad += "error" in answer
        print(json.dumps(answer, ensure_ascii=False), flush=True)
    return NOT_DONE if bad else DONE


def _lines(source: Iterable[str]) -> Iterator[Line]:
    return (Line(number, line) for number, line in enumerate(source, 1) if line.strip())


def _answers(lines: Iterator[Line], model: Path) -> Iterator[dict[str, Any]]:
    """In the order of the lines: the first ones as they come, many by all cores."""
    yield from map(_answer, islice(lines, ALONE))
    rest = list(lines)
    if len(rest) <= ALONE or (os.cpu_count() or 1) == 1:
        yield from map(_answer, rest)
        return
    with ProcessPoolExecutor(os.cpu_count(), get_context("spawn"), _open, (model,)) as pool:
        yield from pool.map(_answer, rest, chunksize=AT_ONCE)


def _open(model: Path) -> None:
    global _judge
    _judge = Judge(classifier_of(model))


def _answer(line: Line) -> dict[str, Any]:
    """What the desk would make of the message: secrets are gone before anything reads it."""
    assert _judge is not None
    try:
        message = json.loads(line.json)
        id, kept = message.get("id"), redact(message["text"]).text
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        example = '{"id": 1, "text": "hello"}'
        return {"id": None, "error": f"line {line.number} is not a JSON object with id and text, such as {example}"}
    judged = _judge.judge(for_models(kept))
    return {
        "id": id,
        "label": judged.label,
        "confidence": round(judged.confidence, 4),
        "escalate": judged.escalate,
        "hand_over": judged.hand_over,
        "reasons": list(judged.reasons),
        "language": judged.language,
        "entities": [{k: v for k, v in asdict(entity).items() if v is not None} for entity in find_entities(kept)],
    }
